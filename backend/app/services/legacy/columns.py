"""Finding a column in a table that was not known before, and the sentences where it cannot be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.core.exceptions import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app.services.legacy.cells import ColumnName


def quoted(name: str) -> sa.quoted_name:
    """Return a name that is always quoted in SQL."""
    return sa.quoted_name(name, quote=True)


def column_clause(name: str) -> sa.ColumnClause[Any]:
    """Return a column by its exact name."""
    return sa.column(quoted(name))


def wanted(name: ColumnName, columns: dict[str, Any], folded: Callable[[str], str] = str) -> tuple[Any, Any]:
    """Return what is known of the column and, if rows are selected, of the key column."""
    found = []
    for wanted in (name.column, name.key_column):
        if wanted is not None and folded(wanted) not in columns:
            raise UsageError(f"The table {name.table} has no column {wanted}.{nearest(wanted, columns)}")
        found.append(None if wanted is None else columns[folded(wanted)])
    if found[0] is found[1]:
        raise UsageError(f"{name.table}.{name.column} cannot select rows: it is the column to encrypt.")
    return found[0], found[1]


def check_column(name: ColumnName, *, is_generated: bool, is_key: bool) -> None:
    """Raise UsageError if encrypted text cannot be put into the column."""
    if is_generated:
        raise UsageError(f"{name.table}.{name.column} is a generated column; name the column that it is made from.")
    if is_key:
        raise UsageError(f"{name.table}.{name.column} is part of the primary key and cannot be encrypted.")


def nearest(name: str, others: Iterable[str]) -> str:
    """Return a question about what was probably meant, with a space before it; empty if nothing is near."""
    near = difflib.get_close_matches(name, list(others), n=1, cutoff=0.5)
    return f" Did you mean {near[0]}?" if near else ""
