"""Databases for one test each, and sidecars that stand ready on one."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from psycopg2 import sql

from tests.support import migrated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.support.postgres import ConnectionFields, PostgresServer
    from tests.support.sidecar import Sidecar

SQLITE_MAGIC = b"SQLite format 3\0"
KEPT_TABLES = frozenset(
    {
        "alembic_version",
        "vaults",
        "vault_keys",
        "vault_wraps",
        "vault_manifest",
        "vault_devices",
        "vault_device_wraps",
        "vault_successions",
        "audit_entries",
    }
)
"""Tables that stay filled between tests which share a sidecar: it has keys and heads of theirs in memory or files."""


@dataclass(frozen=True, slots=True)
class Database:
    """A PostgreSQL database of its own and its owner, a role with an ordinary user's rights."""

    server: PostgresServer
    name: str
    username: str
    password: str = field(repr=False)

    def fields(self, *, host: str = "127.0.0.1") -> ConnectionFields:
        """The settings a team lead would type."""
        return self.server.dsn_fields(database=self.name, username=self.username, password=self.password, host=host)

    @property
    def url(self) -> str:
        """The same as a URL; owner, password and name made by `fresh_database` need no escaping."""
        return f"postgresql://{self.username}:{self.password}@127.0.0.1:{self.server.port}/{self.name}"

    def execute(self, statement: str | sql.Composable, parameters: tuple[Any, ...] = ()) -> None:
        """Run a statement as superuser."""
        self.server.execute(statement, parameters, dbname=self.name)

    def query(self, statement: str | sql.Composable, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a query as superuser and return its rows."""
        return self.server.query(statement, parameters, dbname=self.name)

    def sessions(self) -> int:
        """Count the sidecars' sessions in it."""
        return self.server.sessions(database=self.name)

    def tables(self) -> list[str]:
        """The names of the tables in the schema `public`."""
        rows = self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        return [row[0] for row in rows]

    def empty(self, tables: Iterable[str]) -> None:
        """Delete all rows of those tables, in one transaction, whatever refers to them, and unnoticed by triggers."""
        deletions = [sql.SQL("DELETE FROM {};").format(sql.Identifier(table)) for table in tables]
        self.execute(
            sql.SQL("SET session_replication_role = replica; BEGIN; {} COMMIT").format(sql.SQL("").join(deletions))
        )


@contextlib.contextmanager
def fresh_database(server: PostgresServer, *, with_tables: bool = False) -> Iterator[Database]:
    """Provide an empty database and an owner of its own; both are dropped at the end, whoever is connected.

    Args:
        server: where.
        with_tables: with the product's tables, as its migrations leave them; a sidecar is ready on it much sooner.
    """
    name = f"taskflow_{secrets.token_hex(4)}"
    database = Database(server=server, name=name, username=f"{name}_owner", password=secrets.token_hex(16))
    server.create_role(database.username, database.password)
    if with_tables:
        migrated.create_database(server, database.name, owner=database.username)
    else:
        server.create_database(database.name, owner=database.username)
    try:
        yield database
    finally:
        # A test may leave its cluster dead; then the whole cluster goes soon.
        if server.is_running:
            server.drop_database(database.name)
            server.drop_role(database.username)


@dataclass(frozen=True, slots=True)
class SqliteDatabase:
    """The embedded database of a sidecar, looked at from outside."""

    data_dir: Path

    @property
    def file(self) -> Path:
        """The database's file.

        Raises:
            LookupError: there is none, or more than one.
        """
        files = [path for path in self.data_dir.iterdir() if path.is_file() and _is_sqlite(path)]
        if len(files) != 1:
            raise LookupError(f"expected one SQLite file in {self.data_dir}: {files}")
        return files[0]

    def execute(self, statement: str, parameters: tuple[Any, ...] = ()) -> None:
        """Run a statement, foreign keys unchecked, and commit."""
        with self._connect() as connection, connection:
            connection.execute(statement, parameters)

    def query(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""
        with self._connect() as connection:
            return connection.execute(statement, parameters).fetchall()

    def tables(self) -> list[str]:
        """The names of its tables, without those that make up a full-text index."""
        rows = self.query(
            r"SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
        )
        return sorted(row[0] for row in rows)

    def empty(self, tables: Iterable[str]) -> None:
        """Delete all rows of those tables, in one transaction, whatever refers to them."""
        with self._connect() as connection, connection:
            for table in tables:
                quoted = table.replace('"', '""')
                connection.execute(f'DELETE FROM "{quoted}"')

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self.file, timeout=10)) as connection:
            yield connection


class Contents(Protocol):
    """What both kinds of database can be asked, in SQL that both understand."""

    def execute(self, statement: str) -> None:
        """Run a statement and commit."""

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""

    def tables(self) -> list[str]:
        """The names of the tables."""

    def empty(self, tables: Iterable[str]) -> None:
        """Delete all rows of those tables."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A ready sidecar and the database behind it."""

    name: str
    """`sqlite` or `postgresql`."""
    sidecar: Sidecar
    database: Contents

    def clear(self) -> None:
        """Empty every table but those in `KEPT_TABLES`, behind the sidecar's back."""
        self.database.empty([table for table in self.database.tables() if table not in KEPT_TABLES])


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
