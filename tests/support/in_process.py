"""The product's own `Database` inside the test process: the tables, without a sidecar around them."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from psycopg2 import sql

import app.models.tables
from app.core.readiness import Readiness
from app.db.base import metadata
from app.db.session import Database, OpenDatabase, open_postgresql, open_sqlite
from app.db.settings import settings_from_body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support import databases

TABLES = app.models.tables.__all__
"""Importing the models is what fills the metadata."""


@dataclass(frozen=True, slots=True)
class InProcess:
    """A database that services can use, and a way around them."""

    database: Database
    opened: OpenDatabase

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.opened.engine.dialect.name

    def execute(self, *statements: str) -> None:
        """Run SQL behind the services' backs, in one transaction."""
        with self.opened.writer.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def query(self, statement: str) -> list[Any]:
        """Run a query and return its rows as tuples."""
        with self.opened.reader.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]


def on_sqlite(file: Path) -> contextlib.AbstractContextManager[InProcess]:
    """Provide a new SQLite database."""
    return _with_tables(open_sqlite(file))


def on_postgresql(fields: Mapping[str, Any]) -> contextlib.AbstractContextManager[InProcess]:
    """Provide an empty PostgreSQL database, reached by the settings a person would type."""
    opened, _ = open_postgresql(settings_from_body(dict(fields)))
    return _with_tables(opened)


def empty_on_sqlite(file: Path) -> contextlib.AbstractContextManager[InProcess]:
    """Provide a new SQLite database quickly: a copy of one that has the tables."""
    file.touch(mode=0o600)
    file.write_bytes(_sqlite_with_tables())
    return opened_store(open_sqlite(file))


def empty_on_postgresql(database: databases.Database) -> contextlib.AbstractContextManager[InProcess]:
    """Provide an emptied PostgreSQL database quickly: its tables stay, unless somebody has touched them."""
    shape = _shapes.get(database.name)
    if shape is None or shape != _shape(database):
        owner = sql.Identifier(database.username)
        database.execute(sql.SQL("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION {}").format(owner))
        with on_postgresql(database.fields()):
            _shapes[database.name] = _shape(database)
    else:
        database.empty(table.name for table in metadata.sorted_tables)
        database.query("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")
    opened, _ = open_postgresql(settings_from_body(dict(database.fields())))
    return opened_store(opened)


_shapes: dict[str, list[tuple[Any, ...]]] = {}
"""By the name of a database: what `_shape` said when its tables had just been made."""
_CATALOGS = ("pg_class", "pg_attribute", "pg_constraint", "pg_trigger", "pg_proc", "pg_namespace", "pg_event_trigger")
_SHAPE = " UNION ALL ".join(f"SELECT count(*), max(xmin::text::bigint) FROM {catalog}" for catalog in _CATALOGS)
_IS_BLOATED = (
    "SELECT sum(pg_relation_size(oid)) > 4194304 FROM pg_class"
    " WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
)


def _shape(database: databases.Database) -> list[tuple[Any, ...]]:
    """Return what changes with every definition and every right that is changed, or with very many rows."""
    return [*database.query(_SHAPE), *database.query(_IS_BLOATED)]


@functools.cache
def _sqlite_with_tables() -> bytes:
    with tempfile.TemporaryDirectory(prefix="taskflow-template-") as directory:
        file = Path(directory) / "taskflow.db"
        with on_sqlite(file):
            pass
        return file.read_bytes()


def _with_tables(opened: OpenDatabase) -> contextlib.AbstractContextManager[InProcess]:
    with opened.writer.begin() as connection:
        metadata.create_all(connection)
    return opened_store(opened)


@contextlib.contextmanager
def opened_store(opened: OpenDatabase) -> Iterator[InProcess]:
    """Provide a database that has its tables already."""
    readiness = Readiness()
    readiness.begin_run().ready(opened.description)
    database = Database(readiness)
    database.replace(opened)
    try:
        yield InProcess(database, opened)
    finally:
        database.cut_off()


def count_of(table: sa.Table[Any], in_process: InProcess) -> int:
    """Count the rows of a table."""
    with in_process.opened.reader.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
