"""Another application's PostgreSQL database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import UserDefinedType

from app.core.exceptions import UsageError, ValidationError
from app.db.connect import Connector
from app.db.settings import settings_from_body
from app.services.legacy.cells import BATCH_ROWS, Cell, Cells, ForeignDatabase
from app.services.legacy.columns import check_column, column_clause, nearest, quoted, wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.services.legacy.cells import ColumnName, Swap

BATCH_PAGES: Final = 4
"""Pages of 8 KiB a batch, in tables without a primary key."""
LOCK_TIMEOUT: Final = "2s"
"""Rows of the batch that are locked already keep the application waiting meanwhile."""
_TEXT_TYPES: Final = frozenset({"text", "varchar", "citext"})
_JSON_TYPES: Final = frozenset({"json", "jsonb"})


def postgres_engine(url: str, *, writable: bool) -> sa.Engine:
    """Make an engine of one connection, whose transactions wait for nobody long.

    Raises:
        UsageError: the URL is incomplete.
    """
    try:
        settings = settings_from_body({"dsn": url})
    except ValidationError:
        raise UsageError(
            "The database URL is not complete: write it as postgresql://user:password@host:5432/database"
            " or sqlite:///path."
        ) from None
    engine = sa.create_engine(
        sa.URL.create("postgresql+psycopg2"),
        creator=Connector(settings).open,
        poolclass=StaticPool,
        use_native_hstore=False,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # row security: an error is better than rows that stay unseen, and in plaintext
        connection.exec_driver_sql(
            f"SET TRANSACTION ISOLATION LEVEL READ COMMITTED, {'READ WRITE' if writable else 'READ ONLY'};"
            f" SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL statement_timeout = 0; SET LOCAL row_security = off"
        )

    return engine


_TABLE: Final = sa.text("""
    SELECT c.oid, c.relkind::text AS kind, n.nspname AS schema, c.relname AS name,
           EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) AS has_children
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass(:name)
""")
_TABLES: Final = sa.text("""
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid) AND relnamespace <> 'pg_catalog'::regnamespace
""")
_COLUMNS: Final = sa.text("""
    SELECT a.attname AS name, base.typname AS base_type, format_type(a.atttypid, a.atttypmod) AS type,
           coalesce(nullif(a.atttypmod, -1), t.typtypmod) - 4 AS max_length,
           a.attgenerated <> '' AS is_generated,
           coalesce(array_position(i.indkey::int2[], a.attnum) < i.indnkeyatts, false) AS is_key
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type base ON base.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
    LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
    WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY array_position(i.indkey::int2[], a.attnum), a.attnum
""")
"""Columns of a table, those of the primary key first and in its order.

`indkey` counts from 0, and ends with columns that the index merely includes. A type modifier is the length plus 4.
"""
_TRANSACTION: Final = sa.text("SELECT txid_current() % 4294967296")
"""The present transaction's id, in the 32 bits that a row version carries as `xmin`."""
_PAGES: Final = sa.text("SELECT pg_relation_size(:oid) / current_setting('block_size')::int")


class PostgresForeign(ForeignDatabase):
    """A PostgreSQL database."""

    dialect = "postgresql"

    def cells(self, name: ColumnName) -> Cells:
        """Find a column; names are taken as they stand, without folding their case."""
        table = self._table(name)
        columns = {row.name: row for row in self._connection.execute(_COLUMNS, {"oid": table.oid})}
        column, _ = wanted(name, columns)
        if column.base_type not in _TEXT_TYPES | _JSON_TYPES:
            raise UsageError(
                f"{name.table}.{name.column} is of type {column.type};"
                " encrypted values need text, varchar, json or jsonb."
            )
        check_column(name, is_generated=column.is_generated, is_key=column.is_key)
        clause = sa.table(
            quoted(table.name),
            *map(column_clause, columns),
            sa.column("ctid"),
            sa.column("xmin"),
            schema=quoted(table.schema),
        )
        key = {row.name: row.type for row in columns.values() if row.is_key}
        if key:
            return KeyedPostgresCells(self._connection, name, clause, column, key)
        if table.kind == "p" or table.has_children:
            raise UsageError(f"The table {name.table} has partitions but no primary key; name its partitions instead.")
        return PagedPostgresCells(self._connection, name, clause, column, table.oid)

    def _table(self, name: ColumnName) -> Any:
        parts = [part for part in (name.schema, name.table) if part is not None]
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in parts)
        table = self._connection.execute(_TABLE, {"name": quoted}).one_or_none()
        if table is None:
            hint = "" if name.schema else nearest(name.table, self._connection.scalars(_TABLES))
            raise UsageError(f"The database has no table {'.'.join(parts)}.{hint}")
        if table.kind not in ("r", "p"):
            raise UsageError(f"{'.'.join(parts)} is no table; name the table that holds the rows.")
        return table


class _Named(UserDefinedType[str]):
    """A PostgreSQL type by its SQL name, for casts from text."""

    cache_ok = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **_: Any) -> str:
        """Return the name."""
        return self.spec


def _texts(values: Iterable[str]) -> sa.ColumnElement[Any]:
    """Return an array parameter: one statement serves batches of any size."""
    return sa.cast(list(values), sa.ARRAY(sa.Text))


class _PostgresCells(Cells):
    """Cells whose values travel as text, in the form that PostgreSQL reads again."""

    def __init__(
        self,
        connection: sa.Connection,
        name: ColumnName,
        table: sa.TableClause,
        column: Any,
        finders: dict[str, str],
    ) -> None:
        is_limited = column.base_type == "varchar" and column.max_length > 0
        super().__init__(
            connection,
            name,
            table,
            list(finders),
            is_json=column.base_type in _JSON_TYPES,
            max_length=column.max_length if is_limited else None,
        )
        self._type = _Named(column.type)
        self._finder_types = [_Named(type_name) for type_name in finders.values()]
        self._text = sa.cast(self._column, sa.Text).collate("C")
        self._version = sa.cast(table.c.xmin, sa.Text)
        self._region: tuple[sa.ColumnElement[bool], ...] = ()
        """Where the cells of the batch are: keeps the planner from reading the whole table for each."""

    def _select(self) -> sa.Select[Any]:
        columns: list[sa.ColumnElement[Any]] = [sa.cast(finder, sa.Text) for finder in self._finders]
        return sa.select(*columns, self._text, self._version).where(self._selected)

    def _fetch(self, query: sa.Select[Any]) -> list[Cell]:
        return [Cell(tuple(row), value, version) for *row, value, version in self._connection.execute(query)]

    def swap(self, swaps: Sequence[Swap]) -> set[tuple[Any, ...]]:
        """Replace cells in one statement.

        That a row is as it was read is told by its version: comparing the content would send it to the server once
        more, and into the logs of those that write statements down.
        """
        if not swaps:
            return set()
        names = [f"row{number}" for number, _ in enumerate(self._finders)]
        rows = zip(*(swap.cell.row for swap in swaps), strict=True)
        given = sa.func.unnest(
            *(_texts(row) for row in rows),
            _texts(swap.cell.version for swap in swaps),
            _texts(swap.new for swap in swaps),
        ).table_valued(*names, "version", "new")
        given = given.render_derived(name="swap")
        row_columns = [given.c[name] for name in names]
        # an assignment refuses what is too long for the column; a cast would cut it off
        new = sa.cast(given.c.new, self._type) if self.is_json else given.c.new
        statement = (
            sa.update(self._table)
            .values({self._column: new})
            .where(
                *(
                    finder == sa.cast(row, type_)
                    for finder, row, type_ in zip(self._finders, row_columns, self._finder_types, strict=True)
                ),
                self._version == given.c.version,
                *self._region,
            )
            .returning(*row_columns)
        )
        return {tuple(row) for row in self._connection.execute(statement)}


class KeyedPostgresCells(_PostgresCells):
    """Cells of a table with a primary key, read in its order."""

    def read(self, position: tuple[str, ...] | None) -> tuple[list[Cell], tuple[str, ...] | None]:
        """Read the rows after the key `position`."""
        query = self._select().order_by(*self._finders).limit(BATCH_ROWS)
        if position is not None:
            query = query.where(sa.tuple_(*self._finders) > self._key(position))
        cells = self._fetch(query)
        if cells:
            key = sa.tuple_(*self._finders)
            self._region = (key >= self._key(cells[0].row), key <= self._key(cells[-1].row))
        return cells, cells[-1].row if len(cells) == BATCH_ROWS else None

    def _key(self, row: tuple[str, ...]) -> sa.Tuple:
        return sa.tuple_(*(sa.cast(text, type_) for text, type_ in zip(row, self._finder_types, strict=True)))


class PagedPostgresCells(_PostgresCells):
    """Cells of a table without a primary key, read page by page; a row is where it lies.

    A row that is changed moves. One that this object itself has changed is not shown again, wherever it went; one that
    another session changes may go to a page that was read before: callers read again until they find nothing new.
    """

    def __init__(
        self, connection: sa.Connection, name: ColumnName, table: sa.TableClause, column: Any, oid: int
    ) -> None:
        super().__init__(connection, name, table, column, {"ctid": "tid"})
        self._oid = oid
        self._pages = 0
        self._own: set[str] = set()
        """Ids of our own transactions, as the row versions that they made carry them."""

    def read(self, position: int | None) -> tuple[list[Cell], int | None]:
        """Read the rows on the pages from number `position` on."""
        if position is None:
            self._pages = int(self._connection.scalar(_PAGES, {"oid": self._oid}) or 0)
        first = position or 0
        after = first + BATCH_PAGES
        tid, (ctid,) = self._finder_types[0], self._finders
        self._region = (ctid >= sa.cast(f"({first},0)", tid), ctid < sa.cast(f"({after},0)", tid))
        cells = [cell for cell in self._fetch(self._select().where(*self._region)) if cell.version not in self._own]
        return cells, after if after < self._pages else None

    def swap(self, swaps: Sequence[Swap]) -> set[tuple[Any, ...]]:
        """Replace cells in one statement, and remember by what transaction."""
        swapped = super().swap(swaps)
        if swapped:
            self._own.add(str(self._connection.scalar(_TRANSACTION)))
        return swapped
