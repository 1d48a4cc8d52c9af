"""Live events: whatever any desktop changes arrives at every open stream, at once, and across outages."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]
import pytest

from app.core.readiness import Readiness
from app.db.session import Database as ProductDatabase
from app.db.session import open_sqlite
from app.schemas.members import MemberCreate
from app.services.work.members import Members
from tests.support import windows
from tests.support.databases import SqliteDatabase, fresh_database
from tests.support.events import PATH, RESYNC, EventStream, told
from tests.support.network import LOOPBACK, TcpProxy
from tests.support.pooler import Pooler
from tests.support.postgres import PostgresServer
from tests.support.sidecar import Sidecar
from tests.support.traffic import ask_once
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Backend, Database

MEMBERS = "/api/v1/members"
CHANGES = ("created", "updated", "deleted")
ELSEWHERE_S = 0.5
"""Within which a change of one desktop shows on another."""
POLLED_S = 1.0
GRACE_S = 5.0


def create(sidecar: Sidecar, name: str) -> dict[str, str]:
    """Add a member; return the event that tells it."""
    answer = sidecar.request("POST", MEMBERS, json={"name": name, "email": f"{name}@example.com"})
    assert answer.status_code == 201, answer.text
    return told("member", answer.json()["id"], "created")


def create_at_once(sidecar: Sidecar, prefix: str, count: int) -> list[dict[str, str]]:
    """Add members over several connections at the same time."""

    def one(number: int) -> dict[str, str]:
        name = f"{prefix}{number}"
        answer = ask_once(sidecar, "POST", MEMBERS, {"name": name, "email": f"{name}@example.com"})
        assert answer.status == 201, answer.body
        return told("member", _id_in(answer.body), "created")

    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(one, range(count)))


def _id_in(body: bytes) -> str:
    return body.decode().split('"id":"')[1].split('"')[0]


def by_id(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort, to compare without regard to order."""
    return sorted(events, key=lambda event: str(event.get("id")))


# What is told


def test_each_change_of_a_member_is_told(any_backend: Backend) -> None:
    """Created, really updated, deleted; what was refused or changed nothing is not told."""
    sidecar = any_backend.sidecar
    with EventStream(sidecar) as stream:
        created = create(sidecar, "ada")
        path = f"{MEMBERS}/{created['id']}"
        assert sidecar.request("POST", MEMBERS, json={"name": "B", "email": "ADA@example.com"}).status_code == 409
        assert sidecar.request("PATCH", path, json={"name": "ada"}).status_code == 200
        assert sidecar.request("PATCH", path, json={"name": "Ada"}).status_code == 200
        assert sidecar.request("DELETE", path, headers={"If-Match": '"another"'}).status_code == 412
        assert sidecar.request("DELETE", path).status_code == 204
        assert sidecar.request("DELETE", path).status_code == 404
        last = create(sidecar, "last")
        stream.wait_for(last)

    updated, deleted = told("member", created["id"], "updated"), told("member", created["id"], "deleted")
    assert stream.events == [created, updated, deleted, last]


def test_each_change_of_work_is_told(any_backend: Backend) -> None:
    """Tasks, sub-tasks, daily updates; what happens below a task changes the task."""
    sidecar = any_backend.sidecar
    author = create(sidecar, "ada")["id"]

    def ask(method: str, path: str, body: Any = None) -> Any:
        answer = sidecar.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()["id"] if answer.status_code == 201 else None

    with EventStream(sidecar) as stream:
        task = ask("POST", "/api/v1/tasks", {"title": "Build", "status": "To Do", "priority": "High"})
        path = f"/api/v1/tasks/{task}"
        ask("PATCH", path, {"status": "To Do"})
        ask("PATCH", path, {"status": "Done"})
        sub_task = ask("POST", f"{path}/subtasks", {"title": "Dig"})
        ask("PATCH", f"{path}/subtasks/{sub_task}/toggle")
        ask("DELETE", f"{path}/subtasks/{sub_task}")
        update = ask("POST", f"{path}/updates", {"author_id": author, "content": "Dug"})
        ask("PATCH", f"{path}/updates/{update}", {"content": "Dug"})
        ask("PATCH", f"{path}/updates/{update}", {"content": "Dug a hole"})
        ask("DELETE", f"{path}/updates/{update}")
        ask("DELETE", path)
        last = create(sidecar, "last")
        stream.wait_for(last)

    changed = told("task", task, "updated")
    assert stream.events == [
        told("task", task, "created"),
        changed,
        *(event for change in CHANGES for event in (told("sub_task", sub_task, change), changed)),
        *(event for change in CHANGES for event in (told("daily_update", update, change), changed)),
        told("task", task, "deleted"),
        last,
    ]


def test_stream_tells_from_the_moment_it_has_answered(any_backend: Backend) -> None:
    """However soon after the answer a change comes, and nothing of what was before."""
    for turn in range(20):
        create(any_backend.sidecar, f"before{turn}")
        with EventStream(any_backend.sidecar) as stream:
            expected = create(any_backend.sidecar, f"after{turn}")
            stream.wait_for(expected)
            assert stream.events == [expected]


def test_every_stream_is_told_everything_once_in_one_order(any_backend: Backend) -> None:
    """Also what many clients change at the same time."""
    sidecar = any_backend.sidecar
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(EventStream(sidecar)) for _ in range(4)]
        expected = create_at_once(sidecar, "member", 60)
        for stream in streams:
            stream.wait_for(*expected)

    assert by_id(streams[0].events) == by_id(expected)
    assert all(stream.events == streams[0].events for stream in streams)
    ids = [arrival.id for arrival in streams[0].arrivals]
    assert len(set(ids)) == len(ids)


def test_change_arrives_at_once(any_backend: Backend) -> None:
    """A window shows its own change without a noticeable wait."""
    with EventStream(any_backend.sidecar) as stream:
        waits = []
        for turn in range(10):
            started = time.monotonic()
            expected = create(any_backend.sidecar, f"member{turn}")
            waits.append(stream.wait_for(expected).at - started)

    assert sorted(waits)[5] < 0.2


# Going on after a break


def test_client_goes_on_where_it_was(any_backend: Backend) -> None:
    """With the id of the last event it got; also one that got none yet goes on from the beginning of its stream."""
    sidecar = any_backend.sidecar
    with EventStream(sidecar) as stream:
        stream.wait(lambda: stream.last_event_id, "an id before anything has happened")
    missed = [create(sidecar, f"missed{number}") for number in range(3)]

    with EventStream(sidecar, last_event_id=stream.last_event_id) as second:
        second.wait_for(*missed)
        later = create(sidecar, "later")
        second.wait_for(later)
    with EventStream(sidecar, last_event_id=second.arrivals[0].id) as third:
        third.wait_for(later)
    with EventStream(sidecar, last_event_id=second.last_event_id) as fourth:
        last = create(sidecar, "last")
        fourth.wait_for(last)

    assert second.events == [*missed, later]
    assert third.events == [*missed[1:], later]
    assert fourth.events == [last]


def test_client_goes_on_after_a_restart_of_the_sidecar() -> None:
    """What a position means is in the database."""
    with Sidecar() as sidecar:
        sidecar.wait_healthy()
        with EventStream(sidecar) as stream:
            stream.wait_for(create(sidecar, "first"))
        missed = create(sidecar, "missed")
        sidecar.stop()
        sidecar.start()
        sidecar.wait_healthy()

        with EventStream(sidecar, last_event_id=stream.last_event_id) as second:
            later = create(sidecar, "later")
            second.wait_for(later)

        assert second.events == [missed, later]


@pytest.mark.parametrize("unknown", ["1-1", "999999999-1", "yesterday", "0", "*", "9" * 400, "-1--1"])
def test_unknown_position_means_to_read_everything_anew(any_backend: Backend, unknown: str) -> None:
    """Of another database, of a log that was pruned since, or nonsense: once, and then as ever."""
    create(any_backend.sidecar, "before")
    with EventStream(any_backend.sidecar, last_event_id=unknown) as stream:
        later = create(any_backend.sidecar, "later")
        stream.wait_for(later)

    assert stream.events == [RESYNC, later]


def test_lost_log_means_to_read_everything_anew(any_backend: Backend) -> None:
    """Whatever happened to it while streams were open, none of them pretends to know."""
    with EventStream(any_backend.sidecar) as stream:
        stream.wait_for(create(any_backend.sidecar, "before"))
        any_backend.database.execute("DELETE FROM changes")
        later = create(any_backend.sidecar, "later")
        stream.wait_for(RESYNC)
        last = create(any_backend.sidecar, "last")
        stream.wait_for(last)

    assert stream.events[1] == RESYNC
    assert stream.events[-1] == last
    assert stream.events.count(later) <= 1


# Several desktops


@pytest.fixture
def desktops(postgres: PostgresServer) -> Iterator[tuple[Sidecar, Sidecar, Database]]:
    """Two sidecars on one database."""
    with fresh_database(postgres, with_tables=True) as database, Sidecar() as one, Sidecar() as other:
        for sidecar in (one, other):
            connect(sidecar, database.fields())
        yield one, other, database


def connect(sidecar: Sidecar, fields: Any) -> None:
    """Save a connection and wait until it is used."""
    sidecar.wait_healthy()
    sidecar.save_connection(fields)
    sidecar.wait_for(lambda document: document["mode"] == "postgresql" and document["state"] == "ready")


def listening(database: Database) -> int:
    """Count the sessions that listen."""
    return len(
        database.query("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^LISTEN'")
    )


def test_change_of_one_desktop_arrives_at_the_other(desktops: tuple[Sidecar, Sidecar, Database]) -> None:
    """Both ways, within half a second, and by a notification rather than by chance."""
    one, other, _ = desktops
    with EventStream(one) as at_one, EventStream(other) as at_other:
        for turn in range(10):
            for source, stream in ((one, at_other), (other, at_one)):
                started = time.monotonic()
                expected = create(source, f"{source.port}-{turn}")
                assert stream.wait_for(expected).at - started < ELSEWHERE_S
        wait_until(lambda: len(at_one.events) == len(at_other.events) == 20, timeout_s=30, what="all events")

    assert at_one.events == at_other.events


def test_many_streams_share_one_session(desktops: tuple[Sidecar, Sidecar, Database]) -> None:
    """Which there is only while somebody listens, and which leaves nothing behind."""
    one, _, database = desktops
    create(one, "first")
    sessions = database.sessions()
    assert listening(database) == 0

    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(EventStream(one)) for _ in range(20)]
        wait_until(lambda: listening(database) == 1, timeout_s=30, what="the session")
        expected = create(one, "second")
        for stream in streams:
            stream.wait_for(expected)
        assert listening(database) == 1

    wait_until(lambda: listening(database) == 0, timeout_s=10, what="the session to end")
    wait_until(lambda: database.sessions() <= sessions + 1, timeout_s=10, what="the other sessions to be as before")
    with EventStream(one) as stream:
        stream.wait_for(create(one, "third"))


def test_lost_session_is_replaced(desktops: tuple[Sidecar, Sidecar, Database]) -> None:
    """An administrator ended it, and nothing else."""
    one, other, database = desktops
    with EventStream(other) as stream:
        for turn in range(3):
            wait_until(lambda: listening(database) == 1, timeout_s=10, what="a session that listens")
            database.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query ~ '^LISTEN'"
            )
            started = time.monotonic()
            expected = create(one, f"member{turn}")
            assert stream.wait_for(expected).at - started < 2 * ELSEWHERE_S

    assert RESYNC not in stream.events


def test_changes_during_an_interrupted_network_are_caught_up(postgres: PostgresServer) -> None:
    """A desktop that was cut off is told what others did meanwhile, in order, and not to read everything anew."""
    with (
        fresh_database(postgres, with_tables=True) as database,
        TcpProxy(postgres.port) as network,
        Sidecar() as near,
        Sidecar() as far,
    ):
        connect(near, database.fields())
        connect(far, {**database.fields(), "port": network.port})
        with EventStream(far) as stream:
            expected = [create(near, "before")]
            stream.wait_for(*expected)
            for interrupt in (network.down, network.black_hole):
                interrupt()
                far.wait_for_state("reconnecting")
                expected += [create(near, f"{interrupt.__name__}{number}") for number in range(3)]
                network.pass_through()
                stream.wait_for(*expected)

            assert stream.events == expected
            expected.append(create(far, "own"))
            stream.wait_for(*expected)


@pytest.fixture
def cluster() -> Iterator[PostgresServer]:
    """A server of the test's own, to be stopped."""
    with PostgresServer() as server:
        yield server


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_nothing_is_missed_across_a_restart_of_the_server(cluster: PostgresServer, mode: Any) -> None:
    """Writers go on through it; whatever they got through is told to the stream of another desktop, once."""
    with fresh_database(cluster, with_tables=True) as database, Sidecar() as one, Sidecar() as other:
        for sidecar in (one, other):
            connect(sidecar, database.fields())
        with EventStream(other) as stream:
            stop = threading.Event()
            with ThreadPoolExecutor(2) as threads:
                writers = [threads.submit(_write_until, stop, one, f"{mode}{number}-") for number in range(2)]
                stream.wait(lambda: len(stream.events) > 20, "events before the restart")
                cluster.restart(mode)
                before = len(stream.events)
                stream.wait(lambda: len(stream.events) > before + 20, "events after the restart", timeout_s=30)
                stop.set()
                answered = {identifier for writer in writers for identifier in writer.result(30)}
            kept = {row[0] for row in database.query("SELECT id::text FROM members")}
            stream.wait(lambda: len(stream.events) >= len(kept), "all events")

        assert answered <= kept
        assert sorted(event["id"] for event in stream.events) == sorted(kept)


def _write_until(stop: threading.Event, sidecar: Sidecar, prefix: str) -> list[str]:
    created = []
    number = 0
    while not stop.is_set():
        number += 1
        body = {"name": prefix, "email": f"{prefix}{number}@example.com"}
        answer = ask_once(sidecar, "POST", MEMBERS, body)
        assert answer.status in (201, 503), answer.body
        if answer.status == 201:
            created.append(_id_in(answer.body))
    return created


@pytest.mark.parametrize("ignored", [(), ("options",)], ids=["refuses-parameters", "ignores-parameters"])
def test_behind_a_pooler_changes_are_polled(postgres: PostgresServer, ignored: tuple[str, ...]) -> None:
    """It would take a listening session's notifications for itself; changes arrive all the same, a little later."""
    with (
        fresh_database(postgres, with_tables=True) as database,
        Pooler(postgres, {database.username: database.password}, ignore_startup_parameters=ignored) as pooler,
        Sidecar() as direct,
        Sidecar() as pooled,
    ):
        connect(direct, database.fields())
        connect(pooled, pooler.dsn_fields(database=database.name, username=database.username))
        with EventStream(pooled) as stream:
            for turn in range(5):
                started = time.monotonic()
                expected = create(direct, f"member{turn}")
                assert stream.wait_for(expected).at - started < POLLED_S
            stream.wait_for(create(pooled, "own"))
            assert listening(database) == 0
        assert "pooler" in pooled.log_text()
        pooled.stop()


def test_server_without_a_session_to_spare_is_polled(cluster: PostgresServer) -> None:
    """The stream needs none of its own."""
    with fresh_database(cluster, with_tables=True) as database, Sidecar() as sidecar:
        connect(sidecar, database.fields())
        sidecar.wait_for(lambda status: status["vault"]["state"] == "unlocked")  # whose sessions are counted too
        create(sidecar, "before")
        sessions = database.sessions()
        cluster.execute(f"ALTER DATABASE {database.name} CONNECTION LIMIT {sessions}")
        with EventStream(sidecar) as stream:
            started = time.monotonic()
            expected = create(sidecar, "later")
            assert stream.wait_for(expected).at - started < POLLED_S
            assert listening(database) == 0


def test_other_process_on_the_embedded_database_is_noticed(tmp_path: Any) -> None:
    """Such as a command that works beside the running sidecar."""
    with Sidecar(config_dir=tmp_path / "config") as sidecar:
        sidecar.wait_healthy()
        readiness = Readiness()
        opened = open_sqlite(SqliteDatabase(sidecar.data_dir).file)
        readiness.begin_run().ready(opened.description)
        database = ProductDatabase(readiness)
        database.replace(opened)
        try:
            with EventStream(sidecar) as stream:
                started = time.monotonic()
                member = Members(database).create(MemberCreate("Ada", "ada@example.com"))
                assert stream.wait_for(told("member", member.id, "created")).at - started < POLLED_S
        finally:
            database.replace(None)


def test_another_database_means_to_read_everything_anew(postgres: PostgresServer) -> None:
    """The connection is saved anew, or deleted, while a stream is open; then the new one's changes are told."""
    with (
        fresh_database(postgres, with_tables=True) as first,
        fresh_database(postgres, with_tables=True) as second,
        Sidecar() as sidecar,
    ):
        connect(sidecar, first.fields())
        with EventStream(sidecar) as stream:
            expected = [create(sidecar, "first")]
            stream.wait_for(*expected)
            sidecar.save_connection(second.fields())
            sidecar.wait_for(lambda status: (status["database"] or {}).get("database") == second.name)
            sidecar.wait_healthy()
            stream.wait_for(RESYNC)
            expected += [RESYNC, create(sidecar, "second")]
            stream.wait_for(*expected)
            sidecar.request("DELETE", "/api/v1/settings/connection")
            sidecar.wait_for(lambda status: status["mode"] == "embedded" and status["state"] == "ready")
            stream.wait(lambda: stream.events.count(RESYNC) == 2, "the second gap")
            expected += [RESYNC, create(sidecar, "third")]
            stream.wait_for(expected[-1])

    assert stream.events == expected


# The stream itself


def test_stream_of_an_unready_sidecar_is_refused() -> None:
    """As every call for data."""
    with Sidecar(env={"TASKFLOW_EMBEDDED": "0"}) as sidecar:
        sidecar.wait_for_state("setup_required")

        answer = sidecar.request("GET", PATH)

        assert answer.status_code == 503
        assert "Retry-After" not in answer.headers  # it would not help: nothing is configured
        assert answer.json() == {"error": sidecar.status()["problem"]["message"]}


def test_stream_needs_the_token(any_backend: Backend) -> None:
    """And says what it is."""
    assert any_backend.sidecar.request("GET", PATH, token="0" * 64).status_code == 401
    head = any_backend.sidecar.request("HEAD", PATH)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"].startswith("text/event-stream")
    assert head.headers["Cache-Control"] == "no-store"


@pytest.mark.quiet
def test_stop_ends_streams_at_once(any_backend: Backend) -> None:
    """Those that are read, and those of windows that hang, which hold nobody else up before."""
    with Sidecar() as sidecar, contextlib.ExitStack() as stack:
        sidecar.wait_healthy()
        stream = stack.enter_context(EventStream(sidecar))
        for _ in range(5):
            hanging = stack.enter_context(contextlib.closing(socket.create_connection((LOOPBACK, sidecar.port))))
            hanging.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            head = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{sidecar.port}\r\nAuthorization: Bearer {sidecar.token}"
            hanging.sendall(f"{head}\r\n\r\n".encode())
        expected = create_at_once(sidecar, "member", 100)
        stream.wait_for(*expected)

        started = time.monotonic()
        assert sidecar.stop() == 0
        assert time.monotonic() - started < GRACE_S + 1 * windows.PATIENCE
        wait_until(lambda: stream.has_ended, timeout_s=30, what="the end of the stream")


def files_of(sidecar: Sidecar) -> int:
    """How many files it has open; of a Windows program, whose sockets Wine keeps elsewhere, connections to its port."""
    if not windows.IS_WINDOWS:
        return int(psutil.Process(sidecar.pid).num_fds())
    over = (psutil.CONN_LISTEN, psutil.CONN_TIME_WAIT)
    connections = psutil.net_connections("tcp")
    return sum(each.laddr.port == sidecar.port and each.status not in over for each in connections if each.laddr)


def test_clients_that_come_and_go_leave_nothing(any_backend: Backend) -> None:
    """Hundreds of streams, left at every moment of their beginning: the sidecar has no more files open than before."""
    sidecar = any_backend.sidecar
    create(sidecar, "first")
    head = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{sidecar.port}\r\nAuthorization: Bearer {sidecar.token}\r\n\r\n"
    before = files_of(sidecar)

    for turn in range(200):
        with socket.create_connection((LOOPBACK, sidecar.port)) as client:
            client.sendall(head.encode())
            if turn % 3:
                client.recv(10 ** (turn % 3))
    with EventStream(sidecar) as stream:
        stream.wait_for(create(sidecar, "second"))

    wait_until(
        lambda: files_of(sidecar) <= before + 2, timeout_s=15, what=lambda: f"{files_of(sidecar)} files to close"
    )
