"""A PostgreSQL that others make: where the tests run in a Windows Python, Linux's, reached by TCP.

`python -m tests.support.remote_postgres` serves one: it prints where it is, and stops it when its standard input ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import psycopg2

from tests.support.network import LOOPBACK
from tests.support.postgres import SUPERUSER, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE: Final = "TASKFLOW_TESTS_POSTGRES"
"""Tells the tests of that server: its port, its superuser's password and its log file, as JSON."""


class RemotePostgres(PostgresServer):
    """That server; whoever made it starts it, stops it and keeps its settings."""

    def __init__(self, told: str) -> None:
        super().__init__(Path())
        place: dict[str, Any] = json.loads(told)
        self.port = place["port"]
        self.superuser_password = place["password"]
        self._log = Path(place["log"])

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        """Leave it as it is."""

    @property
    def is_running(self) -> bool:
        """It outlives the tests."""
        return True

    def log_text(self) -> str:
        """The server's log so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @contextlib.contextmanager
    def connect(self, dbname: str = SUPERUSER) -> Iterator[Any]:
        """Provide a superuser's psycopg2 connection in autocommit mode, closed at the end of the block."""
        connection = psycopg2.connect(
            host=LOOPBACK,
            port=self.port,
            user=SUPERUSER,
            password=self.superuser_password,
            dbname=dbname,
            application_name="tests",
            connect_timeout=10,
        )
        with contextlib.closing(connection):
            connection.autocommit = True
            yield connection


def postgres_server() -> PostgresServer:
    """Return the server that the variable tells of; else one of the tests' own."""
    told = os.environ.get(VARIABLE)
    return RemotePostgres(told) if told else PostgresServer()


def main() -> None:
    """Serve until the end of standard input."""
    with PostgresServer() as server:
        log = server.socket_directory / "server.log"
        print(json.dumps({"port": server.port, "password": server.superuser_password, "log": str(log)}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
