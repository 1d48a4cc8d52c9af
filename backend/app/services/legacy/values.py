"""Single values: which of them are plaintext, and what takes their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.core.encryption import PREFIX
from app.core.fernet_keys import KeyRing, encode_key, fingerprint, is_canonical_token
from app.core.security import existing_keys, load_or_create_keys, prepare_config_directory
from app.services.legacy.outcome import NOT_TEXT, NOT_UNICODE, OTHER_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.config import Config
    from app.services.legacy.outcome import Counts

_FERNET_OVERHEAD: Final = 1 + 8 + 16 + 32
"""Bytes of a token beside the padded plaintext: version, time, initialisation vector, HMAC."""
_BLOCK: Final = 16


class Values:
    """Decides about single values.

    Args:
        keys: the first encrypts, all decrypt; there may be none for a dry run.
        seal: how plaintext becomes an ``encrypted:`` value.
        include_tokens: encrypt tokens of keys that are not at hand as if they were text.
    """

    def __init__(self, keys: KeyRing, seal: Callable[[str], str], *, include_tokens: bool) -> None:
        self._keys = keys
        self._seal = seal
        self._include_tokens = include_tokens

    def decide(self, value: object, counts: Counts) -> str | None:
        """Return what to put in the place of `value`, None to leave it, and count it."""
        if value is None or value == "":
            counts.empty += 1
        elif not isinstance(value, str):
            counts.skipped[NOT_TEXT] += 1
        elif not is_unicode(value):
            counts.skipped[NOT_UNICODE] += 1
        elif self._opens(value):
            counts.already_encrypted += 1
        elif _is_token(value) and not self._include_tokens:
            counts.skipped[OTHER_KEY] += 1
        else:
            counts.to_encrypt += 1
            return self._seal(value)
        return None

    def _opens(self, value: str) -> bool:
        if not value.startswith(PREFIX) or not self._keys.keys:
            return False
        try:
            self._keys.decrypt(value.removeprefix(PREFIX).encode("ascii", "replace"))
        except ValueError:
            return False
        return True


def is_unicode(text: str) -> bool:
    """Tell whether `text` can be encoded; half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_token(value: str) -> bool:
    """Tell whether `value` is built as an ``encrypted:`` value is; what somebody typed is not, even with the prefix."""
    token = value.removeprefix(PREFIX).encode("ascii", "replace")
    if not value.startswith(PREFIX) or not is_canonical_token(token):
        return False
    padded_bytes = len(token) // 4 * 3 - token.count(b"=") - _FERNET_OVERHEAD
    return padded_bytes >= _BLOCK and padded_bytes % _BLOCK == 0


def placeholder(plaintext: str) -> str:
    """Return something as long as the encrypted value would be: a dry run may have no key yet."""
    padded_bytes = (len(plaintext.encode()) // _BLOCK + 1) * _BLOCK
    return "?" * (len(PREFIX) + -(-(_FERNET_OVERHEAD + padded_bytes) // 3) * 4)


def values_of(config: Config, *, apply: bool, include_tokens: bool) -> tuple[Values, str]:
    """Return what decides about values, and the fingerprint of the key that encrypts.

    Keys are those of `ENCRYPTION_KEY`, then those of `fernet.key`, which is made as at the first start; not by a dry
    run.
    """
    if apply:
        prepare_config_directory(config.config_dir)
        of_file: KeyRing | None = load_or_create_keys(config.config_dir)
    else:
        of_file = existing_keys(config.config_dir)
    ring = KeyRing((*config.encryption_keys, *(of_file.keys if of_file is not None else ())))
    if not apply:
        return Values(ring, placeholder, include_tokens=include_tokens), ""

    from cryptography.fernet import Fernet

    fernet = Fernet(encode_key(ring.keys[0]))

    def seal(plaintext: str) -> str:
        return PREFIX + fernet.encrypt(plaintext.encode()).decode("ascii")

    return Values(ring, seal, include_tokens=include_tokens), fingerprint(ring.keys[0])
