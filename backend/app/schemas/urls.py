"""URLs that people type, taken apart: where they lead, and the credentials in them.

Strict where parsers differ from each other: what is checked here is what is connected to later, and no piece of a
password can be left in what is shown.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_URL_CHARS: Final = 2048
_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?P<fragment>#.*)?"
)
_ADDRESS: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::(?P<port>[0-9]{0,5}))?")
_HOST_NAME: Final = re.compile(r"[\w.~-]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KEPT: Final = "%/?:!$&'()*+,;=-._~"
"""Characters of a path or query that stay as they were typed; others are percent-encoded."""


@dataclass(frozen=True, slots=True)
class TargetUrl:
    """A URL without its credentials, and these beside it."""

    scheme: str
    host: str
    """In lower case and ASCII; an IPv6 address without its brackets."""
    port: int
    url: str
    """Without credentials and fragment, otherwise as it was typed."""
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)

    @property
    def origin(self) -> tuple[str, str, int]:
        """What a stored secret stays with: scheme, host and port."""
        return self.scheme, self.host, self.port


def parse_url(text: str, ports: Mapping[str, int]) -> TargetUrl:
    """Take a URL apart.

    Args:
        text: as it was typed.
        ports: the schemes that are allowed, with their default ports.

    Raises:
        ValueError: it is none, or one that could be understood in two ways; holds no part of the text.
    """
    found = _URL.fullmatch(text.strip())
    schemes = list(ports)
    if found is None or found["scheme"].lower() not in ports:
        raise ValueError(f"Input should be a URL that begins with {'://, '.join(schemes[:-1])}:// or {schemes[-1]}://")
    if len(text) > MAX_URL_CHARS:
        raise ValueError(f"URL should have at most {MAX_URL_CHARS} characters")
    if "@" in found["rest"] + (found["fragment"] or "") or re.search(r"[\s\x00-\x1f\x7f]", text.strip()):
        # a password that holds / ? or # ends the host too early, and its rest would be shown
        raise ValueError("In a URL, blanks, and @ / ? # in a password, should be percent-encoded; @ is %40, / is %2F")
    scheme = found["scheme"].lower()
    credentials, _, address = found["authority"].rpartition("@")
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        raise ValueError("URL should name a host, and a port only as a number")
    host = _host(parts["host"])
    port = int(parts["port"]) if parts["port"] else ports[scheme]
    if not 1 <= port <= 65535:
        raise ValueError("The port of the URL should be from 1 to 65535")
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = f":{parts['port']}" if parts["port"] else ""
    username, password = _credentials(credentials)
    url = f"{scheme}://{shown_host}{shown_port}{quote(found['rest'], safe=_KEPT)}"
    return TargetUrl(scheme, host, port, url, username, password)


def _host(typed: str) -> str:
    if typed.startswith("["):
        try:
            return ipaddress.IPv6Address(typed[1:-1]).compressed
        except ValueError:
            raise ValueError("The host of the URL should be a name or an IP address") from None
    try:
        name = typed.encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    if not _HOST_NAME.fullmatch(name) or not name.strip("."):
        raise ValueError("The host of the URL should be a name or an IP address")
    return name


def _credentials(text: str) -> tuple[str | None, str | None]:
    """Return user name and password, decoded; None for what is missing or empty."""
    username, _, password = text.partition(":")
    return _decoded(username), _decoded(password)


def _decoded(text: str) -> str | None:
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("The percent-encoded characters in the URL should be UTF-8") from None
    if _CONTROL.search(decoded):
        raise ValueError("User name and password in a URL should not contain control characters")
    return decoded or None
