"""Migrations and models agree, on both databases, in one transaction, and as the SQL an administrator runs."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event

import app.models.tables
from app.core.exceptions import ProblemError
from app.core.readiness import STAGES, Readiness
from app.db import migrations
from app.db.base import metadata
from app.db.migrations import (
    HEAD,
    LOCK_KEY,
    WAITING_SENTENCE,
    alembic_config,
    current_revision,
    known_revisions,
    problems_of_database,
    run_upgrade,
    upgrade_sql,
    upgrade_to_head,
)
from app.db.session import OpenDatabase, open_postgresql, open_sqlite
from app.db.settings import settings_from_url
from tests.support.databases import fresh_database
from tests.support.real_parts import bundled_postgres
from tests.support.system import needs_psql
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer

SCRIPTS = ScriptDirectory.from_config(alembic_config())
REVISIONS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]
"""Every revision, oldest first."""


def opened(database: Database, username: str | None = None, password: str | None = None) -> OpenDatabase:
    """Open a database as its owner, or as somebody else."""
    url = sa.make_url(database.url).set(username=username or database.username, password=password or database.password)
    return open_postgresql(settings_from_url(url.render_as_string(hide_password=False)))[0]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenDatabase]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        found = open_sqlite(tmp_path / "taskflow.db")
    else:
        found = opened(request.getfixturevalue("database"))
    yield found
    found.retire()


def upgrade(database: OpenDatabase) -> Readiness:
    """Upgrade as start-up does; return what was reported."""
    readiness = Readiness()
    upgrade_to_head(database, readiness.begin_run())
    return readiness


def look(database: OpenDatabase) -> str | None:
    """The revision, as a new connection sees it."""
    with database.reader.connect() as connection:
        return current_revision(connection)


# What the files say


def test_head_names_the_newest_file() -> None:
    """The constant saves start-up the import of Alembic; it must not go stale."""
    assert SCRIPTS.get_heads() == [HEAD]
    assert known_revisions() == set(REVISIONS)


def test_history_is_one_line() -> None:
    """Two files on one predecessor would make `head` ambiguous on every desktop."""
    assert [SCRIPTS.get_revision(revision).down_revision for revision in REVISIONS] == [None, *REVISIONS[:-1]]


def test_every_model_is_registered() -> None:
    """A table that its package does not import would be missing from the comparison below."""
    modules = {path.stem for path in Path(app.models.tables.__file__).parent.glob("*.py")} - {"__init__", "tables"}
    registered = {value.name for value in vars(app.models.tables).values() if isinstance(value, sa.Table)}

    assert registered == set(metadata.tables)
    assert modules <= set(vars(app.models))


def test_application_loads_no_dialect_and_no_table_of_the_vault() -> None:
    """Only one database is used, and no secret is at first: importing more would make every start later."""
    command = [sys.executable, "-c", "import sys, app.main; print(*sys.modules, sep='\\n')"]
    backend = Path(app.models.tables.__file__).parents[2]
    finished = subprocess.run(command, cwd=backend, capture_output=True, text=True, check=True, timeout=60)
    modules = finished.stdout.split()

    assert "app.models.tasks" in modules
    needless = ("sqlalchemy.dialects.", "psycopg2", "alembic", "app.models.vault", "app.models.tables")
    assert [name for name in modules if name.startswith(needless)] == []


# What they make


def test_migrations_make_exactly_the_models(empty: OpenDatabase) -> None:
    """Tables, columns, types, nullability, defaults, keys and indexes: Alembic finds nothing left to generate.

    It knows nothing of indexes that the models make by DDL or on one database only, which the next test compares.
    """
    upgrade(empty)

    def is_known(_object: object, name: str | None, *_: object) -> bool:
        return name not in ("uq_vault_keys_active", "ix_task_grams_grams", "ix_changes_unnumbered", "ix_tasks_gear")

    with empty.reader.connect() as connection:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "target_metadata": metadata,
            # SQLite's full-text index consists of tables too
            "include_name": lambda name, _kind, _parents: not (name or "").startswith("task_trigram"),
            "include_object": is_known,
        }
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert differences == []


def test_migrations_make_the_constraints_of_the_models(empty: OpenDatabase, tmp_path: Path) -> None:
    """What Alembic does not compare, such as CHECK constraints and triggers, is the same as in those of the models."""
    upgrade(empty)
    migrated = _constraints(empty)
    with empty.writer.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            table.drop(connection)
        metadata.create_all(connection)

    assert migrated == _constraints(empty)
    assert migrated


_TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, pg_get_triggerdef(t.oid) || pg_get_functiondef(tgfoid) FROM pg_trigger t"
    " WHERE NOT tgisinternal",
}


def _constraints(database: OpenDatabase) -> dict[str, Any]:
    with database.reader.connect() as connection:
        inspector = sa.inspect(connection)
        found = {
            table: {
                "check": sorted(inspector.get_check_constraints(table), key=repr),
                "unique": sorted(inspector.get_unique_constraints(table), key=repr),
                "foreign": sorted(inspector.get_foreign_keys(table), key=repr),
                "primary": inspector.get_pk_constraint(table),
                "indexes": sorted(inspector.get_indexes(table), key=repr),
                "columns": {column["name"]: str(column["type"]) for column in inspector.get_columns(table)},
            }
            for table in metadata.tables
        }
        triggers = _TRIGGERS[connection.dialect.name]
        found["triggers"] = {row[0]: row[1] for row in connection.exec_driver_sql(triggers)}
    # Conditions of partial indexes are objects that only their text can tell apart.
    return dict(json.loads(json.dumps(found, default=str)))


def test_upgrade_from_every_revision_ends_at_head(empty: OpenDatabase) -> None:
    """Desktops skip versions: each revision is stepped to, and the last step finds nothing to do."""
    for revision in REVISIONS:
        with empty.writer.begin() as connection:
            run_upgrade(connection, revision)
        assert look(empty) == revision
    before = _constraints(empty)

    upgrade(empty)

    assert look(empty) == HEAD
    assert _constraints(empty) == before


def test_upgrade_is_one_transaction(empty: OpenDatabase) -> None:
    """A failure in the last statement leaves nothing of the first behind, on SQLite too."""

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT INTO alembic_version", "UPDATE alembic_version")):
            raise RuntimeError("power cut")

    event.listen(empty.engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError, match=r"power cut"):
        upgrade(empty)
    event.remove(empty.engine, "before_cursor_execute", fail)

    with empty.reader.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    upgrade(empty)
    assert look(empty) == HEAD


def test_schema_at_head_costs_one_look(empty: OpenDatabase) -> None:
    """Two short statements, no lock, no write transaction."""
    upgrade(empty)
    statements: list[str] = []
    event.listen(empty.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    upgrade(empty)

    assert len(statements) == 2
    assert not any("lock" in statement.lower() for statement in statements)
    assert empty.description["revision"] == empty.description["head"] == HEAD


def test_newer_schema_is_refused_and_left_alone(empty: OpenDatabase) -> None:
    """A revision that no file here names was made by a newer program."""
    upgrade(empty)
    with empty.writer.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'ffff'"))

    with pytest.raises(ProblemError) as caught:
        upgrade(empty)

    assert caught.value.problem.code == "schema-newer"
    assert look(empty) == "ffff"


# Locks


def test_upgrade_waits_for_another_desktop_within_a_bound(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the bound it is a problem that passes by itself, and the schema is as it was."""
    monkeypatch.setattr(migrations, "LOCK_WAIT_S", 0.3)
    readiness = Readiness()
    run = readiness.begin_run()
    messages: set[str] = set()
    with (
        readiness.listening(lambda: messages.add(readiness.sentence)),
        database.server.connect(database.name) as holder,
    ):
        holder.cursor().execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        begun_at = time.monotonic()
        with pytest.raises(ProblemError) as caught, run.stage("migrate"):
            upgrade_to_head(opened(database), run)

    assert caught.value.problem.code == "migration-failed"
    assert caught.value.problem.retryable
    assert 0.3 <= time.monotonic() - begun_at < 20
    assert WAITING_SENTENCE in messages
    assert readiness.document()["stages"][STAGES.index("migrate")]["state"] == "failed"
    assert database.tables() == []


def test_waiting_upgrade_is_given_up_when_superseded(database: Database) -> None:
    """A save or a stop does not wait for another desktop."""
    run = Readiness().begin_run()
    with database.server.connect(database.name) as holder:
        holder.cursor().execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        threading.Timer(0.2, run.superseded.set).start()
        begun_at = time.monotonic()
        with pytest.raises(ProblemError):
            upgrade_to_head(opened(database), run)

    assert time.monotonic() - begun_at < 20  # far from what another desktop is given


def test_upgrade_sees_what_another_desktop_finished_meanwhile(database: Database) -> None:
    """Whoever waited finds head and does nothing, although its own session had looked before."""
    waiting, run = opened(database), Readiness().begin_run()
    statements: list[str] = []
    event.listen(waiting.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    with opened(database).writer.begin() as other:
        other.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_KEY)))
        thread = threading.Thread(target=upgrade_to_head, args=(waiting, run), daemon=True)
        thread.start()
        wait_until(lambda: any("advisory" in statement for statement in statements), timeout_s=10, what="the wait")
        run_upgrade(other)
    thread.join(10)

    assert not thread.is_alive()
    assert not any(statement.startswith(("CREATE", "INSERT")) for statement in statements)
    assert look(waiting) == HEAD


def test_sqlite_that_another_program_writes_is_a_problem_that_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is waited for as long as SQLite is told, then the stage is tried again."""
    monkeypatch.setattr("app.db.session.SQLITE_BUSY_TIMEOUT_MS", 100)
    database = open_sqlite(tmp_path / "taskflow.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "taskflow.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ProblemError) as caught:
            upgrade(database)

    assert (caught.value.problem.code, caught.value.problem.retryable) == ("migration-failed", True)
    assert caught.value.problem.message == WAITING_SENTENCE
    upgrade(database)
    database.retire()


# Problems


@pytest.mark.parametrize(
    ("statement", "code", "words", "retryable"),
    [
        pytest.param("SET TRANSACTION READ ONLY", "migration-failed", "read-only", True, id="read-only"),
        pytest.param(
            "SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)", "migration-failed", "lock", True, id="late"
        ),
        pytest.param("SET ROLE pg_monitor", "permission-denied", "CREATE on the schema", False, id="rights"),
        pytest.param("SELECT pg_terminate_backend(pg_backend_pid())", "connection-lost", "lost", True, id="terminated"),
        pytest.param("SELECT 1 / 0", "migration-failed", "could not be upgraded", False, id="anything-else"),
    ],
)
def test_failures_of_an_upgrade_are_worded(
    postgres: PostgresServer, statement: str, code: str, words: str, retryable: bool
) -> None:
    """Each has its code, its sentence, and says whether waiting helps."""
    with fresh_database(postgres) as database:
        superuser = opened(database, "postgres", postgres.superuser_password)

        @event.listens_for(superuser.engine, "before_cursor_execute", retval=True)
        def interfere(_c: Any, _cursor: Any, given: str, parameters: Any, *_: Any) -> tuple[str, Any]:
            return (f"{statement}; {given}" if "pg_try_advisory" in given else given), parameters

        with pytest.raises(ProblemError) as caught:
            upgrade(superuser)

        found = caught.value.problem
        assert (found.code, found.retryable) == (code, retryable)
        assert words in found.message
        assert database.tables() == []
        superuser.retire()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"no database at all, but long enough to have a header" * 20, "connection-failed", id="foreign"),
        pytest.param(b"SQLite format 3\0" + b"\xff" * 4000, "connection-failed", id="damaged"),
    ],
)
def test_damaged_embedded_database_is_a_problem_not_a_crash(tmp_path: Path, content: bytes, code: str) -> None:
    """The sentence says what to do, and the file is left for whoever restores it."""
    file = tmp_path / "taskflow.db"
    file.write_bytes(content)
    database = open_sqlite(file)

    with pytest.raises(ProblemError) as caught:
        upgrade(database)

    assert caught.value.problem.code == code
    assert "backup" in caught.value.problem.remedy
    assert file.read_bytes() == content
    database.retire()


def test_problem_holds_nothing_of_the_driver(database: Database) -> None:
    """A driver's error knows the statement and its values."""
    owner = opened(database)

    with pytest.raises(ProblemError) as caught, problems_of_database(), owner.reader.connect() as connection:
        connection.execute(sa.text("SELECT :secret || no_such_column"), {"secret": "VELLUM7"})

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "VELLUM7" not in caught.value.problem.sentence
    owner.retire()


# For an administrator


def run_psql(database: Database, script: str) -> None:
    """Run a script as an administrator does, stopping at the first error."""
    url = sa.make_url(database.url).set(username="postgres", password=database.server.superuser_password)
    finished = subprocess.run(
        [bundled_postgres() / "psql", url.render_as_string(hide_password=False), "-v", "ON_ERROR_STOP=1", "-q"],
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (finished.returncode, finished.stderr) == (0, ""), finished.stderr


@needs_psql
def test_printed_sql_leaves_the_database_at_head(postgres: PostgresServer) -> None:
    """Run by psql, it makes what an upgrade makes, and the role named in it needs nothing else."""
    with fresh_database(postgres) as printed, fresh_database(postgres) as upgraded:
        role = f'{printed.name}_"o\'app"'
        postgres.create_role(role, "ordinary")
        try:
            run_psql(printed, upgrade_sql(metadata, from_revision=None, username=role))

            ordinary, owner = opened(printed, role, "ordinary"), opened(upgraded)
            upgrade(ordinary)
            upgrade(owner)
            assert look(ordinary) == HEAD
            assert _constraints(ordinary) == _constraints(owner)
            for table in metadata.tables:
                for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                    assert _may(printed, "table", role, table, right), (table, right)
            for (sequence,) in printed.query("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"):
                assert _may(printed, "sequence", role, sequence, "USAGE"), sequence
            assert not _may(printed, "schema", role, "public", "CREATE")
            assert not _may(printed, "table", role, "alembic_version", "UPDATE")
            ordinary.retire()
            owner.retire()
        finally:
            quoted = '"' + role.replace('"', '""') + '"'
            printed.execute(f"DROP OWNED BY {quoted}")
            postgres.drop_role(role)


def _may(database: Database, kind: str, role: str, name: str, right: str) -> bool:
    return bool(database.query(f"SELECT has_{kind}_privilege(%s, %s, %s)", (role, name, right))[0][0])


@needs_psql
@pytest.mark.parametrize("start", REVISIONS[:-1])
def test_printed_sql_goes_on_from_any_revision(database: Database, start: str) -> None:
    """An administrator whose database is a few versions behind gets only what is missing."""
    owner = opened(database)
    with owner.writer.begin() as connection:
        run_upgrade(connection, start)

    run_psql(
        database,
        f'SET ROLE "{database.username}";\n{upgrade_sql(metadata, from_revision=start, username=None)}',
    )

    assert look(owner) == HEAD
    owner.retire()


def test_printed_sql_is_one_transaction_of_plain_sql() -> None:
    """Nothing of a log, a prompt or Python in it; without a role nothing is granted."""
    script = upgrade_sql(metadata, from_revision=None, username=None)

    lines = [line for line in script.splitlines() if line and not line.startswith("--")]
    assert (lines[0], lines[-1]) == ("BEGIN;", "COMMIT;")
    assert script.count("BEGIN;") == 1
    assert "GRANT" not in script
    assert "GRANT" in upgrade_sql(metadata, from_revision=None, username="lead")
