"""Search for a piece of text in tasks: what is compared, and the index that finds the few tasks that may hold it.

Text is compared case-folded. PostgreSQL's index holds hashes of all pieces of one to three characters, SQLite's is an
FTS5 table of trigrams; neither needs an extension. Both may name a task too many, so the text itself is looked at too.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.db.base import casefolded

if TYPE_CHECKING:
    from collections.abc import Iterable

GRAM: Final = 3
"""Characters of the longest pieces in the index."""
SEPARATOR: Final = "AA"
"""Ends each field. Folded text holds no capital letter, so nothing is found across fields; and with two of them each
character of a field begins a trigram, by which SQLite finds texts that are shorter than one."""

_BY_HASHES: Final = "SELECT task_id FROM task_grams WHERE grams @> CAST(:hashes AS integer[])"
_BY_TRIGRAMS: Final = (
    "SELECT g.task_id FROM task_trigrams JOIN task_grams g ON g.number = task_trigrams.rowid"
    " WHERE task_trigrams MATCH {}"
)
_ALL: Final = ":trigrams"
_ANY_THAT_BEGINS: Final = (
    "coalesce((SELECT group_concat('\"' || replace(term, '\"', '\"\"') || '\"', ' OR ')"
    " FROM task_trigram_terms WHERE term >= :first AND term < :last), 'ANY')"
)
"""`ANY`, in capitals, is no text's trigram; without any word FTS5 would see an error of syntax."""
_LAST_CHARACTER: Final = "\U0010ffff"


def searched_text(title: str, description: str | None, gear_id: str | None) -> str:
    """Return what the search of a task looks into."""
    return "".join(casefolded(field or "") + SEPARATOR for field in (title, description, gear_id))


def indexed_form(dialect: str, searched: str) -> list[int] | str:
    """Return what the index of a database is made of."""
    return _hashes(_pieces(searched, range(1, GRAM + 1))) if dialect == "postgresql" else searched


def holds(dialect: str, searched: sa.ColumnElement[str], needle: str) -> sa.ColumnElement[bool]:
    """Tell whether the searched text holds the case-folded `needle`; no character of it has a special meaning."""
    return (sa.func.strpos if dialect == "postgresql" else sa.func.instr)(searched, needle) > 0


def may_hold(dialect: str, needle: str) -> sa.TextClause:
    """Restrict `tasks` to the candidates: those that the index names for the case-folded `needle`.

    In words of its own for each database, so that they are looked up however many of them the planner expects.
    """
    sql, parameters = _candidates(dialect, needle)
    restriction = f"= ANY (ARRAY({sql}))" if dialect == "postgresql" else f"IN ({sql})"
    return sa.text(f"tasks.id {restriction}").bindparams(**parameters)


def has_few_candidates(connection: sa.Connection, needle: str, few: int) -> bool:
    """Tell whether the index names at most `few` tasks for the case-folded `needle`."""
    sql, parameters = _candidates(connection.dialect.name, needle)
    count = sa.text(f"SELECT count(*) FROM ({sql} LIMIT :more_than_few) AS candidates")  # noqa: S608 - words of ours
    return bool(connection.execute(count, {**parameters, "more_than_few": few + 1}).scalar_one() <= few)


def names_few_at_once(dialect: str) -> bool:
    """Tell whether the index stops at the few that it is asked for: SQLite's does, PostgreSQL's names all of them."""
    return dialect == "sqlite"


def _candidates(dialect: str, needle: str) -> tuple[str, dict[str, Any]]:
    """Return a query of the candidates' ids, with its parameters."""
    pieces = _pieces(needle, [min(len(needle), GRAM)])
    if dialect == "postgresql":
        return _BY_HASHES, {"hashes": _hashes(pieces)}
    if len(needle) < GRAM:
        return _BY_TRIGRAMS.format(_ANY_THAT_BEGINS), {"first": needle, "last": needle + _LAST_CHARACTER}
    quoted = ('"' + piece.replace('"', '""') + '"' for piece in sorted(pieces))
    return _BY_TRIGRAMS.format(_ALL), {"trigrams": " AND ".join(quoted)}


def _pieces(text: str, lengths: Iterable[int]) -> set[str]:
    return {text[start : start + length] for length in lengths for start in range(len(text) - length + 1)}


def _hashes(pieces: set[str]) -> list[int]:
    """Hash into PostgreSQL's integers; that two pieces may share a hash only makes a candidate more."""
    return sorted(zlib.crc32(piece.encode()) - (1 << 31) for piece in pieces)
