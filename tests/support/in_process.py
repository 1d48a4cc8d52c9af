"""The product's own `Database` inside the test process: the tables, without a sidecar around them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

import app.models
from app.core.readiness import Readiness
from app.db.base import metadata
from app.db.session import Database, OpenDatabase, open_postgresql, open_sqlite
from app.db.settings import settings_from_body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TABLES = app.models.__all__
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


@contextlib.contextmanager
def _with_tables(opened: OpenDatabase) -> Iterator[InProcess]:
    with opened.writer.begin() as connection:
        metadata.create_all(connection)
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
