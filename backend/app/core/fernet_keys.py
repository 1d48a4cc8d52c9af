"""Fernet keys: strict parsing, fingerprints, and the ring of those at hand.

Fernet's own decoder accepts keys and tokens with junk characters inside; here only canonical URL-safe base64 counts,
so that a damaged file is reported and never half-understood.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

KEY_BYTES: Final = 32
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LAST: Final = {b"": _ALPHABET, b"=": b"AEIMQUYcgkosw048", b"==": b"AQgw"}
"""By padding, what the last character before it can be: the bits that it holds beyond the last byte are zero."""


def parse_key(text: str) -> bytes:
    """Decode one Fernet key strictly.

    Args:
        text: 44 characters, URL-safe base64 of 32 bytes, canonical.

    Returns:
        The 32 raw bytes.

    Raises:
        ValueError: not canonical base64, not 32 bytes, or all bytes equal. The message holds no part of the text.
    """
    raw = _decode_base64(text)
    if raw is None:
        raise ValueError("not URL-safe base64")
    if len(raw) != KEY_BYTES:
        raise ValueError("not 32 bytes long")
    if base64.urlsafe_b64encode(raw).decode("ascii") != text:
        raise ValueError("not canonical base64")
    if len(set(raw)) == 1:
        raise ValueError("all bytes are equal")
    return raw


def _decode_base64(text: str | bytes) -> bytes | None:
    """Return the bytes; None for anything but URL-safe base64, so that no decoder's error keeps the text."""
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        return None


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
    return is_canonical_base64(token) and base64.urlsafe_b64decode(token[:4])[:1] == b"\x80"


def is_canonical_base64(text: bytes) -> bool:
    """Tell whether `text` is what encoding some bytes gives: no other characters, padded, unused bits zero."""
    padding = text.translate(None, _ALPHABET)
    return len(text) % 4 == 0 and text.endswith(padding) and text[-len(padding) - 1 :][:1] in _LAST.get(padding, ())


def fingerprint(raw_key: bytes) -> str:
    """Return 16 hex digits that name a key to people: HMAC-SHA256(key, "kcv/v1"), truncated."""
    return hmac.new(raw_key, b"kcv/v1", hashlib.sha256).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The Fernet keys at hand, as raw 32 bytes; the first encrypts, all decrypt."""

    keys: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(fingerprint(key) for key in self.keys)})"

    def encrypt(self, plaintext: bytes, *, at: int | None = None) -> bytes:
        """Return a Fernet token under the first key, dated `at` (seconds since 1970) or now."""
        from cryptography.fernet import Fernet

        fernet = Fernet(encode_key(self.keys[0]))
        return fernet.encrypt(plaintext) if at is None else fernet.encrypt_at_time(plaintext, at)

    def decrypt(self, token: bytes) -> bytes:
        """Return the plaintext of a canonical token under any of the keys.

        Raises:
            ValueError: the token is damaged, or was made under another key.
        """
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet

        if not is_canonical_token(token):
            raise ValueError("not a Fernet token")
        try:
            return MultiFernet([Fernet(encode_key(key)) for key in self.keys]).decrypt(token)
        except InvalidToken:
            raise ValueError("no key at hand opens the token") from None
