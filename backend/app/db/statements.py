"""Statements that both databases know, each in its own dialect."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

MAX_COUNT: Final = 1_000_000_000
"""So far a count in a four-byte column is believed: with what is added to it, it stays a number of the column."""


def insert_if_absent(connection: sa.Connection, table: sa.Table[Any], values: dict[str, Any]) -> bool:
    """Insert a row unless one with its key is there already; waits for whoever is just inserting it.

    Returns:
        Whether it was inserted.
    """
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    return connection.execute(insert(table).values(**values).on_conflict_do_nothing()).rowcount == 1


def grown(column: sa.ColumnElement[int], more: Any, *, maximum: int = MAX_COUNT) -> sa.ColumnElement[int]:
    """Return a count with more added to it; one that nobody can have counted begins anew."""
    return sa.case((column.between(0, maximum), column + more), else_=more)
