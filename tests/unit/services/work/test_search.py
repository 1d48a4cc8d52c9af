"""What the search of tasks compares."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from app.db.base import casefolded
from app.services.work.search import SEPARATOR, indexed_form, searched_text
from tests.support.properties import PROPERTY

TEXTS = st.text(max_size=30) | st.none()


def test_no_folded_text_holds_the_separator_or_the_word_that_finds_nothing() -> None:
    """No character whatever folds to a capital letter of theirs."""
    folded = {character for code in range(sys.maxunicode + 1) for character in casefolded(chr(code))}

    assert not folded & set(SEPARATOR + "ANY")


@PROPERTY
@given(TEXTS, TEXTS, TEXTS, st.text(min_size=1, max_size=6))
def test_text_is_found_in_one_field_at_a_time(
    title: str | None, description: str | None, gear_id: str | None, needle: str
) -> None:
    """Never in two of them put together."""
    searched = searched_text(title or "", description, gear_id)

    wanted = casefolded(needle)
    expected = any(wanted in casefolded(field or "") for field in (title, description, gear_id))
    assert (wanted in searched) is expected


@PROPERTY
@given(st.text(min_size=1, max_size=40))
def test_index_knows_every_piece(text: str) -> None:
    """What a text holds is among what its index is made of: hashes of one to three characters, of 32 bits."""
    hashes = indexed_form("postgresql", text)

    assert isinstance(hashes, list)
    assert len(set(hashes)) == len(hashes)
    assert all(-(1 << 31) <= number < 1 << 31 for number in hashes)
    for length in (1, 2, 3):
        for start in range(len(text) - length + 1):
            piece = indexed_form("postgresql", text[start : start + length])
            assert set(piece) <= set(hashes)
