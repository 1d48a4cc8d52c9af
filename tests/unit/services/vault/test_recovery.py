"""Recovery codes: what they look like, how they may be typed, and which key they stand for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.vault.recovery import is_same_code, new_recovery_code, recovery_key
from tests.support.properties import PROPERTY

VAULT = "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11"
CODE = "MRSW-MZ3I-NFVG-W3DN-NZXX-A4LS-ON2H-K5TX"
ROOT = "1ab1e26fb7f7313b9beac107d2744603f830e26c6e669bba4db920eb04493c46"
"""Of `CODE` in `VAULT`, made by a program of its own, from the description alone."""


def test_frozen_code_stands_for_its_key() -> None:
    """A sheet of paper must work for ever."""
    assert recovery_key(CODE, VAULT).hex() == ROOT


def test_codes_are_bound_to_their_vault() -> None:
    """The same code is another key elsewhere."""
    assert recovery_key(CODE, "00000000-0000-4000-8000-000000000000").hex() != ROOT


def test_codes_are_160_random_bits_in_groups() -> None:
    """Eight groups of four, and never the same twice."""
    codes = {new_recovery_code() for _ in range(50)}

    assert len(codes) == 50
    assert all(re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){7}", code) for code in codes)
    assert all(len(recovery_key(code, VAULT)) == 32 for code in codes)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(CODE.lower(), id="lower case"),
        pytest.param(CODE.replace("-", ""), id="no hyphens"),
        pytest.param(CODE.replace("-", " "), id="blanks"),
        pytest.param(f"  {CODE}\n", id="outer blanks"),
        pytest.param(CODE.replace("O", "0").replace("I", "1"), id="digits for letters"),
    ],
)
def test_codes_may_be_typed_as_people_do(typed: str) -> None:
    """Case, blanks, hyphens and look-alikes do not matter."""
    assert recovery_key(typed, VAULT).hex() == ROOT
    assert is_same_code(typed, CODE)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="empty"),
        pytest.param(CODE[:-1], id="too short"),
        pytest.param(CODE + "A", id="too long"),
        pytest.param(CODE.replace("M", "9"), id="no such character"),
        pytest.param(CODE.replace("M", "Ä"), id="not ASCII"),
        pytest.param(CODE.replace("M", "="), id="padding"),
    ],
)
def test_other_text_is_no_code(typed: str) -> None:
    """It is refused, and the error keeps nothing of it, not even as the error it came from."""
    with pytest.raises(ValueError, match=r"^not a recovery code$") as caught:
        recovery_key(typed, VAULT)

    assert caught.value.__context__ is None


@given(first=st.binary(min_size=20, max_size=20), second=st.binary(min_size=20, max_size=20))
@PROPERTY
def test_different_codes_are_different_keys(first: bytes, second: bytes) -> None:
    """Whatever the bits."""
    import base64

    codes = [base64.b32encode(bits).decode() for bits in (first, second)]

    assert (recovery_key(codes[0], VAULT) == recovery_key(codes[1], VAULT)) == (first == second)
    assert is_same_code(*codes) == (first == second)
