"""Another application's database: the cells of its columns, read in batches and replaced by compare-and-swap.

Nothing is known of its schema beforehand, it is in use meanwhile, and it is not ours: no setting of it is changed,
nothing but the named cells is written, and a cell only while it still holds what was read.
"""

from __future__ import annotations

import contextlib
import difflib
import re
import sqlite3
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import UserDefinedType

from app.core.exceptions import ProblemError, UsageError, ValidationError
from app.core.problems import Problem, problem
from app.db.connect import Connector
from app.db.settings import settings_from_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

BATCH_ROWS: Final = 200
BATCH_PAGES: Final = 4
"""Pages of 8 KiB a batch, in PostgreSQL tables without a primary key."""
LOCK_TIMEOUT: Final = "2s"
"""Rows of the batch that are locked already keep the application waiting meanwhile."""
SQLITE_BUSY_TIMEOUT_MS: Final = 5_000

_SQLITE_URL: Final = re.compile(r"(?i)\Asqlite(?:\+\w+)?:///(?P<path>[^?]+)")
_TEXT_TYPES: Final = frozenset({"text", "varchar", "citext"})
_JSON_TYPES: Final = frozenset({"json", "jsonb"})
_CONTENTION: Final = frozenset({"40001", "40P01", "55P03", "57014"})
"""Serialisation failure, deadlock, lock not available, query cancelled."""


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A column as a person names it, and which rows of a key-value table are meant."""

    schema: str | None
    table: str
    column: str
    key_column: str | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """What one row holds in a column."""

    row: tuple[Any, ...] = field(repr=False)
    """What finds the row again."""
    value: Any = field(repr=False)
    version: str = ""
    """On PostgreSQL the id of the transaction that wrote the row as it was read."""


@dataclass(frozen=True, slots=True)
class Swap:
    """A cell's old content and the one to put in its place."""

    cell: Cell
    new: str = field(repr=False)


class Cells(ABC):
    """The cells of one column, of all rows or of those that the name selects.

    Args:
        connection: inside a transaction whenever a method is called.
        name: the column, and the rows that are meant.
        table: the table and its columns, as they are called in the database.
        finders: the columns that find a row again.
        is_json: whether the column's type is JSON.
        max_length: characters that the column takes; None for any number.
    """

    def __init__(
        self,
        connection: sa.Connection,
        name: ColumnName,
        table: sa.TableClause,
        finders: Sequence[str],
        *,
        is_json: bool,
        max_length: int | None = None,
    ) -> None:
        self.name = name
        self.is_json = is_json
        self.max_length = max_length
        self._connection = connection
        self._table = table
        self._column = table.c[name.column]
        self._finders = [table.c[finder] for finder in finders]
        self._key_text: sa.ColumnElement[str] | None = None
        self._selected: sa.ColumnElement[bool] = sa.true()
        if name.key_column is not None:
            self._key_text = sa.cast(table.c[name.key_column], sa.Text)
            self._selected = self._key_text.in_(name.keys)

    @property
    def table(self) -> str:
        """The table's name, quoted for SQL."""
        quote = self._connection.dialect.identifier_preparer.format_table
        return str(quote(self._table))

    def count(self) -> int:
        """Count the rows."""
        query = sa.select(sa.func.count()).select_from(self._table).where(self._selected)
        return int(self._connection.scalar(query) or 0)

    def missing_keys(self) -> list[str]:
        """Return the keys, of those that the name selects, that no row has."""
        if self._key_text is None:
            return []
        found = set(self._connection.scalars(sa.select(self._key_text).where(self._selected).distinct()))
        return [key for key in self.name.keys if key not in found]

    @abstractmethod
    def read(self, position: Any) -> tuple[list[Cell], Any]:
        """Read a batch.

        Args:
            position: None at first, then what the last call returned.

        Returns:
            Some cells, perhaps none, and the position to go on from; None when there is nothing more.
        """

    @abstractmethod
    def swap(self, swaps: Sequence[Swap]) -> set[tuple[Any, ...]]:
        """Replace cells that still hold what was read; return the `row` of those that did."""

    def _fetch(self, query: sa.Select[Any]) -> list[Cell]:
        return [Cell(tuple(row[:-1]), row[-1]) for row in self._connection.execute(query)]


class ForeignDatabase(ABC):
    """One connection to another application's database."""

    dialect: str

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, or none of it."""
        with self._connection.begin():
            yield

    @abstractmethod
    def cells(self, name: ColumnName) -> Cells:
        """Find a column.

        Raises:
            UsageError: there is no such table or column, or encrypted text cannot be put there.
        """

    def finish(self, *, vacuum: bool) -> bool:
        """Do what can be done against traces of old values; return whether none is left in the database's files."""
        return False


@contextlib.contextmanager
def open_foreign(url: str, *, writable: bool) -> Iterator[ForeignDatabase]:
    """Open the database behind a `postgresql://` or `sqlite:///` URL.

    Args:
        url: how to reach it; may hold a password.
        writable: without it the database itself refuses every change.

    Raises:
        UsageError: the URL is incomplete.
        ProblemError: the database cannot be reached.
    """
    file = _SQLITE_URL.match(url)
    if file is not None:
        engine = _sqlite_engine(Path(file["path"]).absolute(), writable=writable)
    else:
        engine = _postgres_engine(url, writable=writable)
    try:
        with problems_of_foreign("the database"), engine.connect() as connection:
            yield PostgresForeign(connection) if file is None else SqliteForeign(connection)
    finally:
        engine.dispose()


@contextlib.contextmanager
def problems_of_foreign(what: str) -> Iterator[None]:
    """Turn a driver's error inside the block into a problem that names `what`.

    Driver texts may quote whole rows, so none of them is passed on.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as exc:
        found = _problem_of(exc, what)
    except UnicodeError:
        found = _failed(f"Some text in {what} is not valid Unicode.", "Repair it; rows before it are done.")
    else:
        return
    raise ProblemError(found)


def is_contention(error: BaseException) -> bool:
    """Tell whether the same batch may succeed in a moment."""
    state, name = _codes(error)
    return state in _CONTENTION or name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _codes(error: BaseException) -> tuple[str, str]:
    """Return PostgreSQL's SQLSTATE and SQLite's name of a driver's error, empty where there is none."""
    original = getattr(error, "orig", None) or error
    return getattr(original, "pgcode", None) or "", getattr(original, "sqlite_errorname", None) or ""


_AGAIN: Final = "Run the command again; it goes on where it stopped."


def _problem_of(exc: DBAPIError | sqlite3.Error, what: str) -> Problem:
    state, name = _codes(exc)
    if is_contention(exc):
        return _failed(f"Another session keeps {what} locked.", _AGAIN)
    if state[:2] in ("08", "57") or getattr(exc, "connection_invalidated", False):
        return problem("connection-lost", "The connection to the database was lost.", _AGAIN, retryable=False)
    if state in ("42501", "25006") or name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return problem(
            "permission-denied",
            f"The database user may not read or change {what}.",
            "Use a user who may SELECT and UPDATE all of its rows.",
        )
    if state == "22001":
        return _failed(f"An encrypted value is too long for {what}.", "Widen the column, and run the command again.")
    if state[:2] in ("23", "44") or name.startswith("SQLITE_CONSTRAINT"):
        return _failed(
            f"A constraint or trigger does not let an encrypted value into {what}.",
            "Drop or loosen it, and run the command again.",
        )
    if name.startswith("SQLITE_CANTOPEN"):
        return _failed("The SQLite file does not exist, or cannot be opened.", "Check its path and rights.")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return _failed("The file is no SQLite database, is damaged, or is encrypted.", "Check its path.")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return _failed("The SQLite file could not be written.", f"Check free disk space. {_AGAIN}")
    return _failed(
        f"The database refused a statement on {what} ({state or name or 'no code'}).",
        "What was done before is kept. Show this message to the database administrator.",
    )


def _failed(message: str, remedy: str) -> Problem:
    return problem("connection-failed", message, remedy)


def _quoted(name: str) -> sa.quoted_name:
    return sa.quoted_name(name, quote=True)


def _column(name: str) -> sa.ColumnClause[Any]:
    return sa.column(_quoted(name))


def _wanted(name: ColumnName, columns: dict[str, Any], folded: Callable[[str], str] = str) -> tuple[Any, Any]:
    """Return what is known of the column and, if rows are selected, of the key column."""
    found = []
    for wanted in (name.column, name.key_column):
        if wanted is not None and folded(wanted) not in columns:
            raise UsageError(f"The table {name.table} has no column {wanted}.{_nearest(wanted, columns)}")
        found.append(None if wanted is None else columns[folded(wanted)])
    if found[0] is found[1]:
        raise UsageError(f"{name.table}.{name.column} cannot select rows: it is the column to encrypt.")
    return found[0], found[1]


def _check_column(name: ColumnName, *, is_generated: bool, is_key: bool) -> None:
    if is_generated:
        raise UsageError(f"{name.table}.{name.column} is a generated column; name the column that it is made from.")
    if is_key:
        raise UsageError(f"{name.table}.{name.column} is part of the primary key and cannot be encrypted.")


def _nearest(name: str, others: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(others), n=1, cutoff=0.5)
    return f" Did you mean {near[0]}?" if near else ""


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def _postgres_engine(url: str, *, writable: bool) -> sa.Engine:
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
        column, _ = _wanted(name, columns)
        if column.base_type not in _TEXT_TYPES | _JSON_TYPES:
            raise UsageError(
                f"{name.table}.{name.column} is of type {column.type};"
                " encrypted values need text, varchar, json or jsonb."
            )
        _check_column(name, is_generated=column.is_generated, is_key=column.is_key)
        clause = sa.table(
            _quoted(table.name),
            *map(_column, columns),
            sa.column("ctid"),
            sa.column("xmin"),
            schema=_quoted(table.schema),
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
            hint = "" if name.schema else _nearest(name.table, self._connection.scalars(_TABLES))
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


# --- SQLite ----------------------------------------------------------------------------------------------------------


def _sqlite_engine(path: Path, *, writable: bool) -> sa.Engine:
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
        column, key_column = _wanted(name, columns, folded=str.lower)
        _check_column(name, is_generated=column.hidden in _IS_GENERATED, is_key=column.pk > 0)
        rowid = self._rowid(table, columns)
        key = [row.name for row in sorted(columns.values(), key=lambda row: row.pk) if row.pk]
        clause = sa.table(
            _quoted(table),
            *(_column(row.name) for row in columns.values()),
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
            raise UsageError(f"The database has no table {name.table}.{_nearest(name.table, tables)}")
        if table.type != "table":
            raise UsageError(f"{name.table} is no table; name the table that holds the rows.")
        found: str = table.name
        return found

    def _rowid(self, table: str, columns: Iterable[str]) -> str | None:
        """Return the name under which the table has a rowid; None if it has none, and a primary key instead."""
        name = next((name for name in _ROWID_NAMES if name not in columns), None)
        if name is None:
            return None
        probe: sa.Select[Any] = sa.select(sa.literal_column(name)).select_from(sa.table(_quoted(table))).limit(0)
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
