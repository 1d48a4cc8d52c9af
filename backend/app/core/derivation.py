"""Key derivation: HKDF-SHA256 (RFC 5869) over parts whose boundaries cannot be shifted."""

from __future__ import annotations

import hmac
import struct
from typing import Final

DERIVED_BYTES: Final = 32
"""One block of SHA-256, so that expanding is a single HMAC."""
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
    return expand(extract(salt, key), info)


def extract(salt: bytes, key: bytes) -> bytes:
    """Return HKDF's pseudorandom key, from which `expand` makes as many keys as there are infos."""
    return hmac.digest(salt, key, _HASH)


def expand(pseudorandom_key: bytes, info: bytes) -> bytes:
    """Return the first 32 bytes of HKDF's output."""
    return hmac.digest(pseudorandom_key, info + _FIRST_BLOCK, _HASH)
