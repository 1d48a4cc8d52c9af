"""Helpers for other modules and applications: `encrypted:` values under the local root key, and masks."""

from __future__ import annotations

import os
from typing import Final

from app.core.config import Config
from app.core.exceptions import ProblemError
from app.core.fernet_keys import KeyRing, encode_key
from app.core.problems import problem
from app.core.security import existing_keys

PREFIX: Final = "encrypted:"
"""Marks a value that `encrypt` made, in columns that may hold plaintext as well."""
MASK: Final = "****"
"""How every masked value begins."""


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
    config = Config.from_environ(os.environ)
    of_file = existing_keys(config.config_dir)
    keys = (*config.encryption_keys, *(of_file.keys if of_file is not None else ()))
    if not keys:
        raise ProblemError(problem("key-missing"))
    return KeyRing(keys)
