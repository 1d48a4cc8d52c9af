"""Another application's SQLite file."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from app.core.exceptions import UsageError
from app.services.legacy.cells import BATCH_ROWS, Cell, Cells, ColumnName, ForeignDatabase
from app.services.legacy.columns import check_column, column_clause, nearest, quoted, wanted
from app.services.legacy.problems import is_contention

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from app.services.legacy.cells import Swap

SQLITE_BUSY_TIMEOUT_MS: Final = 5_000


def sqlite_engine(path: Path, *, writable: bool) -> sa.Engine:
    """Make an engine of one connection; unless `writable`, SQLite itself refuses every change."""

    def connect() -> sqlite3.Connection:
        # not created where there is none; journal and other settings stay what the application chose
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=SQLITE_BUSY_TIMEOUT_MS / 1000
        )
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        # overwrite what an update replaces, where the file would otherwise keep it in its free space
        connection.execute("PRAGMA secure_delete = ON" if writable else "PRAGMA query_only = ON")
        return connection

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=StaticPool, hide_parameters=True)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writable else "BEGIN")

    return engine


_ROWID_NAMES: Final = ("rowid", "_rowid_", "oid")
_IS_GENERATED: Final = (2, 3)
"""Values of `hidden` in `table_xinfo`, https://www.sqlite.org/pragma.html#pragma_table_xinfo."""


class SqliteForeign(ForeignDatabase):
    """An SQLite file."""

    dialect = "sqlite"

    def cells(self, name: ColumnName) -> Cells:
        """Find a column; SQLite does not distinguish the case of names."""
        table = self._table(name)
        rows = self._connection.execute(
            sa.text("SELECT name, type, pk, hidden FROM pragma_table_xinfo(:name)"), {"name": table}
        )
        columns = {row.name.lower(): row for row in rows}
        column, key_column = wanted(name, columns, folded=str.lower)
        check_column(name, is_generated=column.hidden in _IS_GENERATED, is_key=column.pk > 0)
        rowid = self._rowid(table, columns)
        key = [row.name for row in sorted(columns.values(), key=lambda row: row.pk) if row.pk]
        clause = sa.table(
            quoted(table),
            *(column_clause(row.name) for row in columns.values()),
            *([sa.column(rowid)] if rowid is not None else []),
        )
        exact = ColumnName(None, table, column.name, key_column.name if key_column is not None else None, name.keys)
        return SqliteCells(
            self._connection,
            exact,
            clause,
            [rowid] if rowid is not None else key,
            is_json="JSON" in column.type.upper(),
        )

    def _table(self, name: ColumnName) -> str:
        if name.schema is not None and name.schema.lower() != "main":
            raise UsageError(f"SQLite has no schema {name.schema}; write TABLE.COLUMN.")
        tables = {
            row.name.lower(): row
            for row in self._connection.execute(
                sa.text("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')")
            )
        }
        table = tables.get(name.table.lower())
        if table is None:
            raise UsageError(f"The database has no table {name.table}.{nearest(name.table, tables)}")
        if table.type != "table":
            raise UsageError(f"{name.table} is no table; name the table that holds the rows.")
        found: str = table.name
        return found

    def _rowid(self, table: str, columns: Iterable[str]) -> str | None:
        """Return the name under which the table has a rowid; None if it has none, and a primary key instead."""
        name = next((name for name in _ROWID_NAMES if name not in columns), None)
        if name is None:
            return None
        probe: sa.Select[Any] = sa.select(sa.literal_column(name)).select_from(sa.table(quoted(table))).limit(0)
        try:
            self._connection.execute(probe)
        except DBAPIError as exc:
            if is_contention(exc):
                raise
            return None
        return name

    def finish(self, *, vacuum: bool) -> bool:
        """Rewrite the file if `vacuum`, and empty the write-ahead log; False if another session keeps that from us."""
        connection = self._connection.connection.driver_connection
        if connection is None:
            raise RuntimeError("the connection was closed")
        if vacuum:
            connection.execute("VACUUM")
        is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy


class SqliteCells(Cells):
    """Cells of an SQLite table, read in the order of rowid or primary key; values may be of any type."""

    def read(self, position: tuple[Any, ...] | None) -> tuple[list[Cell], tuple[Any, ...] | None]:
        """Read the rows after the key `position`."""
        query = sa.select(*self._finders, self._column).where(self._selected)
        query = query.order_by(*self._finders).limit(BATCH_ROWS)
        if position is not None:
            query = query.where(sa.tuple_(*self._finders) > sa.tuple_(*position))
        cells = self._fetch(query)
        return cells, cells[-1].row if len(cells) == BATCH_ROWS else None

    def swap(self, swaps: Sequence[Swap]) -> set[tuple[Any, ...]]:
        """Replace cells one by one; there is no way to a server between."""
        names = [f"row{number}" for number, _ in enumerate(self._finders)]
        statement = (
            sa.update(self._table)
            .values({self._column: sa.bindparam("new")})
            .where(
                *(finder == sa.bindparam(name) for finder, name in zip(self._finders, names, strict=True)),
                self._column.collate("BINARY") == sa.bindparam("old"),
            )
        )
        swapped = set()
        for swap in swaps:
            values = dict(zip(names, swap.cell.row, strict=True)) | {"old": swap.cell.value, "new": swap.new}
            if self._connection.execute(statement, values).rowcount:
                swapped.add(swap.cell.row)
        return swapped
