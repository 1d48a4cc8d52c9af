"""Join codes: 80 random bits that one person reads out and another one types.

The sixteen characters are Crockford's base32, which has no letters that look like digits. A seventeenth character
checks them: over the field of 32 elements, every position has a weight of its own, so that one wrong character and
two exchanged ones, wherever they stand, are always noticed. A mistyped code can therefore be told from one that is
well typed and belongs to another request.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from app.core.derivation import hkdf

CODE_BYTES: Final = 10
_GROUP: Final = 4
_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_BITS: Final = 5
_CHARS: Final = CODE_BYTES * 8 // _BITS
_BLANKS: Final = re.compile(r"[\s-]")
_LOOKALIKES: Final = str.maketrans("OIL", "011")
_MODULUS: Final = 0b100101
"""x^5 + x^2 + 1, of which x generates all 31 elements but zero."""


class MistypedCodeError(ValueError):
    """The text is no join code, or its check character does not fit; the message holds no part of it."""


@dataclass(frozen=True, slots=True)
class JoinCode:
    """A join code as it was made, or typed in."""

    raw: bytes = field(repr=False)
    """80 bits."""

    def text(self) -> str:
        """Return it as people read it out: four groups of four, and the check character."""
        number = int.from_bytes(self.raw, "big")
        digits = [_DIGITS[number >> shift & 0b11111] for shift in range(CODE_BYTES * 8 - _BITS, -1, -_BITS)]
        groups = ["".join(digits[start : start + _GROUP]) for start in range(0, _CHARS, _GROUP)]
        return "-".join((*groups, _check_character(digits)))

    def key(self, vault_id: str, purpose: str, *context: str) -> bytes:
        """Return the key that the code stands for in one vault, for one purpose."""
        return hkdf(self.raw, vault_id, purpose, *context)


def new_join_code() -> JoinCode:
    """Return 80 random bits."""
    return JoinCode(secrets.token_bytes(CODE_BYTES))


def parse_join_code(typed: str) -> JoinCode:
    """Return the code that a person typed: case, blanks, hyphens and look-alikes do not matter.

    Raises:
        MistypedCodeError: it cannot be right.
    """
    digits = _BLANKS.sub("", typed).upper().translate(_LOOKALIKES)
    if len(digits) != _CHARS + 1 or not _VALUE.keys() >= set(digits):
        raise MistypedCodeError("not a join code")
    code, check = list(digits[:-1]), digits[-1]
    if _check_character(code) != check:
        raise MistypedCodeError("the check character does not fit")
    number = 0
    for digit in code:
        number = number << _BITS | _VALUE[digit]
    return JoinCode(number.to_bytes(CODE_BYTES, "big"))


def _check_character(digits: list[str]) -> str:
    """Return the character with which the weighted sum is zero: weights are x, x^2, ... x^16, and 1 for itself."""
    total = 0
    for digit in reversed(digits):
        total = _times_x(total ^ _VALUE[digit])
    return _DIGITS[total]


def _times_x(element: int) -> int:
    shifted = element << 1
    return shifted ^ _MODULUS if shifted >> _BITS else shifted
