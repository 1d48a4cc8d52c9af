"""Join codes: how they look, how they may be typed, and that a slip of the finger is noticed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.vault.join_codes import CODE_BYTES, JoinCode, MistypedCodeError, new_join_code, parse_join_code
from tests.support.properties import PROPERTY

VAULT = "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11"
RAW = bytes.fromhex("9dcef4ca7ae8a4dc2b0d")
CODE = "KQ7F-9JKT-X2JD-RARD-9"
"""Of `RAW`, made by a program of its own, from the description alone."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

codes = st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES).map(lambda raw: JoinCode(raw).text())


def test_frozen_code_is_written_and_read_alike() -> None:
    """Both desktops agree, also when one of them is newer."""
    assert JoinCode(RAW).text() == CODE
    assert parse_join_code(CODE).raw == RAW
    assert parse_join_code(CODE).key(VAULT, "join").hex() == (
        "f874ef2eddbbd580e38f2b9ce552296867f712e6cb222449e8171c4516d3181d"
    )


def test_codes_are_80_random_bits_in_groups() -> None:
    """Four groups of four and a check character; never the same twice, and not shown by accident."""
    made = [new_join_code() for _ in range(50)]

    assert len({code.raw for code in made}) == 50
    assert all(re.fullmatch(rf"([{ALPHABET}]{{4}}-){{4}}[{ALPHABET}]", code.text()) for code in made)
    assert all(code.text() not in repr(code) and code.raw.hex() not in repr(code) for code in made)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(CODE.lower(), id="lower case"),
        pytest.param(CODE.replace("-", ""), id="no hyphens"),
        pytest.param(f" {CODE.replace('-', ' ')}\n", id="blanks"),
    ],
)
def test_codes_may_be_typed_as_people_do(typed: str) -> None:
    """Case, blanks and hyphens do not matter."""
    assert parse_join_code(typed).raw == RAW


def test_letters_that_look_like_digits_are_understood() -> None:
    """O is 0; I and L are 1."""
    code = JoinCode(bytes(CODE_BYTES - 1) + b"\x21").text()

    assert "0" in code
    assert "1" in code
    assert parse_join_code(code.replace("0", "O").replace("1", "I")) == parse_join_code(code)
    assert parse_join_code(code.replace("0", "o").replace("1", "l")) == parse_join_code(code)


@PROPERTY
@given(code=codes)
def test_every_code_reads_as_what_it_was_made_from(code: str) -> None:
    """Writing and reading are inverse."""
    assert parse_join_code(code).text() == code


@PROPERTY
@given(code=codes, position=st.integers(0, 16), digit=st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(code: str, position: int, digit: str) -> None:
    """Wherever it stands, the check character included."""
    plain = code.replace("-", "")
    wrong = plain[:position] + digit + plain[position + 1 :]

    if wrong != plain:
        with pytest.raises(MistypedCodeError):
            parse_join_code(wrong)


@PROPERTY
@given(code=codes, first=st.integers(0, 16), second=st.integers(0, 16))
def test_two_exchanged_characters_are_noticed(code: str, first: int, second: int) -> None:
    """Neighbours or not."""
    plain = list(code.replace("-", ""))
    plain[first], plain[second] = plain[second], plain[first]
    wrong = "".join(plain)

    if wrong != code.replace("-", ""):
        with pytest.raises(MistypedCodeError):
            parse_join_code(wrong)


@PROPERTY
@given(typed=st.text(max_size=40))
def test_what_is_no_code_is_mistyped(typed: str) -> None:
    """Whatever it is; the error tells nothing of it."""
    with pytest.raises(MistypedCodeError, match=r"^(not a join code|the check character does not fit)$"):
        parse_join_code(typed)
