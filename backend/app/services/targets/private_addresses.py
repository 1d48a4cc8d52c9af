"""Which addresses belong to the public internet, and which to this computer, its network or its cloud."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

_GLOBAL_UNICAST: Final = ipaddress.ip_network("2000::/3")
_TUNNELS: Final = (ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32"))
"""6to4 and Teredo: they carry an IPv4 address that nobody looks at."""
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_CLOUDS: Final = (ipaddress.ip_network("168.63.129.16/32"), ipaddress.ip_network("192.0.0.0/24"))
"""Platforms' own addresses inside Azure and Oracle; those of other clouds are link-local or private."""


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public internet, and no way to another one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _GLOBAL_UNICAST or any(ip in network for network in _TUNNELS):
            return False
    is_cloud = any(ip in network for network in _CLOUDS)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not is_cloud


def literal_address(host: str) -> str | None:
    """Return the address that a host is if no name has to be looked up; `127.1` and `0x7f000001` are addresses too."""
    if host.rstrip(".").rpartition(".")[2] == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None
