"""Another application's database, as `vault encrypt-legacy` meets it: its schema, its secrets, whole dumps of it."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import psycopg2

from tests.support.canaries import CANARIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pytest

    from tests.support.databases import Database

Dump = dict[str, list[tuple[Any, ...]]]

CAMERAS = "cameras.password"
SETTINGS = "system_settings.value[key=smtp_password|api_token]"
HEADERS = "alert_rules.actions:$.webhook.headers.*"
TOKENS = 'memberships.profile:$.devices[*]["push.token"]'
LOGINS = "door_codes.code"
SPECS = (CAMERAS, SETTINGS, HEADERS, TOKENS, LOGINS)

_TABLES = {
    "cameras": "id {serial}, name text NOT NULL, password varchar(2000)",
    "system_settings": "key varchar(80) PRIMARY KEY, value text",
    "alert_rules": "id text PRIMARY KEY, enabled boolean NOT NULL, actions {jsonb}",
    "memberships": "team text NOT NULL, login text NOT NULL, profile {json}, PRIMARY KEY (team, login)",
    "door_codes": "door text, code text",
}
_TYPES = {
    "sqlite": {"serial": "integer PRIMARY KEY", "jsonb": "JSON", "json": "text"},
    "postgresql": {"serial": "serial PRIMARY KEY", "jsonb": "jsonb", "json": "json"},
}
_TOKEN = r"encrypted:[A-Za-z0-9_-]{90,}={0,2}"
SECRETS = tuple(CANARIES.values())


class OtherApplication(ABC):
    """The database of an application that keeps its secrets in plaintext, seen with the application's eyes."""

    dialect: str
    url: str

    @abstractmethod
    def connect(self) -> contextlib.AbstractContextManager[Any]:
        """Provide a connection in autocommit mode."""

    def session(self) -> contextlib.AbstractContextManager[Any]:
        """Provide the connection of single statements."""
        return self.connect()

    def create(self, *, copies: int = 1) -> None:
        """Create the tables, and fill each with every secret `copies` times, with empty ones and with other things."""
        types = _TYPES[self.dialect]
        without_rowid = " WITHOUT ROWID" if self.dialect == "sqlite" else ""
        for table, columns in _TABLES.items():
            suffix = without_rowid if table == "memberships" else ""
            self.execute(f"CREATE TABLE {table} ({columns.format(**types)}){suffix}")
        self.fill(copies=copies)

    def fill(self, *, copies: int = 1) -> None:
        """Empty the tables and fill them anew, in one transaction."""
        secrets = SECRETS * copies
        cameras = [(number, f"camera {number}", secret) for number, secret in enumerate((*secrets, "", None), start=1)]
        rules = [(f"rule-{number}", True, json.dumps(_actions(secret))) for number, secret in enumerate(secrets)]
        content: dict[str, list[tuple[Any, ...]]] = {
            "cameras": cameras,
            "system_settings": [
                *(("smtp_password", SECRETS[0]), ("api_token", SECRETS[1])),
                *(("theme", "dark"), ("language", "")),
            ],
            "alert_rules": [*rules, ("rule-empty", False, None), ("rule-other", True, '{"sound": "bell"}')],
            "memberships": [(f"team {n % 3}", f"login {n}", _profile(secret)) for n, secret in enumerate(secrets)],
            "door_codes": [(f"door {number}", secret) for number, secret in enumerate(secrets)],
        }
        with self.session() as connection:
            cursor = connection.cursor()
            cursor.execute("BEGIN")
            for table, rows in content.items():
                cursor.execute(f"DELETE FROM {table}")
                self._insert(cursor, table, rows)
            cursor.execute("COMMIT")

    def insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert whole rows, in one transaction."""
        with self.session() as connection:
            cursor = connection.cursor()
            cursor.execute("BEGIN")
            self._insert(cursor, table, rows)
            cursor.execute("COMMIT")

    def _insert(self, cursor: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        marks = ", ".join(["?" if self.dialect == "sqlite" else "%s"] * len(rows[0]))
        cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def execute(self, statement: str, parameters: tuple[Any, ...] = ()) -> int:
        """Run a statement with `?` for parameters; return how many rows it changed."""
        with self.session() as connection:
            cursor = connection.cursor()
            self.run(cursor, statement, parameters)
            return int(cursor.rowcount)

    def query(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a query with `?` for parameters and return its rows."""
        with self.session() as connection:
            cursor = connection.cursor()
            self.run(cursor, statement, parameters)
            return [tuple(row) for row in cursor.fetchall()]

    def run(self, cursor: Any, statement: str, parameters: tuple[Any, ...] = ()) -> None:
        """Run a statement with `?` for parameters on a cursor of `connect`."""
        if parameters:
            cursor.execute(statement if self.dialect == "sqlite" else statement.replace("?", "%s"), parameters)
        else:  # psycopg2 then leaves percent signs alone
            cursor.execute(statement)

    def dump(self) -> Dump:
        """All rows of all tables, by table, in the order of their text; JSON as the text that is stored."""
        return {table: self.rows(table) for table in _TABLES}

    def opened(self, dump: Dump, decrypt: Callable[[str], str]) -> Dump:
        """Put the plaintext back into a dump, wherever an ``encrypted:`` value is."""

        def open_cell(table: str, cell: Any) -> Any:
            if not isinstance(cell, str):
                return cell
            if re.fullmatch(_TOKEN, cell):
                return decrypt(cell)
            # jsonb shows characters as they are; all other JSON here was written with escapes
            is_escaped = _TYPES[self.dialect]["jsonb"] != "jsonb" or table != "alert_rules"
            return re.sub(_TOKEN, lambda found: json.dumps(decrypt(found[0]), ensure_ascii=is_escaped)[1:-1], cell)

        return {
            table: sorted((tuple(open_cell(table, cell) for cell in row) for row in rows), key=repr)
            for table, rows in dump.items()
        }

    @abstractmethod
    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows of a table, as text."""


class SqliteApplication(OtherApplication):
    """An application that keeps an SQLite file."""

    dialect = "sqlite"

    def __init__(self, file: Path) -> None:
        self.file = file
        self.url = f"sqlite:///{file}"

    @contextlib.contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """Provide a connection; writers wait for each other."""
        with contextlib.closing(sqlite3.connect(self.file, timeout=30, isolation_level=None)) as connection:
            yield connection

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows of a table."""
        return sorted(self.query(f"SELECT * FROM {table}"), key=repr)

    def raw_bytes(self) -> bytes:
        """What the file and its companions hold, deleted remains included."""
        return b"".join(path.read_bytes() for path in sorted(self.file.parent.glob(f"{self.file.name}*")))


class PostgresApplication(OtherApplication):
    """An application that keeps a PostgreSQL database, whose owner it is."""

    dialect = "postgresql"

    def __init__(self, database: Database) -> None:
        self.database = database
        self.url = database.url
        self._kept: Any = None

    @contextlib.contextmanager
    def connect(self) -> Iterator[Any]:
        """Provide a connection of the application's own role."""
        connection = psycopg2.connect(self.url, application_name="other application")
        with contextlib.closing(connection):
            connection.autocommit = True
            yield connection

    def session(self) -> contextlib.AbstractContextManager[Any]:
        """Provide one connection for all statements: logging in takes longer than they do."""
        if self._kept is None:
            self._kept = psycopg2.connect(self.url, application_name="other application")
            self._kept.autocommit = True
        return contextlib.nullcontext(self._kept)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows of a table, columns as text."""
        names = [
            row[0]
            for row in self.query(
                "SELECT attname FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 ORDER BY attnum", (table,)
            )
        ]
        columns = ", ".join(f"{name}::text" for name in names)
        return sorted(self.query(f"SELECT {columns} FROM {table}"), key=repr)


def make_application(request: pytest.FixtureRequest, directory: Path, dialect: str) -> OtherApplication:
    """Make an application with empty tables, in a file below `directory` or in the fixture `database`."""
    if dialect == "sqlite":
        return SqliteApplication(directory / "other application.db")
    return PostgresApplication(request.getfixturevalue("database"))


def count_tokens(dump: Dump) -> int:
    """Count the ``encrypted:`` values in a dump."""
    return len(re.findall(_TOKEN, repr(dump)))


def _actions(secret: str) -> dict[str, Any]:
    headers = {"Authorization": secret, "X-Empty": "", "X-Retries": 3, "x.dotted": f"second {secret}"}
    return {"webhook": {"url": "https://hooks.example/a?b=c", "headers": headers}, "delays": [1.5, 2, 1e3]}


def _profile(secret: str) -> str:
    """JSON as somebody wrote it by hand: blanks, an escaped slash, a number that no float holds."""
    devices = [{"push.token": secret, "model": "phone"}, {"push.token": None}, {"model": "tablet"}]
    return f'{{ "links": "a\\/b" ,"big": 12345678901234567890.10,\n  "devices": {json.dumps(devices)} }}'
