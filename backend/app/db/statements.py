"""Statements that both databases know, each in its own dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sa


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
