"""How many sessions a sidecar holds, who waits for whom, and for how long: on a real server, in this process."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2
import pytest
import sqlalchemy as sa

from app.core.exceptions import DatabaseAwayError, ProblemError
from app.core.problems import problem
from app.core.readiness import Readiness
from app.db import session
from app.db.session import PLACES, READ, SNAPSHOT, WRITE, Database, open_postgresql
from app.db.settings import settings_from_body
from app.db.watched import WatchedPostgres
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import databases


class Process:
    """A database that is ready, and its watch, whose heart beats when a test says so."""

    def __init__(self, database: databases.Database) -> None:
        self.server = database
        readiness = Readiness()
        self.run = readiness.begin_run()
        self.watched = WatchedPostgres(*open_postgresql(settings_from_body(dict(database.fields()))))
        self.opened = self.watched.database
        self.watched.prove(self.run)
        self.run.ready(self.opened.description)
        self.database = Database(readiness)
        self.suspicions = 0
        self.database.on_failure = self._suspect
        self.database.replace(self.opened)

    def _suspect(self) -> None:
        self.suspicions += 1

    def beat(self, *, suspicious: bool = False) -> None:
        """Ask the server as the watch does each second; all must be well."""
        assert self.watched.heartbeat(self.run, suspicious=suspicious) is None

    def backend(self) -> int:
        """Read which session answers."""
        with self.database.read() as connection:
            return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    def burst(self, count: int) -> None:
        """Use that many connections at the same time."""
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                stack.enter_context(self.database.write())

    def wait_for_sessions(self, count: int) -> None:
        """Wait until the server has that many of ours: it notices a little later that one was closed."""
        wait_until(lambda: self.server.sessions() == count, timeout_s=30, what=lambda: f"not {self.server.sessions()}")

    def wait_until_waiting(self, count: int) -> None:
        """Wait until so many calls wait for a session that another one has."""
        pool: Any = self.opened.engine.pool
        wait_until(lambda: len(pool._turns) == count, timeout_s=30, what="calls to wait")


@pytest.fixture
def process(empty_database: databases.Database) -> Iterator[Process]:
    """One that is ready."""
    process = Process(empty_database)
    yield process
    process.watched.close()
    process.database.cut_off()


def test_idle_sidecar_holds_one_session(process: Process) -> None:
    """The one that start-up made carries the heartbeat, and is lent to a call that finds no other."""
    process.beat()
    assert process.server.sessions() == 1
    assert process.backend() == process.backend()
    assert process.server.sessions() == 1
    process.beat()
    process.beat()

    with process.database.read() as connection:
        used = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        process.beat()  # which needs no connection of its own: the call was answered just now
        assert process.server.sessions() == 1
        process.opened.answered_at = -math.inf
        process.beat()  # in time, although its connection is in use
        assert process.server.sessions() == 2
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() == used


def test_sessions_of_a_burst_end_when_nobody_has_used_them(process: Process) -> None:
    """Those that are in use, or were a moment ago, stay."""
    process.burst(7)
    process.beat()
    process.wait_for_sessions(7)

    process.opened.idle_s = 0.0
    with process.database.read() as connection:
        used = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        process.beat()
        process.wait_for_sessions(2)
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() == used
    process.beat()
    process.wait_for_sessions(1)
    assert process.backend()


def test_connections_are_not_logged(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    """Their text holds all that they were made with, but for the password."""
    caplog.set_level("INFO")
    process.backend()
    process.server.server.terminate_sessions(database=process.server.name)
    with pytest.raises(DatabaseAwayError), process.database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    assert "connection object" not in caplog.text


def test_lent_heart_that_died_is_no_loss_for_a_write(process: Process) -> None:
    """Ended between two beats while the pool is empty: the write is carried out, and the next beat is well."""
    process.server.execute("CREATE TABLE notes (text text)")
    process.server.execute(f"GRANT ALL ON notes TO {process.server.username}")
    process.beat()
    for number in range(3):
        process.server.server.terminate_sessions(database=process.server.name)
        with process.database.write() as connection:
            connection.execute(sa.text("INSERT INTO notes VALUES (:text)"), {"text": str(number)})
        process.beat()
    assert process.server.query("SELECT text FROM notes ORDER BY text") == [("0",), ("1",), ("2",)]
    process.wait_for_sessions(1)


def test_each_kind_of_block_has_places_of_its_own(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many writes hang, reads go on at once; who finds no place is told so, and the server is not blamed."""
    monkeypatch.setattr(session, "PLACE_TIMEOUT_S", 0.1)
    blocks = {
        READ: process.database.read,
        WRITE: process.database.write,
        SNAPSHOT: process.database.snapshot,
    }
    with contextlib.ExitStack() as stack:
        for kind in (WRITE, SNAPSHOT, READ):
            for _ in range(PLACES[kind]):
                stack.enter_context(blocks[kind]())
            with pytest.raises(DatabaseAwayError, match="busy") as caught, blocks[kind]():
                pass
            assert caught.value.code == "busy"
        process.beat()
    assert process.backend()
    assert process.suspicions == 0


def test_place_that_becomes_free_goes_to_who_waits_for_its_kind(process: Process) -> None:
    """Not lost on somebody who waits for another kind."""
    got: list[str] = []

    def wait_for(kind: str) -> None:
        with process.opened.in_use(kind):
            got.append(kind)

    with contextlib.ExitStack() as held, contextlib.ExitStack() as others:
        for _ in range(PLACES[READ]):
            others.enter_context(process.opened.in_use(READ))
        for _ in range(PLACES[WRITE]):
            held.enter_context(process.opened.in_use(WRITE))
        threads = [threading.Thread(target=wait_for, args=(kind,)) for kind in (READ, WRITE)]
        for thread in threads:
            thread.start()
        held.close()
        threads[1].join(20)
        assert got == [WRITE]
    threads[0].join(20)
    assert got == [WRITE, READ]


@pytest.mark.parametrize("change", ["CONNECTION LIMIT 1", "PASSWORD 'another'"])
def test_calls_share_what_they_have_of_a_server_that_grants_no_more(process: Process, change: str) -> None:
    """It is full, or a token has expired: with one session for all, calls take turns, and the heart beats well."""
    process.server.execute(f"ALTER ROLE {process.server.username} {change}")
    process.beat()
    pids: list[int] = []
    threads = [threading.Thread(target=lambda: pids.append(process.backend())) for _ in range(4)]
    with process.database.write():
        for thread in threads:
            thread.start()
        process.beat()
        assert not pids
    for thread in threads:
        thread.join(5)
    assert len(pids) == 4
    assert len(set(pids)) == 1
    assert process.suspicions == 0
    process.beat()


def test_who_waits_for_a_session_is_served_when_the_server_has_room_again(process: Process) -> None:
    """Not only when one of our own comes back, which may take long."""
    process.server.execute(f"ALTER ROLE {process.server.username} CONNECTION LIMIT 1")
    pids: list[int] = []
    waits = threading.Thread(target=lambda: pids.append(process.backend()))
    with process.database.write():
        waits.start()
        process.wait_until_waiting(1)
        process.server.execute(f"ALTER ROLE {process.server.username} CONNECTION LIMIT -1")
        waits.join(20)
        assert len(pids) == 1


def test_who_came_first_to_a_full_server_is_served_first(process: Process) -> None:
    """Whoever calls again and again leaves something to others."""
    process.server.execute(f"ALTER ROLE {process.server.username} CONNECTION LIMIT 1")
    served: list[str] = []

    def call(name: str) -> None:
        process.backend()
        served.append(name)

    waits = threading.Thread(target=call, args=("first",))
    with process.database.write():
        waits.start()
        process.wait_until_waiting(1)
    call("second")
    waits.join(5)
    assert served == ["first", "second"]


def test_limits_hold_behind_a_pooler(process: Process) -> None:
    """Which takes no start-up parameters: each transaction sets them, those that only read too, and is kept."""
    connector = process.watched._entrance.connector
    connector._way = msgspec.structs.replace(connector._way, behind_pooler=True)
    process.opened.refresh()
    shown = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
    for block in (process.database.read, process.database.write, process.database.snapshot):
        with block() as connection:
            assert connection.exec_driver_sql(shown).one() == ("15s", "5s"), block
    with process.database.read() as connection:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE kept (id int)")
    with process.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM kept").scalar_one() == 0
        assert connection.exec_driver_sql("SELECT txid_current_if_assigned()").scalar_one() is None


SLOW_COMMIT = (
    "CREATE TABLE slow (id int);"
    "CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(60); RETURN NULL; END$$;"
    "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION sleep(); GRANT ALL ON slow TO PUBLIC"
)


@pytest.mark.parametrize("where", ["read", "write", "commit"])
def test_nothing_waits_for_a_server_beyond_its_limit(process: Process, where: str) -> None:
    """A statement or a commit whose own limit does not count is given up: busy, not lost, and health goes on."""
    process.server.execute(SLOW_COMMIT)
    told: list[DatabaseAwayError] = []

    def call() -> None:
        block = process.database.read if where == "read" else process.database.write
        try:
            with block() as connection:
                if where == "commit":
                    connection.exec_driver_sql("INSERT INTO slow VALUES (1)")
                else:
                    connection.exec_driver_sql("SELECT pg_sleep(60)")
        except DatabaseAwayError as exc:
            told.append(exc)

    thread = threading.Thread(target=call)
    thread.start()
    sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    wait_until(lambda: process.server.query(sleeping), timeout_s=30, what="the statement")
    process.beat()
    assert not told, "it has its time"
    begun_at = time.monotonic()

    process.opened.cut_overdue(0.0)

    thread.join(30)
    assert time.monotonic() - begun_at < 20  # the statement takes a minute
    assert [error.code for error in told] == ["busy"]
    process.beat(suspicious=process.suspicions > 0)
    assert process.backend()
    with process.database.write() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


def test_statement_that_has_ended_is_not_given_up(process: Process) -> None:
    """What is done between two statements is no business of the server's, nor of a thread's next block."""
    with process.database.write() as connection:
        connection.exec_driver_sql("SELECT 1")
        process.opened.cut_overdue(0.0)
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
    process.opened.cut_overdue(0.0)
    with pytest.raises(sa.exc.ProgrammingError), process.database.read() as connection:
        connection.exec_driver_sql("SELECT nonsense")
    process.opened.cut_overdue(0.0)
    assert process.backend()


def test_what_is_done_in_the_background_keeps_no_second_session(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Used oftener than sessions are closed for idleness, the pool's last one goes soon: the heart is lent instead."""
    monkeypatch.setattr("app.db.session.SPARE_S", 0.0)
    process.beat()
    with process.database.read():
        process.beat()
    process.wait_for_sessions(2)

    process.beat()

    process.wait_for_sessions(1)
    assert process.backend()
    process.wait_for_sessions(1)


@pytest.mark.parametrize("answers", [True, False])
def test_a_silent_heart_is_no_loss_while_others_are_answered(
    process: Process, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    """It waits in some queue of a busy server, or of a pooler; where nobody is answered, the server is away."""
    process.beat()
    monkeypatch.setattr("app.db.round_trip.SHORTEST_S", 0.0)

    def silent(_: object) -> Any:
        if answers:
            process.backend()
        return problem("connection-timeout")

    monkeypatch.setattr(process.watched, "_beat", silent)

    found = process.watched.heartbeat(process.run, suspicious=False)

    assert (found is None) is answers


def test_a_server_that_hangs_up_while_it_is_proven_is_away(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a fault of this program, after which nothing would be tried again."""

    def hang_up(_: object) -> None:
        raise psycopg2.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(process.watched, "_asked", hang_up)

    with pytest.raises(ProblemError) as caught:
        process.watched.prove(process.run)

    assert (caught.value.problem.code, caught.value.problem.retryable) == ("connection-lost", True)
