"""Alembic run programmatically: one transaction, under a lock, with a live connection.

A schema at head is recognised with one statement and without importing Alembic; a role without DDL rights is enough
then. `HEAD` names the newest file in `alembic/versions`; a test compares the two.
"""

from __future__ import annotations

import contextlib
import io
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.core.exceptions import ProblemError
from app.core.logging import get_logger
from app.core.problems import DBA, Problem, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic.config import Config as AlembicConfig

    from app.core.readiness import Run
    from app.db.session import OpenDatabase

HEAD: Final = "0009"
LOCK_KEY: Final = 0x7461736B666C6F77  # "taskflow", as the 64-bit number that PostgreSQL's advisory locks take
LOCK_WAIT_S: Final = 60.0
LOOK_DEADLINE_S: Final = 5.0
"""Limit for the look at the revision, which a server that hangs would never answer."""
_LOCK_POLL_S: Final = 0.1
_HAS_VERSION_TABLE: Final = (
    "SELECT count(*) FROM pg_catalog.pg_tables"
    " WHERE tablename = 'alembic_version' AND schemaname = ANY (current_schemas(false))"
)
WAITING_SENTENCE: Final = "Another desktop is upgrading the database."

log = get_logger(__name__)


def current_revision(connection: sa.Connection) -> str | None:
    """Return the revision the schema is at; None if Alembic has never run on it."""
    if connection.dialect.name == "postgresql":
        # not to_regclass: it would answer from a cache, which what others commit in the meantime does not reach
        if not connection.scalar(sa.text(_HAS_VERSION_TABLE)):
            return None
    elif not connection.scalar(sa.text("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'")):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


def require_head(revision: str | None) -> None:
    """Raise ProblemError unless a schema is the one of this program; None stands for an empty database."""
    if revision == HEAD:
        return
    if revision is not None and revision not in known_revisions():
        raise ProblemError(problem("schema-newer"))
    found = "has no tables yet" if revision is None else "has the schema of an earlier version"
    remedy = "Start the sidecar once, or run 'taskflow-sidecar migrations upgrade'."
    raise ProblemError(problem("migration-failed", f"The database {found}.", remedy))


def upgrade_to_head(database: OpenDatabase, run: Run) -> None:
    """Bring the schema to head; at head already this is one look.

    Raises:
        ProblemError: ``schema-newer``, ``permission-denied`` (names the right), ``migration-failed``,
            ``connection-lost``; the schema is as it was.
    """
    refusals = problems_of_database(right="SELECT on the table alembic_version")
    with refusals, database.answering_within(LOOK_DEADLINE_S), database.reader.connect() as connection:
        revision = current_revision(connection)
    if revision != HEAD:
        with problems_of_database(right="CREATE on the schema, or the ownership of the tables to change"):
            _upgrade_under_lock(database, run)
    database.description |= {"revision": HEAD, "head": HEAD}


def _upgrade_under_lock(database: OpenDatabase, run: Run) -> None:
    with database.writer.begin() as connection:
        _wait_for_lock(connection, run)
        revision = current_revision(connection)  # another desktop may have finished meanwhile
        if revision == HEAD:
            return
        if revision is not None and revision not in known_revisions():
            raise ProblemError(problem("schema-newer"))
        log.info("upgrading the schema", extra={"from": revision, "to": HEAD})
        run_upgrade(connection)
    log.info("schema upgraded", extra={"revision": HEAD})


def _wait_for_lock(connection: sa.Connection, run: Run) -> None:
    """Take the upgrade lock until the transaction ends; SQLite's own write lock is held already (BEGIN IMMEDIATE).

    The lock is polled rather than waited for: a session that waits inside PostgreSQL does not notice that its client
    died, one that polls is gone as soon as its socket closes.
    Locks of this family end with the transaction, which is safe behind PgBouncer.

    Raises:
        ProblemError: another desktop holds it for longer than `LOCK_WAIT_S`.
    """
    if connection.dialect.name != "postgresql":
        return
    connection.exec_driver_sql(
        # what the holder of the lock commits must be seen, whatever isolation the administrator made the default
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"
        " SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s'"
    )
    deadline = time.monotonic() + LOCK_WAIT_S
    while not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK_KEY))):
        run.message("migrate", WAITING_SENTENCE)
        if time.monotonic() > deadline or run.superseded.wait(_LOCK_POLL_S):
            raise ProblemError(
                problem(
                    "migration-failed",
                    "Another desktop has been upgrading the database for more than a minute.",
                    "Wait; the upgrade is tried again by itself.",
                    retryable=True,
                )
            )
    run.message("migrate", None)


def run_upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Run Alembic on a live connection inside its present transaction.

    A connection, not a URL: Alembic's configuration would interpolate the `%` of a password.
    """
    from alembic import command

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def upgrade_sql(metadata: sa.MetaData, *, from_revision: str | None, username: str | None) -> str:
    """Return plain PostgreSQL SQL from `from_revision` to head, for a database administrator to run.

    Args:
        metadata: every table of this program.
        from_revision: where the schema is; None for an empty database.
        username: role that gets the rights to use the tables; none are granted without it.
    """
    from alembic import command

    output = io.StringIO()
    config = alembic_config(output)
    start = from_revision or "base"
    command.upgrade(config, f"{start}:head", sql=True)
    statements = output.getvalue().strip()
    if username is None:
        return statements + "\n"
    return f"{statements}\n\n{_grants(metadata, username)}"


def _grants(metadata: sa.MetaData, username: str) -> str:
    role = '"' + username.replace('"', '""') + '"'
    tables = ", ".join(sorted(metadata.tables))
    # a serial column draws from a sequence, to which PostgreSQL gives this name
    counters = [(table.name, table.autoincrement_column) for table in metadata.sorted_tables]
    sequences = [f"{table}_{column.name}_seq" for table, column in counters if column is not None]
    grants = [f"SELECT, INSERT, UPDATE, DELETE ON {tables}", "SELECT ON alembic_version"]
    grants += [f"USAGE ON SEQUENCE {sequence}" for sequence in sequences]
    return "".join(f"GRANT {grant} TO {role};\n" for grant in grants)


def known_revisions() -> set[str]:
    """Return every revision this program has a file for."""
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}


def alembic_config(output: io.StringIO | None = None) -> AlembicConfig:
    """Return Alembic's configuration; there is no ini file."""
    from alembic.config import Config

    config = Config(output_buffer=output) if output is not None else Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextlib.contextmanager
def problems_of_database(*, right: str = "SELECT on the program's tables") -> Iterator[None]:
    """Turn a driver's error inside the block into a problem; `right` is what the block needs."""
    try:
        yield
    except DBAPIError as exc:
        raise ProblemError(replace(_problem_of(exc, right), sqlstate=getattr(exc.orig, "pgcode", None))) from None


def _problem_of(exc: DBAPIError, right: str) -> Problem:
    state = getattr(exc.orig, "pgcode", None) or ""
    if exc.connection_invalidated or state[:2] == "08" or state[:4] == "57P0":
        return problem("connection-lost")
    if state == "42501":
        return problem(
            "permission-denied",
            f"The database user lacks a right: {right}.",
            "Ask the database administrator to grant it, or to run the output of 'taskflow-sidecar migrations sql'.",
        )
    if isinstance(exc.orig, sqlite3.Error):
        return _sqlite_problem(exc.orig)
    log.error("migration failed", extra={"sqlstate": state, "cause": _first_line(exc.orig)})
    if state[:2] == "53":
        return problem(
            "migration-failed",
            "The database schema could not be upgraded because the server is short of disk space or memory.",
            "Ask the database administrator to make room; the upgrade is tried again by itself.",
            retryable=True,
            who=DBA,
        )
    if state == "25006":
        return problem(
            "migration-failed",
            "The database schema could not be upgraded because the database is read-only.",
            "Give the address of the primary server, or ask the database administrator to allow writing; "
            "it is tried again by itself.",  # a standby may be promoted
            retryable=True,
            who=DBA,
        )
    if state in ("55P03", "40P01", "57014"):
        return problem(
            "migration-failed",
            "The database schema could not be upgraded because another session holds a lock on it.",
            "Wait; the upgrade is tried again by itself.",
            retryable=True,
        )
    return problem("migration-failed")


def _sqlite_problem(error: sqlite3.Error) -> Problem:
    name = getattr(error, "sqlite_errorname", "") or ""
    log.error("embedded database failed", extra={"cause": name or _first_line(error)})
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return problem(
            "migration-failed", WAITING_SENTENCE, "Wait; the upgrade is tried again by itself.", retryable=True
        )
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_PERM")):
        return problem("storage-unwritable")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return problem(
            "connection-failed",
            "The embedded database file is damaged.",
            "Restore taskflow.db from a backup, or move it away to start with an empty one.",
        )
    return problem("migration-failed")


def _first_line(error: Any) -> str:
    return str(error).strip().split("\n", 1)[0]
