"""Fernet helpers: strict key parsing, fingerprints, masking.

Fernet's own decoder accepts keys and tokens with junk characters inside; here only canonical URL-safe base64 counts,
so that a damaged file is reported and never half-understood.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

KEY_BYTES: Final = 32


def parse_key(text: str) -> bytes:
    """Decode one Fernet key strictly.

    Args:
        text: 44 characters, URL-safe base64 of 32 bytes, canonical.

    Returns:
        The 32 raw bytes.

    Raises:
        ValueError: not canonical base64, not 32 bytes, or all bytes equal. The message holds no part of the text.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise ValueError("not URL-safe base64") from None
    if len(raw) != KEY_BYTES:
        raise ValueError("not 32 bytes long")
    if base64.urlsafe_b64encode(raw).decode("ascii") != text:
        raise ValueError("not canonical base64")
    if len(set(raw)) == 1:
        raise ValueError("all bytes are equal")
    return raw


def parse_key_list(text: str) -> tuple[bytes, ...]:
    """Decode `ENCRYPTION_KEY`: one key, or several separated by commas; the first encrypts, all decrypt.

    Raises:
        ValueError: any of them is malformed.
    """
    return tuple(parse_key(part.strip()) for part in text.split(","))


def encode_key(raw: bytes) -> str:
    """Return the 44-character form of a 32-byte key."""
    return base64.urlsafe_b64encode(raw).decode("ascii")


def is_canonical_token(token: bytes) -> bool:
    """Tell whether `token` is canonical URL-safe base64 with Fernet's version byte in front."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return raw[:1] == b"\x80" and base64.urlsafe_b64encode(raw) == token


def fingerprint(raw_key: bytes) -> str:
    """Return 16 hex digits that name a key to people: HMAC-SHA256(key, "kcv/v1"), truncated."""
    return hmac.new(raw_key, b"kcv/v1", hashlib.sha256).hexdigest()[:16]


def mask_sensitive(value: str, show_chars: int = 4) -> str:
    """Return ``****`` and the last `show_chars` characters, at most a quarter of the value; short ones fully hidden."""
    shown = show_chars if 0 < show_chars <= len(value) // 4 else 0
    return "****" + (value[-shown:] if shown else "")
