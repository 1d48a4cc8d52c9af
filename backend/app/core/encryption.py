"""Fernet helpers: strict key parsing, fingerprints, masking.

Fernet's own decoder accepts keys and tokens with junk characters inside; here only canonical URL-safe base64 counts,
so that a damaged file is reported and never half-understood.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.core.security import KeyRing

PREFIX: Final = "encrypted:"
"""Marks a value that `encrypt` made, in columns that may hold plaintext as well."""
MASK: Final = "****"
"""How every masked value begins."""
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


def mask_sensitive(value: str, show_chars: int = 4) -> str:
    """Return ``****`` and the last `show_chars` characters, at most a quarter of the value; short ones fully hidden."""
    shown = show_chars if 0 < show_chars <= len(value) // 4 else 0
    return MASK + (value[-shown:] if shown else "")


def get_encryption_key() -> bytes:
    """Return the local root key in its 44-character form: the first of `ENCRYPTION_KEY`, else of `fernet.key`.

    Raises:
        EncryptionKeyInvalidError: `ENCRYPTION_KEY` is malformed.
        ProblemError: there is no `fernet.key`, or it is damaged. A key is never made here.
    """
    return encode_key(_root_keys().keys[0]).encode("ascii")


def encrypt(plaintext: str) -> str:
    """Return ``encrypted:`` and a Fernet token under the local root key; text that looks encrypted is encrypted too."""
    return PREFIX + _root_keys().encrypt(plaintext.encode()).decode("ascii")


def decrypt(ciphertext: str) -> str:
    """Return what `encrypt` was given.

    Raises:
        ValueError: not a value of `encrypt`, damaged, or made under a key that is not at hand.
    """
    if not ciphertext.startswith(PREFIX):
        raise ValueError("not an encrypted value")
    return _root_keys().decrypt(ciphertext.removeprefix(PREFIX).encode("ascii", "replace")).decode()


def is_encrypted(value: str) -> bool:
    """Tell whether `value` is one that `decrypt` opens: the prefix alone proves nothing, anybody can type it."""
    try:
        decrypt(value)
    except ValueError:
        return False
    return True


def _root_keys() -> KeyRing:
    """Return every key at hand: those of `ENCRYPTION_KEY` first, then those of `fernet.key`."""
    from app.core.config import Config
    from app.core.exceptions import ProblemError
    from app.core.problems import problem
    from app.core.security import KeyRing, existing_keys

    config = Config.from_environ(os.environ)
    of_file = existing_keys(config.config_dir)
    keys = (*config.encryption_keys, *(of_file.keys if of_file is not None else ()))
    if not keys:
        raise ProblemError(problem("key-missing"))
    return KeyRing(keys)
