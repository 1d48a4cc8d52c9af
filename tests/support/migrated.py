"""Databases that have the product's tables already: a start on one takes half of what a start on an empty one does."""

from __future__ import annotations

import functools
import secrets
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg2 import sql

from app.db.migrations import run_upgrade
from app.db.session import open_postgresql, open_sqlite
from app.db.settings import settings_from_body

if TYPE_CHECKING:
    from app.db.session import OpenDatabase
    from tests.support.postgres import PostgresServer


_making = threading.Lock()
"""Some tests start several sidecars at once, and a template is made once."""


@functools.cache
def sqlite_file() -> bytes:
    """Return an SQLite file at head, as the product's own migrations leave it."""
    with tempfile.TemporaryDirectory(prefix="taskflow-template-") as directory:
        file = Path(directory) / "taskflow.db"
        _upgrade(open_sqlite(file))
        return file.read_bytes()


def create_database(server: PostgresServer, name: str, *, owner: str) -> None:
    """Create a PostgreSQL database at head, all of whose tables belong to `owner`."""
    with _making:
        template, first_owner = _template(server)
    server.create_database(name, owner=owner, template=template)
    server.execute(
        sql.SQL("REASSIGN OWNED BY {} TO {}").format(sql.Identifier(first_owner), sql.Identifier(owner)), dbname=name
    )


@functools.cache
def _template(server: PostgresServer) -> tuple[str, str]:
    """Make the database that the others of a server are copies of; return its name and the owner of its tables."""
    name, password = "taskflow_template", secrets.token_hex(16)
    server.drop_database(name)  # as one whose making failed has left it
    server.drop_role(name)
    server.create_role(name, password)
    server.create_database(name)
    server.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(name)), dbname=name)
    fields = server.dsn_fields(database=name, username=name, password=password, host="127.0.0.1")
    opened, _ = open_postgresql(settings_from_body(dict(fields)))
    _upgrade(opened)
    server.execute(sql.SQL("REVOKE CREATE ON SCHEMA public FROM {}").format(sql.Identifier(name)), dbname=name)
    return name, name


def _upgrade(opened: OpenDatabase) -> None:
    try:
        with opened.writer.begin() as connection:
            run_upgrade(connection)
    finally:
        opened.cut_off()
