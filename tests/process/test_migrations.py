"""Upgrades of the schema by real sidecars: many at once, killed at every point, waiting, refused."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psycopg2
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from app.core.readiness import Readiness
from app.db.migrations import HEAD, LOCK_KEY, LOCK_WAIT_S, run_upgrade, upgrade_to_head
from app.db.session import open_postgresql, open_sqlite
from app.db.settings import settings_from_url
from tests.support import children
from tests.support.databases import fresh_database
from tests.support.sidecar import Sidecar, run_command
from tests.support.traffic import ask_once
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.db.session import OpenDatabase
    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer

MEMBERS = "/api/v1/members"
WAITING = "Another desktop is upgrading the database."
OPENERS: dict[str, Callable[[str], OpenDatabase]] = {
    "postgresql": lambda url: open_postgresql(settings_from_url(url))[0],
    "sqlite": lambda path: open_sqlite(Path(path)),
}
KILLED = -signal.SIGKILL


@pytest.fixture
def database(empty_database: Database) -> Database:
    """What is tested here finds a database empty."""
    return empty_database


def ready_sidecar(database: Database) -> Sidecar:
    """Spawn a sidecar on a database."""
    return Sidecar(stdio=True, env={"TASKFLOW_DATABASE_URL": database.url})


def revision(database: Database) -> str:
    """The revision that the schema says it is at."""
    return str(database.query("SELECT version_num FROM alembic_version")[0][0])


def message_of_migration(document: dict[str, Any]) -> str | None:
    """What the running stage `migrate` tells."""
    message: str | None = next(
        (entry.get("message") for entry in document["stages"] if entry["name"] == "migrate"), None
    )
    return message


# Many at once


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_many_sidecars_at_once_upgrade_once(postgres: PostgresServer, isolation: str) -> None:
    """Eight start on an empty database: one upgrades it, all become ready, none is slower than the bounded wait."""
    count = 8 if isolation == "read committed" else 2
    with fresh_database(postgres) as database, contextlib.ExitStack() as stack:
        database.execute(f"ALTER ROLE {database.username} SET default_transaction_isolation = '{isolation}'")
        begun_at = time.monotonic()
        sidecars = [stack.enter_context(ready_sidecar(database)) for _ in range(count)]
        took_s = []
        for sidecar in sidecars:
            sidecar.wait_healthy(timeout_s=LOCK_WAIT_S)
            took_s.append(time.monotonic() - begun_at)

        logs = [sidecar.stderr_text() for sidecar in sidecars]
        print(f"{count} sidecars: first ready after {took_s[0]:.1f} s, all after {took_s[-1]:.1f} s")
        assert sum(log.count('"schema upgraded"') for log in logs) == 1
        assert revision(database) == HEAD
        for sidecar in sidecars:
            states = [event["state"] for event in sidecar.events if event["event"] == "state"]
            assert set(states) == {"starting", "ready"}, "nobody saw a problem"
        created = [
            ask_once(sidecar, "POST", MEMBERS, {"name": "Ada", "email": f"{number}@example.org"}).status
            for number, sidecar in enumerate(sidecars)
        ]
        assert created == [201] * count
        # stopped side by side, as the end of the stack would take one after the other
        for sidecar in sidecars:
            sidecar.process.terminate()
        assert {sidecar.wait_for_exit() for sidecar in sidecars} == {0}
        wait_until(lambda: database.sessions() == 0, timeout_s=30, what="all sessions to end")


@pytest.mark.quiet
def test_waiting_for_another_desktop_shows_and_ends_at_once(database: Database) -> None:
    """Whoever waits for the lock says so in its stage and on `/health`; everything else answers meanwhile."""
    with contextlib.ExitStack() as stack:
        with database.server.connect(database.name) as holder:
            holder.cursor().execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
            sidecars = [stack.enter_context(ready_sidecar(database)) for _ in range(3)]
            for sidecar in sidecars:
                sidecar.wait_for(lambda document: message_of_migration(document) == WAITING)
            document = sidecars[0].status()

            assert document["state"] == "starting"
            assert document["problem"] is None
            assert sidecars[0].health() == (503, {"status": "unhealthy", "error": WAITING})
            refused = ask_once(sidecars[0], "GET", MEMBERS)
            assert (refused.status, refused.error, refused.headers["retry-after"]) == (503, WAITING, "5")
            assert database.tables() == []
            holder.cursor().execute("SELECT pg_advisory_unlock(%s)", (LOCK_KEY,))
        released_at = time.monotonic()
        for sidecar in sidecars:
            sidecar.wait_healthy()

        print(f"all ready {time.monotonic() - released_at:.2f} s after the release")
        assert time.monotonic() - released_at < 3
        assert revision(database) == HEAD
        assert all(message_of_migration(sidecar.status()) is None for sidecar in sidecars)


# Killed


def upgrade_and_die(dialect: str, location: str, point: int | str, start: str | None) -> None:
    """Upgrade in a process that kills itself before its n-th statement, or when it is about to commit."""
    statements = itertools.count(1)

    def die_at(reached: int | str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    database = OPENERS[dialect](location)
    if start is not None:
        with database.writer.begin() as connection:
            run_upgrade(connection, start)

    @event.listens_for(database.engine, "before_cursor_execute")
    def before_statement(*_: Any) -> None:
        die_at(next(statements))

    @event.listens_for(database.engine, "commit")
    def before_commit(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("taskflow_write"):
            die_at("commit")

    upgrade_to_head(database, Readiness().begin_run())


def exit_status(dialect: str, location: str, point: int | str, start: str | None = None) -> int:
    """Run `upgrade_and_die` in a child to its end."""
    return children.wait(children.start(lambda: upgrade_and_die(dialect, location, point, start)))


def schema_of(database: OpenDatabase) -> tuple[str | None, list[str]]:
    """The revision and the tables, as a new connection sees them."""
    with database.reader.connect() as connection:
        tables = sorted(sa.inspect(connection).get_table_names())
        if "alembic_version" not in tables:
            return None, tables
        return connection.scalar(sa.text("SELECT version_num FROM alembic_version")), tables


class Emptied(Protocol):
    """An empty database again and again."""

    def empty(self) -> str:
        """Empty it; return its URL or path."""

    def settle(self) -> None:
        """Wait until nothing of a killed client is left."""


class EmptiedPostgres:
    """One database, emptied by dropping its schema, which is quicker than a new one each time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def empty(self) -> str:
        """Drop everything in it."""
        self._database.execute("DROP SCHEMA public CASCADE")
        self._database.execute(f"CREATE SCHEMA public AUTHORIZATION {self._database.username}")
        return self._database.url

    def settle(self) -> None:
        """Wait until the server has noticed the end of its client."""
        wait_until(
            lambda: self._database.sessions() == 0, timeout_s=10, interval_s=0.005, what="the killed session to end"
        )


class EmptiedSqlite:
    """A file that does not exist yet."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = itertools.count()

    def empty(self) -> str:
        """Name a new one."""
        return str(self._directory / f"{next(self._numbers)}.db")

    def settle(self) -> None:
        """The system has closed everything already."""


@pytest.fixture(params=["postgresql", "sqlite"])
def emptied(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Emptied]]:
    """A dialect and a database of that kind."""
    if request.param == "sqlite":
        yield "sqlite", EmptiedSqlite(tmp_path)
        return
    with fresh_database(request.getfixturevalue("postgres")) as database:
        yield "postgresql", EmptiedPostgres(database)


def test_upgrade_killed_at_any_point_changes_nothing(emptied: tuple[str, Emptied]) -> None:
    """Before statements and before the commit: the schema is as it was, and the next start finishes.

    Around the beginning of the transaction every statement is tried, then, as they are all inside it, every eighth.
    """
    dialect, source = emptied
    killed_at: list[int | str] = []
    candidates: Iterator[int | str] = itertools.chain(["commit"], range(1, 10), itertools.count(10, 8))
    for point in candidates:
        location = source.empty()
        status = exit_status(dialect, location, point)
        if status == 0:
            break  # there are not as many statements
        source.settle()

        assert status == KILLED
        database = OPENERS[dialect](location)
        assert schema_of(database) == (None, []), f"killed at {point}"
        upgrade_to_head(database, Readiness().begin_run())
        assert schema_of(database)[0] == HEAD
        database.retire()
        killed_at.append(point)
    print(f"{dialect}: {len(killed_at)} points")
    assert len(killed_at) > 10


def test_killed_upgrade_leaves_the_revision_it_began_at(emptied: tuple[str, Emptied]) -> None:
    """From a revision in between, what was committed before stays."""
    dialect, source = emptied
    location = source.empty()
    assert exit_status(dialect, location, "commit", "0001") == KILLED
    source.settle()

    database = OPENERS[dialect](location)
    assert schema_of(database) == ("0001", ["alembic_version", "members"])
    upgrade_to_head(database, Readiness().begin_run())
    assert schema_of(database)[0] == HEAD
    database.retire()


@pytest.mark.quiet
def test_killed_sidecar_leaves_the_upgrade_to_the_next(database: Database) -> None:
    """SIGKILL in the middle of a statement: the one that waits goes on by itself, and later the other does too."""
    database.execute("CREATE TABLE public.slowly AS SELECT 60 AS seconds")
    database.execute(
        "CREATE FUNCTION public.pause() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN PERFORM pg_sleep(seconds) FROM public.slowly; END $$"
    )
    database.execute("CREATE EVENT TRIGGER pause ON ddl_command_end EXECUTE FUNCTION public.pause()")
    asleep = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = %s"
    with ready_sidecar(database) as first, ready_sidecar(database) as second:
        wait_until(lambda: database.query(asleep, (database.name,)), timeout_s=20, what="the upgrade")
        waiting = wait_until(
            lambda: next((s for s in (first, second) if message_of_migration(s.status()) == WAITING), None),
            timeout_s=20,
            what="the other one to wait",
        )
        assert waiting is not None
        upgrading = second if waiting is first else first
        database.execute("DELETE FROM public.slowly")
        upgrading.kill()
        killed_at = time.monotonic()
        waiting.wait_healthy()

        print(f"ready {time.monotonic() - killed_at:.2f} s after the kill")
        assert time.monotonic() - killed_at < 6  # the server looks every 2 s whether its client is still there
        assert revision(database) == HEAD
        assert '"schema upgraded"' in waiting.stderr_text()
        upgrading.start().wait_healthy()


# Refused


def test_newer_schema_is_left_alone(database: Database) -> None:
    """A program that is too old says so, changes nothing, and goes on when it is no longer too old."""
    with ready_sidecar(database) as sidecar:
        sidecar.wait_healthy()
        database.execute("UPDATE alembic_version SET version_num = 'ffff'")
        before = database.tables()
        assert ask_once(sidecar, "POST", "/api/v1/settings/retry").status == 202

        problem = sidecar.wait_for_problem("schema-newer")

        assert (problem["retryable"], problem["who"]) == (False, "you")
        assert sidecar.status()["state"] == "failed"
        assert "Update this program" in problem["remedy"]
        assert (revision(database), database.tables()) == ("ffff", before)
        database.execute(f"UPDATE alembic_version SET version_num = '{HEAD}'")
        ask_once(sidecar, "POST", "/api/v1/settings/retry")
        sidecar.wait_healthy()


def test_missing_rights_are_named_and_an_administrator_can_help(postgres: PostgresServer, tmp_path: Path) -> None:
    """A role that may not create tables waits for the administrator, who runs the printed SQL; then it is enough."""
    with fresh_database(postgres) as database:
        role, password = f"{database.name}_app", "ordinary"
        postgres.create_role(role, password)
        try:
            fields = {**database.fields(), "username": role, "password": password}
            with Sidecar(stdio=True, env={"TASKFLOW_EMBEDDED": "0"}, config_dir=tmp_path) as sidecar:
                sidecar.save_connection(fields)

                problem = sidecar.wait_for_problem("permission-denied")

                assert "CREATE on the schema" in problem["message"]
                assert "migrations sql" in problem["remedy"]
                assert problem["who"] == "database administrator"
                assert sidecar.status()["state"] == "failed"
                assert database.tables() == []
                printed = run_command("migrations", "sql", config_dir=tmp_path)
                assert printed.returncode == 0, printed.stderr
                run_as(database, printed.stdout)
                ask_once(sidecar, "POST", "/api/v1/settings/retry")
                sidecar.wait_healthy()
                assert revision(database) == HEAD
                assert ask_once(sidecar, "POST", MEMBERS, {"name": "Ada", "email": "a@example.org"}).status == 201
                assert database.query("SELECT tableowner FROM pg_tables WHERE tablename = 'members'") == [
                    (database.username,)
                ]

                database.execute(f"REVOKE SELECT ON alembic_version FROM {role}")
                ask_once(sidecar, "POST", "/api/v1/settings/retry")
                assert "SELECT on the table alembic_version" in sidecar.wait_for_problem("permission-denied")["message"]
        finally:
            postgres.execute(f'REASSIGN OWNED BY "{role}" TO postgres', dbname=database.name)
            postgres.execute(f'DROP OWNED BY "{role}"', dbname=database.name)
            postgres.drop_role(role)


def run_as(database: Database, script: str) -> None:
    """Run a script as the owner of the database, as its administrator would."""
    fields = database.fields()
    connection = psycopg2.connect(
        host=fields["host"],
        port=fields["port"],
        dbname=fields["database"],
        user=fields["username"],
        password=fields["password"],
    )
    with contextlib.closing(connection):
        connection.autocommit = True
        connection.cursor().execute(script)


def test_upgrade_that_cannot_get_its_lock_is_tried_again(database: Database) -> None:
    """Another program's transaction on our tables delays an upgrade; it is not given up for that."""
    with ready_sidecar(database) as sidecar:
        sidecar.wait_healthy()
    # A schema one revision back, as an older version of the program left it.
    with database.server.connect(database.name) as connection:
        rows = database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'members'")
        for (table,) in rows:
            connection.cursor().execute(f"DROP TABLE IF EXISTS {table} CASCADE")
        functions = database.query(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
        for (function,) in functions:
            connection.cursor().execute(f"DROP FUNCTION IF EXISTS {function} CASCADE")
    with database.server.connect(database.name) as holder:
        holder.autocommit = False
        # An index of the same name being built by somebody else: CREATE waits for that transaction.
        holder.cursor().execute("CREATE TABLE public.alembic_version (version_num varchar(32))")
        with ready_sidecar(database) as sidecar:
            wait_until(lambda: _waits_for_transaction(database), timeout_s=20, what="the upgrade to wait")
            assert sidecar.status()["state"] == "starting"
            database.execute("DROP TABLE members")
            threading.Timer(0.1, holder.rollback).start()
            sidecar.wait_healthy()
    assert revision(database) == HEAD


def _waits_for_transaction(database: Database) -> bool:
    rows = database.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s", (database.name,)
    )
    return bool(rows)
