"""Recovery codes: 160 random bits on a sheet of paper that open a vault when every key is lost."""

from __future__ import annotations

import base64
import re
import secrets
from typing import Final

from app.core.derivation import hkdf

RECOVERY_BYTES: Final = 20
_GROUP: Final = 4
_CODE: Final = re.compile(r"[A-Z2-7]{32}")
_BLANKS: Final = re.compile(r"[\s-]")
_LOOKALIKES: Final = str.maketrans("018", "OIB")
"""Digits that base32 does not have, and what people saw when they typed them."""


def new_recovery_code() -> str:
    """Return 160 random bits as base32 in eight groups of four."""
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode("ascii")
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def recovery_key(code: str, vault_id: str) -> bytes:
    """Return the root key that a recovery code stands for in one vault.

    Raises:
        ValueError: it is no recovery code.
    """
    plain = _plain(code)
    if not _CODE.fullmatch(plain):
        raise ValueError("not a recovery code")
    return hkdf(base64.b32decode(plain), vault_id, "recovery")


def is_same_code(first: str, second: str) -> bool:
    """Tell whether two texts are the same code; blanks, hyphens and case do not matter."""
    return _plain(first) == _plain(second)


def _plain(code: str) -> str:
    return _BLANKS.sub("", code).upper().translate(_LOOKALIKES)
