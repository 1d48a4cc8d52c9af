"""Key derivation: HKDF-SHA256 (RFC 5869) over parts whose boundaries cannot be shifted."""

from __future__ import annotations

import hmac
import struct
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

_HASH: Final = "sha256"
_FIRST_BLOCK: Final = b"\x01"
_length = struct.Struct(">I").pack


def lp(*parts: str | bytes) -> bytes:
    """Return each part as 4-byte big-endian length and its (UTF-8) bytes, one after the other."""
    encoded = b""
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        encoded += _length(len(raw)) + raw
    return encoded


def hkdf(key: bytes, salt: str | bytes, *info: str | bytes) -> bytes:
    """Derive 32 bytes: HKDF-SHA256 with ``info = lp(*info)``.

    Args:
        key: input key material.
        salt: text is taken as UTF-8.
        info: purpose and context, such as ``"wrap", kid``.
    """
    return hkdf_over(key, salt.encode() if isinstance(salt, str) else salt, lp(*info))


def hkdf_over(key: bytes, salt: bytes, info: bytes) -> bytes:
    """Derive 32 bytes: HKDF-SHA256 with `info` as it stands."""
    return hmac.digest(hmac.digest(salt, key, _HASH), info + _FIRST_BLOCK, _HASH)


class Expander:
    """HKDF-SHA256 of one key and salt over many infos: the first step, extract, is done once."""

    __slots__ = ("_mac",)

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._mac = HMAC(hmac.digest(salt, key, _HASH), SHA256())

    def expand(self, info: bytes) -> bytes:
        """Return what `hkdf_over` would."""
        mac = self._mac.copy()
        mac.update(info + _FIRST_BLOCK)
        return mac.finalize()
