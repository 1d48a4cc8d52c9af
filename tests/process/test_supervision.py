"""A ready database that is lost and returns, hangs, or is replaced: `/health` tells it, nothing ever stands still."""

from __future__ import annotations

import contextlib
import itertools
import signal
import threading
import time
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
import psycopg2
import pytest

from tests.support import processes
from tests.support.databases import SqliteDatabase, fresh_database
from tests.support.network import TcpProxy, black_hole
from tests.support.postgres import PostgresServer
from tests.support.sidecar import Sidecar
from tests.support.traffic import Answer, Pending, Stream, ask_at_once, ask_once
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.support.databases import Database
    from tests.support.postgres import StopMode

pytestmark = [pytest.mark.quiet, pytest.mark.cold]

MEMBERS = "/api/v1/members"
LOST = "Database connection lost. Please retry."
NOTICED_WITHIN_S = 2.0
"""From the first failed use or heartbeat to `/health` 503."""
HEARTBEAT_S = 1.0
"""Pause between two heartbeats: as late may the first one that fails begin."""
BACK_WITHIN_S = 1.0
"""From the moment the server accepts connections to `/health` 200."""
QUICK_S = 0.5
"""Longest for whatever does not need the database; on an idle machine it is a few milliseconds."""
SETTLE_S = 2.0
"""What a data call waits for a pipeline that a person has just started."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A cluster of this module's own: it is killed again and again."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def lasting_database(server: PostgresServer) -> Iterator[Database]:
    """A database that the tests of this module share."""
    with fresh_database(server, with_tables=True) as database:
        yield database


@pytest.fixture
def database(server: PostgresServer, lasting_database: Database) -> Database:
    """That database; its server is brought back first if a test left it dead."""
    server.start()
    return lasting_database


@contextlib.contextmanager
def sidecar_on(database: Database, **changes: object) -> Iterator[Sidecar]:
    """Run a sidecar that is ready on a database."""
    with Sidecar(stdio=True, env={"TASKFLOW_EMBEDDED": "0"}) as sidecar:
        sidecar.save_connection({**database.fields(), **changes})
        yield sidecar.wait_healthy()


@pytest.fixture(scope="module")
def lasting_sidecar(lasting_database: Database) -> Iterator[Sidecar]:
    """A sidecar that the tests of this module share."""
    with sidecar_on(lasting_database) as sidecar:
        yield sidecar


@pytest.fixture
def sidecar(lasting_sidecar: Sidecar, database: Database) -> Sidecar:
    """That sidecar, ready."""
    return lasting_sidecar.wait_healthy()


@pytest.fixture
def proxy(server: PostgresServer) -> Iterator[TcpProxy]:
    """A network in front of the cluster that can be made to fail."""
    with TcpProxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def distant(database: Database, proxy: TcpProxy) -> Iterator[Sidecar]:
    """A sidecar that is ready on that database, through that network."""
    with sidecar_on(database, port=proxy.port) as sidecar:
        yield sidecar


@pytest.fixture
def own_database(server: PostgresServer) -> Iterator[Database]:
    """A database whose owner a test may change."""
    server.start()
    with fresh_database(server, with_tables=True) as database:
        yield database


@pytest.fixture
def own_sidecar(own_database: Database) -> Iterator[Sidecar]:
    """A sidecar that is ready on it."""
    with sidecar_on(own_database) as sidecar:
        yield sidecar.wait_settled()


_numbers = itertools.count()


def new_member() -> dict[str, str]:
    """Make the body of a new member, with an email of its own."""
    return {"name": "Ada", "email": f"ada.{next(_numbers)}@example.org"}


def first_accepted(database: Database, outcome: list[float]) -> None:
    """Put down when the server first accepts a connection again."""
    fields = database.fields()

    def accepts() -> bool:
        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(
                host=fields["host"],
                port=fields["port"],
                dbname=fields["database"],
                user=fields["username"],
                password=fields["password"],
            ).close()
            return True
        return False

    wait_until(accepts, timeout_s=30, interval_s=0.01, what="the server")
    outcome.append(time.monotonic())


def assert_away(answer: Answer) -> None:
    """Check that a data call was told what the contract promises while the database is away."""
    assert (answer.status, answer.error, answer.headers.get("retry-after")) == (503, LOST, "5"), answer


@pytest.mark.parametrize(
    ("end", "outage_s"),
    [
        pytest.param("kill9", 0.0, id="killed"),
        pytest.param("kill9", 2.0, id="killed-and-long-away"),
        pytest.param("immediate", 1.5, id="stopped"),
    ],
)
def test_lost_server_and_its_return_show_in_time(
    sidecar: Sidecar, database: Database, end: StopMode | str, outage_s: float
) -> None:
    """Under a steady stream of reads and writes: 503 within 2 s, 200 within 1 s of the return, never a 500."""
    server = database.server
    reads = Stream(sidecar, "GET", MEMBERS, clients=2)
    writes = Stream(sidecar, "POST", MEMBERS, new_member, clients=2)
    accepted: list[float] = []
    with Stream(sidecar, "GET", "/health") as health, reads, writes:
        for stream in (reads, writes):
            wait_until(lambda: len(stream.answers) >= 5, timeout_s=10, what="requests")  # noqa: B023
        killed_at = time.monotonic()
        if end == "kill9":
            server.kill9()
        else:
            server.stop("immediate")
        noticed = health.wait_for(503, since=killed_at)
        threading.Event().wait(outage_s)  # the outage itself, not a guess about the sidecar
        server.start(wait=False)
        first_accepted(database, accepted)
        healed = health.wait_for(200, since=noticed.answered_at)
        reads.wait_for(200, since=healed.sent_at)
        writes.wait_for(201, since=healed.sent_at)

    failed_uses = [answer for stream in (reads, writes) for answer in stream.answers if answer.status == 503]
    first_failure_at = min(answer.answered_at for answer in failed_uses)
    noticed_s = noticed.answered_at - first_failure_at
    back_s = healed.answered_at - accepted[0]
    print(f"noticed {noticed_s:.3f} s after the first failed use, back {back_s:.3f} s after the server")
    assert noticed_s < NOTICED_WITHIN_S
    assert back_s < BACK_WITHIN_S
    assert reads.statuses() == {200, 503}
    assert writes.statuses() == {201, 503}
    assert health.statuses() == {200, 503}
    for answer in failed_uses:
        assert_away(answer)
    in_between = [a for a in reads.after(noticed.answered_at) if a.answered_at < accepted[0]]
    assert {answer.status for answer in in_between} == {503}
    assert max(answer.elapsed_s for answer in health.answers) < QUICK_S
    created = [answer for answer in writes.answers if answer.status == 201]
    assert database.query("SELECT count(*) FROM members")[0][0] >= len(created)


def test_healthy_again_means_that_the_next_call_works(sidecar: Sidecar, database: Database) -> None:
    """With connections left from before the restart, whether it was noticed or too short for that."""
    with Stream(sidecar, "GET", MEMBERS, clients=4) as reads:
        wait_until(lambda: len(reads.answers) >= 8, timeout_s=10, what="several connections")
    first_answers = []
    for _ in range(5):
        database.server.restart("immediate")
        sidecar.wait_healthy()
        first_answers.append(ask_once(sidecar, "POST", MEMBERS, new_member()).status)
        first_answers.append(ask_once(sidecar, "GET", MEMBERS).status)

    assert first_answers == [201, 200] * 5


def test_lost_server_is_noticed_without_any_use(sidecar: Sidecar, database: Database) -> None:
    """The heartbeat alone finds the loss, and the launcher hears of loss and return."""
    with Stream(sidecar, "GET", "/health") as health:
        killed_at = time.monotonic()
        database.server.kill9()

        noticed = health.wait_for(503, since=killed_at)

        assert noticed.answered_at - killed_at < HEARTBEAT_S + NOTICED_WITHIN_S
        lost = sidecar.wait_for_event("state", where=lambda event: event["state"] == "reconnecting")
        assert lost["problem"]["code"] in {"connection-refused", "connection-lost"}
        assert lost["problem"]["retryable"] is True
        assert noticed.error == sidecar.status()["problem"]["message"]
        database.server.start()
        sidecar.wait_healthy()

    def told() -> list[str]:
        return [event["state"] for event in sidecar.events if event["event"] == "state"][-2:]

    wait_until(lambda: told() == ["reconnecting", "ready"], timeout_s=2, what=lambda: f"the launcher to hear: {told()}")


def test_terminated_backends_do_not_flap_health(sidecar: Sidecar, database: Database) -> None:
    """An administrator who ends one session, or all of them, makes requests fail at most: the server is there."""
    server = database.server
    wait_until(lambda: sidecar.events[-1].get("state") == "ready", timeout_s=10, what="readiness to be told")
    told_before = len(sidecar.events)
    with (
        Stream(sidecar, "GET", "/health", interval_s=0.005) as health,
        Stream(sidecar, "GET", MEMBERS, clients=3) as reads,
        Stream(sidecar, "POST", MEMBERS, new_member) as writes,
    ):
        for _ in range(15):
            server.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE starts_with(application_name, 'taskflow-sidecar') ORDER BY random() LIMIT 1"
            )
            reads.wait_for(200, since=time.monotonic())
        for _ in range(5):
            server.terminate_sessions()
            reads.wait_for(200, since=time.monotonic())
        writes.wait_for(201, since=time.monotonic())

    assert health.statuses() == {200}
    assert reads.statuses() <= {200, 503}
    assert writes.statuses() <= {201, 503}
    for answer in (*reads.answers, *writes.answers):
        if answer.status == 503:
            assert_away(answer)
    assert sidecar.events[told_before:] == []


def test_server_without_a_free_connection_stays_healthy(own_database: Database) -> None:
    """Requests take turns on the connections that the sidecar has, and none of it counts as a loss."""
    database = own_database
    database.execute(f"ALTER ROLE {database.username} CONNECTION LIMIT 3")
    with Sidecar(stdio=True, env={"TASKFLOW_DATABASE_URL": database.url}) as sidecar:
        sidecar.wait_healthy()
        with Stream(sidecar, "GET", "/health") as health, database.server.connect(database.name) as holder:
            holder.autocommit = False
            holder.cursor().execute("LOCK TABLE members")
            requests = [Pending(sidecar, "GET", MEMBERS) for _ in range(6)]
            wait_until(lambda: waiting_for_locks(database) >= 2, timeout_s=20, what="some to wait for the table")

            holder.rollback()
            answers = [request.answer() for request in requests]
        assert {answer.status for answer in answers} == {200}
        assert health.statuses() == {200}


def test_black_hole_under_a_ready_sidecar_blocks_nothing(distant: Sidecar, proxy: TcpProxy, database: Database) -> None:
    """Packets vanish: `/health` tells it, a hundred requests are freed, everything else answers, the network heals."""
    with Stream(distant, "GET", "/health") as health:
        swallowed_at = time.monotonic()
        proxy.black_hole()
        answers = ask_at_once(distant, "GET", MEMBERS, times=60)
        answers += ask_at_once(distant, "POST", MEMBERS, new_member(), times=40)
        freed_at = time.monotonic()
        noticed = health.wait_for(503, since=swallowed_at)
        others = [
            ask_once(distant, method, path)
            for method, path in [
                ("GET", "/health"),
                ("GET", "/api/v1/status"),
                ("GET", "/api/v1/settings/connection"),
                ("POST", "/api/v1/settings/retry"),
                ("GET", MEMBERS),
            ]
        ]
        healed_at = time.monotonic()
        proxy.pass_through()
        healthy = health.wait_for(200, since=healed_at)
        assert ask_once(distant, "GET", MEMBERS).status == 200

    print(f"noticed after {noticed.answered_at - swallowed_at:.3f} s, freed after {freed_at - swallowed_at:.3f} s")
    print(f"back {healthy.answered_at - healed_at:.3f} s after the network")
    for answer in answers:
        assert_away(answer)
    assert noticed.answered_at - swallowed_at < HEARTBEAT_S + NOTICED_WITHIN_S
    assert freed_at - swallowed_at < HEARTBEAT_S + NOTICED_WITHIN_S + 1
    assert healthy.answered_at - healed_at < BACK_WITHIN_S
    assert [answer.status for answer in others] == [503, 200, 200, 202, 503]
    # the last one met a pipeline that was just started, and waited for it
    assert max(answer.elapsed_s for answer in (*others[:-1], *health.answers)) < QUICK_S
    assert others[-1].elapsed_s < SETTLE_S + QUICK_S


def test_black_hole_under_a_ready_sidecar_does_not_delay_shutdown(distant: Sidecar, proxy: TcpProxy) -> None:
    """A stop that is asked for while requests wait for a dead network ends within the grace period, with 0."""
    proxy.black_hole()
    waiting = [Pending(distant, "GET", MEMBERS) for _ in range(20)]

    asked_at = time.monotonic()
    assert ask_once(distant, "POST", "/api/v1/shutdown").status == 202

    assert distant.wait_for_exit() == 0
    assert time.monotonic() - asked_at < 5
    assert {request.answer().status for request in waiting} <= {0, 503}
    assert distant.events[-1] == {"event": "exit", "code": "stopped"}


def test_black_hole_at_start_blocks_nothing(database: Database) -> None:
    """While the first attempt hangs: all calls are quick, saves and retries count at once, the network is given up."""
    with (
        black_hole() as (host, port),
        Sidecar(stdio=True, env={"TASKFLOW_EMBEDDED": "0"}) as sidecar,
    ):
        sidecar.wait_for_state("setup_required")
        dark = {**database.fields(), "host": host, "port": port}
        sidecar.save_connection(dark)
        sidecar.wait_for(lambda document: stage(document, "connect")["state"] == "running")
        calls: list[tuple[str, str, object]] = [
            ("GET", "/health", None),
            ("GET", "/health/live", None),
            ("GET", "/api/v1/status", None),
            ("POST", "/api/v1/settings/retry", None),
            ("GET", "/api/v1/settings/connection", None),
            ("POST", "/api/v1/settings/save-connection", dark),
            ("DELETE", "/api/v1/settings/connection", None),
        ]
        for round_number in range(3):
            answers = [ask_once(sidecar, *call) for call in calls]

            assert [answer.status for answer in answers] == [503, 200, 200, 202, 200, 200, 204], round_number
            assert max(answer.elapsed_s for answer in answers) < QUICK_S
            sidecar.wait_for_state("setup_required", timeout_s=2)
            sidecar.save_connection(dark)
            sidecar.wait_for(lambda document: stage(document, "connect")["state"] == "running", timeout_s=2)

        data_call = ask_once(sidecar, "GET", MEMBERS)  # waits a little for what was just saved
        assert (data_call.status, data_call.elapsed_s < SETTLE_S + QUICK_S) == (503, True)
        saved_at = time.monotonic()
        sidecar.save_connection(database.fields())
        sidecar.wait_healthy()
        assert time.monotonic() - saved_at < 2

        sidecar.save_connection(dark)
        sidecar.wait_for(lambda document: stage(document, "connect")["state"] == "running")
        stopped_at = time.monotonic()
        assert sidecar.stop() == 0
        assert time.monotonic() - stopped_at < 2


def stage(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Find a stage in the status document."""
    return next(entry for entry in document["stages"] if entry["name"] == name)


def test_stopped_server_is_a_loss_and_its_return_is_seen(sidecar: Sidecar, database: Database) -> None:
    """Processes that were halted still acknowledge packets; neither health nor requests wait for them."""
    victims = [psutil.Process(database.server.pid), *processes.descendants(database.server.pid)]
    with Stream(sidecar, "GET", "/health") as health:
        halted_at = time.monotonic()
        try:
            for victim in victims:
                victim.suspend()
            answers = ask_at_once(sidecar, "GET", MEMBERS, times=30)
            noticed = health.wait_for(503, since=halted_at)
        finally:
            for victim in reversed(victims):
                victim.resume()
        resumed_at = time.monotonic()
        healed = health.wait_for(200, since=resumed_at)

    assert noticed.answered_at - halted_at < HEARTBEAT_S + NOTICED_WITHIN_S
    assert healed.answered_at - resumed_at < BACK_WITHIN_S
    for answer in answers:
        assert_away(answer)
        assert answer.elapsed_s < HEARTBEAT_S + NOTICED_WITHIN_S + 1
    assert max(answer.elapsed_s for answer in health.answers) < QUICK_S


def test_sessions_that_hang_are_replaced(sidecar: Sidecar, database: Database) -> None:
    """When only our sessions hang, new ones take their place by themselves."""
    ours = "FROM pg_stat_activity WHERE starts_with(application_name, 'taskflow-sidecar') AND datname = %s"
    wait_until(
        lambda: database.query(f"SELECT 1 {ours} AND starts_with(query, 'SELECT clock_timestamp()')", (database.name,)),
        timeout_s=30,
        what="the heartbeat's session",
    )
    rows = database.query(f"SELECT pid {ours}", (database.name,))
    victims = [psutil.Process(pid) for (pid,) in rows]
    try:
        for victim in victims:
            victim.suspend()
        halted_at = time.monotonic()
        with Stream(sidecar, "GET", "/health") as health:
            noticed = health.wait_for(503, since=halted_at)
            health.wait_for(200, since=noticed.answered_at, timeout_s=3)
            assert ask_once(sidecar, "GET", MEMBERS).status == 200
    finally:
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.resume()
    wait_until(lambda: not any(map(processes.is_running, victims)), timeout_s=30, what="the old sessions to end")


def test_requests_in_flight_finish_on_the_old_engine(own_sidecar: Sidecar, own_database: Database) -> None:
    """A retry, and a save of another database, leave what runs alone: it ends where it began."""
    sidecar, database = own_sidecar, own_database
    body = new_member()
    assert ask_once(sidecar, "POST", MEMBERS, body).status == 201
    with fresh_database(database.server, with_tables=True) as other, database.server.connect(database.name) as holder:
        holder.autocommit = False
        holder.cursor().execute("LOCK TABLE members")
        reading = Pending(sidecar, "GET", MEMBERS)
        writing = Pending(sidecar, "POST", MEMBERS, {**body, "email": "grace@example.org"})
        wait_until(lambda: waiting_for_locks(database) == 2, timeout_s=30, what="both requests to wait")

        assert ask_once(sidecar, "POST", "/api/v1/settings/retry").status == 202
        sidecar.wait_healthy()
        sidecar.save_connection(other.fields())
        sidecar.wait_for(lambda document: (document["database"] or {}).get("database") == other.name)
        sidecar.wait_healthy()
        assert ask_once(sidecar, "GET", MEMBERS).body == b"[]"
        assert not reading.is_answered
        holder.rollback()

        assert reading.answer().status == 200
        assert body["email"].encode() in reading.answer().body
        assert writing.answer().status == 201
        assert database.query("SELECT count(*) FROM members") == [(2,)]
        wait_until(lambda: database.sessions() == 0, timeout_s=30, what="the old engines to close")
        assert ask_once(sidecar, "DELETE", "/api/v1/settings/connection").status == 204


def test_writes_that_hang_hold_up_nobody_else(sidecar: Sidecar, database: Database) -> None:
    """Forty of them wait for a locked table: reads are answered at once, and health tells of the server only."""
    with database.server.connect(database.name) as holder:
        holder.autocommit = False
        holder.cursor().execute("LOCK TABLE tasks IN EXCLUSIVE MODE")
        task = {"title": "x", "status": "To Do", "priority": "Low"}
        writing = [Pending(sidecar, "POST", "/api/v1/tasks", task) for _ in range(40)]
        wait_until(lambda: waiting_for_locks(database) >= 10, timeout_s=4, what="writes to wait")

        reads = [ask_once(sidecar, "GET", path) for path in ("/api/v1/tasks", MEMBERS, "/health") for _ in range(3)]
        holder.rollback()

    assert {read.status for read in reads} == {200}
    assert max(read.elapsed_s for read in reads) < 2.0  # far from the 5 s that a lock is waited for
    assert {write.answer().status for write in writing} == {201}


def waiting_for_locks(database: Database) -> int:
    """Count the sessions that wait for a table's lock."""
    rows = database.query(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s", (database.name,)
    )
    return int(rows[0][0])


def test_nothing_leaks_over_many_runs_and_losses(own_sidecar: Sidecar, own_database: Database) -> None:
    """After 50 re-runs and 50 losses the sidecar holds as many sessions, threads and files as after the first few."""
    sidecar, database = own_sidecar, own_database
    process = psutil.Process(sidecar.pid)

    def settle() -> tuple[int, int]:
        wait_until(lambda: sidecar.health()[0] == 200, timeout_s=10, what="readiness")
        ask_once(sidecar, "GET", MEMBERS)
        # the heartbeat's, which calls borrow, and those that maintenance and the checks of keys wanted at the same time
        few = range(1, 5)
        wait_until(lambda: database.sessions() in few, timeout_s=10, what=lambda: f"few sessions, not {session_list()}")
        return process.num_threads(), process.num_fds()

    def session_list() -> object:
        return database.query("SELECT pid, state, query, backend_start FROM pg_stat_activity")

    with Stream(sidecar, "GET", MEMBERS, clients=2) as reads:
        for _ in range(5):
            ask_once(sidecar, "POST", "/api/v1/settings/retry")
            end_sessions(database)
            reads.wait_for(200, since=time.monotonic())
    ask_once(sidecar, "POST", "/api/v1/settings/retry")
    before = settle()

    with Stream(sidecar, "GET", MEMBERS, clients=2) as reads:
        for number in range(50):
            ask_once(sidecar, "POST", "/api/v1/settings/retry")
            if number % 2:  # every other time the new run is lost, or replaced, before it is ready
                reads.wait_for(200, since=time.monotonic())
            end_sessions(database)
    ask_once(sidecar, "POST", "/api/v1/settings/retry")
    after = settle()

    assert reads.statuses() <= {200, 503}
    assert after[0] <= before[0] + 2, (before, after)
    assert after[1] <= before[1] + 2, (before, after)


def end_sessions(database: Database) -> None:
    """End the sidecar's sessions in a database without waiting for each."""
    database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE starts_with(application_name, 'taskflow-sidecar') AND datname = current_database()"
    )


def test_password_changed_under_a_ready_sidecar_is_tried_once(own_sidecar: Sidecar, own_database: Database) -> None:
    """When the sessions are gone, one attempt finds out, however many requests come; a save of the new one heals."""
    sidecar, database = own_sidecar, own_database
    server = database.server
    with Stream(sidecar, "GET", MEMBERS, clients=8) as reads:
        wait_until(lambda: len(reads.answers) >= 20, timeout_s=10, what="requests")
        server.execute(f"ALTER ROLE {database.username} PASSWORD 'another'")
        reads.wait_for(200, since=time.monotonic())  # open sessions go on
        server.terminate_sessions()
        document = sidecar.wait_for_state("failed")
        ended_at = time.monotonic()
        # long enough for heartbeats and a first round of backoff to try again, if they did
        reads.wait_for(503, since=ended_at + 1.5)

    assert document["problem"]["code"] == "password-rejected"
    assert document["problem"]["next_retry_in_s"] > 200
    assert stage(sidecar.status(), "connect")["state"] == "failed"
    assert server.log_text().count(f'password authentication failed for user "{database.username}"') == 1
    assert {answer.error for answer in reads.after(ended_at)} == {document["problem"]["message"]}
    assert reads.statuses() == {200, 503}
    sidecar.save_connection({**database.fields(), "password": "another"})
    sidecar.wait_healthy()


def test_password_changed_while_the_server_restarts_is_tried_once(own_sidecar: Sidecar, own_database: Database) -> None:
    """The server goes down and comes back with another password: retried while it is down, given up when it answers."""
    sidecar, database = own_sidecar, own_database
    server = database.server
    server.execute(f"ALTER ROLE {database.username} PASSWORD 'another'")
    server.kill9()
    sidecar.wait_for_state("reconnecting")
    server.start()

    problem = sidecar.wait_for_problem("password-rejected")

    assert (problem["retryable"], problem["who"]) == (False, "you")
    assert sidecar.status()["state"] == "failed"
    assert server.log_text().count(f'password authentication failed for user "{database.username}"') == 1


def test_embedded_database_that_is_moved_away_is_a_loss() -> None:
    """A file that vanishes is noticed; when it is back, so are its contents."""
    with Sidecar() as sidecar:
        sidecar.wait_healthy()
        body = new_member()
        assert ask_once(sidecar, "POST", MEMBERS, body).status == 201
        file = SqliteDatabase(sidecar.data_dir).file
        with Stream(sidecar, "GET", MEMBERS) as reads:
            sidecar.data_dir.rename(sidecar.data_dir.with_name("elsewhere"))
            sidecar.data_dir.touch()  # neither a directory nor creatable as one

            document = sidecar.wait_for(lambda document: document["problem"] is not None)

            sidecar.data_dir.unlink()
            sidecar.data_dir.with_name("elsewhere").rename(sidecar.data_dir)
            ask_once(sidecar, "POST", "/api/v1/settings/retry")
            sidecar.wait_healthy()
            assert body["email"].encode() in reads.wait_for(200, since=time.monotonic()).body
        assert file.exists()
        assert document["state"] in {"reconnecting", "failed"}
        assert reads.statuses() <= {200, 503}


def test_halted_sidecar_recovers_by_itself(sidecar: Sidecar) -> None:
    """A process that was stopped and continued, as a laptop's sleep does, is healthy again at once."""
    with Stream(sidecar, "GET", MEMBERS) as reads:
        for _ in range(2):
            sidecar.send_signal(signal.SIGSTOP)
            wait_until(
                lambda: psutil.Process(sidecar.pid).status() == psutil.STATUS_STOPPED, timeout_s=5, what="the stop"
            )
            threading.Event().wait(HEARTBEAT_S + 0.2)  # a heartbeat is due and missed
            sidecar.send_signal(signal.SIGCONT)
            reads.wait_for(200, since=time.monotonic(), timeout_s=3)

        assert sidecar.is_running
        sidecar.wait_healthy(timeout_s=3)
