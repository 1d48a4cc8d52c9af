"""`Idempotency-Key`: a request that is repeated is carried out once, also when nobody knows whether it was."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.support.databases import fresh_database
from tests.support.network import TcpProxy
from tests.support.postgres import PostgresServer
from tests.support.sidecar import Sidecar
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.support.databases import Backend, Database

MEMBERS = "/api/v1/members"
ADA = {"name": "Ada", "email": "ada@example.com"}
REUSED = "The Idempotency-Key was used for another request before"
MALFORMED = "header.Idempotency-Key: Input should be 1 to 255 printable ASCII characters"


def post(sidecar: Sidecar, body: Any, key: str | bytes | None) -> httpx.Response:
    """Add a member."""
    # httpx takes names and values as bytes too, for what is no ASCII
    headers: Any = {} if key is None else {"Idempotency-Key": key}
    return sidecar.request("POST", MEMBERS, json=body, headers=headers)


def emails(sidecar: Sidecar) -> list[str]:
    """Whose members there are."""
    return sorted(member["email"] for member in sidecar.request("GET", MEMBERS).json())


def connect(sidecar: Sidecar, fields: Any) -> None:
    """Save a connection and wait until it is used."""
    sidecar.wait_healthy()
    sidecar.save_connection(fields)
    sidecar.wait_for(lambda document: document["mode"] == "postgresql" and document["state"] == "ready")


# Repetition


def test_repeated_request_gets_the_same_answer(any_backend: Backend) -> None:
    """Status, body and version, whatever became of the member; and there is one."""
    sidecar = any_backend.sidecar
    first = post(sidecar, ADA, "key-1")
    assert first.status_code == 201
    sidecar.request("PATCH", f"{MEMBERS}/{first.json()['id']}", json={"name": "Renamed"})

    again = post(sidecar, ADA, "key-1")

    assert (again.status_code, again.content) == (201, first.content)
    for name in ("ETag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert emails(sidecar) == [ADA["email"]]


def test_same_request_may_be_written_differently(any_backend: Backend) -> None:
    """What counts is what it says: spaces, order, defaults and unknown fields do not."""
    sidecar = any_backend.sidecar
    first = post(sidecar, ADA, "key-1")

    again = post(sidecar, {"extra": 1, "email": " ada@example.com ", "active": True, "name": "Ada"}, "key-1")

    assert (again.status_code, again.content) == (201, first.content)


def test_key_of_another_request_is_refused(any_backend: Backend) -> None:
    """It would get an answer to what it did not ask; nothing is created, and the first one's answer stays."""
    sidecar = any_backend.sidecar
    first = post(sidecar, ADA, "key-1")

    other = post(sidecar, {**ADA, "name": "Bob"}, "key-1")

    assert (other.status_code, other.json()) == (422, {"error": REUSED})
    assert other.headers["Taskflow-Error-Code"] == "idempotency-key-reused"
    assert post(sidecar, ADA, "key-1").content == first.content
    assert emails(sidecar) == [ADA["email"]]


@pytest.mark.parametrize("key", ["x", "a b", "~", "k" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
def test_any_printable_text_is_a_key(any_backend: Backend, key: str) -> None:
    """Quoted as the draft standard has it, or not."""
    first, again = post(any_backend.sidecar, ADA, key), post(any_backend.sidecar, ADA, key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content


@pytest.mark.parametrize("key", ["", "k" * 256, "schlüssel".encode(), "a\tb", b"\xff"])
def test_malformed_key_is_refused(any_backend: Backend, key: str | bytes) -> None:
    """Nothing is created."""
    answer = post(any_backend.sidecar, ADA, key)

    assert (answer.status_code, answer.json()) == (400, {"error": MALFORMED})
    assert emails(any_backend.sidecar) == []


def test_failure_is_not_kept(any_backend: Backend) -> None:
    """Nothing was done, so that the same request may succeed later."""
    sidecar = any_backend.sidecar
    taken = post(sidecar, ADA, None).json()["id"]
    assert post(sidecar, {"name": "", "email": "x"}, "key-1").status_code == 400
    assert post(sidecar, ADA, "key-1").status_code == 409
    assert sidecar.request("DELETE", f"{MEMBERS}/{taken}").status_code == 204

    assert post(sidecar, ADA, "key-1").status_code == 201
    assert emails(sidecar) == [ADA["email"]]


def test_everything_that_is_created_can_be_repeated(any_backend: Backend) -> None:
    """Tasks, sub-tasks and daily updates too; a key counts for one kind of thing, and below one task."""
    sidecar = any_backend.sidecar
    author = post(sidecar, ADA, None).json()["id"]

    def twice(path: str, body: Any) -> str:
        first, again = (
            sidecar.request("POST", path, json=body, headers={"Idempotency-Key": "key-1"}) for _ in range(2)
        )
        assert (first.status_code, again.status_code) == (201, 201), first.text
        assert (first.content, first.headers["ETag"]) == (again.content, again.headers["ETag"])
        assert again.headers["Content-Type"] == first.headers["Content-Type"]
        return str(first.json()["id"])

    task = twice("/api/v1/tasks", {"title": "Build", "status": "To Do", "priority": "High"})
    other = sidecar.request("POST", "/api/v1/tasks", json={"title": "Test", "status": "Done", "priority": "Low"})
    twice(f"/api/v1/tasks/{task}/subtasks", {"title": "Dig"})
    twice(f"/api/v1/tasks/{task.upper()}/updates", {"author_id": author, "content": "Dug"})
    below_other = sidecar.request(
        "POST",
        f"/api/v1/tasks/{other.json()['id']}/subtasks",
        json={"title": "Dig"},
        headers={"Idempotency-Key": "key-1"},
    )

    assert (below_other.status_code, below_other.json()) == (422, {"error": REUSED})
    for table, count in (("tasks", 2), ("sub_tasks", 1), ("daily_updates", 1)):
        assert any_backend.database.query(f"SELECT count(*) FROM {table}") == [(count,)]


def test_without_a_key_nothing_is_kept(any_backend: Backend) -> None:
    """Two requests are two requests."""
    first = post(any_backend.sidecar, ADA, None)
    again = post(any_backend.sidecar, ADA, None)

    assert (first.status_code, again.status_code) == (201, 409)
    assert any_backend.database.query("SELECT count(*) FROM idempotency_keys") == [(0,)]


def test_many_at_once_create_one(any_backend: Backend) -> None:
    """Those that come while the first is being answered wait for its answer."""
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: post(any_backend.sidecar, ADA, "key-1"), range(24)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert emails(any_backend.sidecar) == [ADA["email"]]


def test_keys_are_forgotten_after_a_day(any_backend: Backend) -> None:
    """Not before; then the key is as good as new, and the table does not grow."""
    sidecar, database = any_backend.sidecar, any_backend.database
    for number in range(3):
        post(sidecar, {"name": "Ada", "email": f"{number}@example.com"}, f"key-{number}")
    age = {"sqlite": "strftime('%Y-%m-%dT%H:%M:%S.000000Z', 'now', '-{}')", "postgresql": "now() - interval '{}'"}
    expression = age[any_backend.name]
    database.execute(
        f"UPDATE idempotency_keys SET created_at = {expression.format('1439 minutes')} WHERE key = 'key-0'"
    )
    database.execute(
        f"UPDATE idempotency_keys SET created_at = {expression.format('1441 minutes')} WHERE key <> 'key-0'"
    )

    assert post(sidecar, ADA, "key-0").status_code == 422
    assert post(sidecar, ADA, "key-1").status_code == 201
    assert sorted(database.query("SELECT key FROM idempotency_keys")) == [("key-0",), ("key-1",)]


def test_key_counts_across_a_restart_of_the_sidecar() -> None:
    """Its launch token is another one then; the client is the same."""
    with Sidecar() as sidecar:
        sidecar.wait_healthy()
        first = post(sidecar, ADA, "key-1")
        sidecar.stop()
        sidecar.start()
        sidecar.wait_healthy()

        again = post(sidecar, ADA, "key-1")

        assert (again.status_code, again.content) == (201, first.content)


def test_desktops_do_not_get_each_others_answers(postgres: PostgresServer) -> None:
    """Their clients choose keys without knowing of each other."""
    with fresh_database(postgres, with_tables=True) as database, Sidecar() as one, Sidecar() as other:
        for sidecar in (one, other):
            connect(sidecar, database.fields())

        assert post(one, ADA, "key-1").status_code == 201
        assert post(other, {**ADA, "email": "bob@example.com"}, "key-1").status_code == 201
        assert emails(one) == [ADA["email"], "bob@example.com"]


# Outages


class Outcome(NamedTuple):
    """A member that was added, and how often that was refused before."""

    email: str
    identifier: str
    refusals: int


@pytest.fixture
def cluster() -> Iterator[PostgresServer]:
    """A server of the test's own, to be stopped."""
    with PostgresServer() as server:
        yield server


def _immediately(server: PostgresServer) -> None:
    server.stop("immediate")


@pytest.mark.parametrize(
    "end", [PostgresServer.stop, _immediately, PostgresServer.kill9], ids=["stopped", "dropped", "killed"]
)
def test_outage_amid_writes_creates_nothing_twice(
    cluster: PostgresServer, end: Callable[[PostgresServer], None]
) -> None:
    """Clients that try again until they succeed: each member once, each answered with what there is, each told."""
    with fresh_database(cluster, with_tables=True) as database, Sidecar() as sidecar:
        connect(sidecar, database.fields())
        stop = threading.Event()
        with ThreadPoolExecutor(6) as threads:
            clients = [threads.submit(_persist, sidecar, stop) for _ in range(6)]
            for _ in range(2):
                _wait_for_more(database, 20)
                end(cluster)
                assert sidecar.wait_for_state("reconnecting")
                cluster.start()
                sidecar.wait_healthy()
            _wait_for_more(database, 20)
            stop.set()
            outcomes = [outcome for client in clients for outcome in client.result(60)]

        kept = dict(database.query("SELECT email, id::text FROM members"))
        assert {outcome.email: outcome.identifier for outcome in outcomes} == kept
        assert any(outcome.refusals for outcome in outcomes), "no request met the outage"
        changes = database.query("SELECT resource_id FROM changes WHERE resource = 'member'")
        assert sorted(row[0] for row in changes) == sorted(kept.values())
        assert database.query("SELECT count(*) FROM idempotency_keys") == [(len(kept),)]
        assert database.query("SELECT count(*) FROM idempotency_keys WHERE status <> 201") == [(0,)]


def _wait_for_more(database: Database, count: int) -> None:
    def members() -> int:
        return int(database.query("SELECT count(*) FROM members")[0][0])

    before = members()
    wait_until(lambda: members() >= before + count, timeout_s=20, what=f"{count} more members")


def _persist(sidecar: Sidecar, stop: threading.Event) -> list[Outcome]:
    """Add members, one after the other."""
    outcomes = []
    while not stop.is_set():
        key = str(uuid.uuid4())
        outcomes.append(_insist(sidecar, {"name": "Ada", "email": f"{key}@example.com"}, key))
    return outcomes


def _insist(sidecar: Sidecar, body: dict[str, str], key: str) -> Outcome:
    """Add a member, again and again with the same key until that is answered."""
    for refusals in range(1000):
        answer = post(sidecar, body, key)
        if answer.status_code == 201:
            return Outcome(body["email"], answer.json()["id"], refusals)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), answer.text
        time.sleep(0.05)
    raise TimeoutError("the database stayed away")


class Treacherous(TcpProxy):
    """Cuts the connection that commits a certain change, when it is armed: before or after the server does so."""

    def __init__(self, upstream_port: int, change: bytes = b"INSERT INTO members") -> None:
        super().__init__(upstream_port)
        self.change = change
        self.armed: str | None = None
        self.struck: socket.socket | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        """What happens after the commit, before the client hears that the connection is cut."""
        self.is_over = threading.Event()

    def _pump(self, source: socket.socket, sink: socket.socket, client: socket.socket) -> None:
        changes = False
        with contextlib.suppress(OSError):
            while (chunk := source.recv(65536)) and (source is client or self.struck is not client):
                changes = changes or self.change in chunk
                if self.armed is None or not changes or b"COMMIT" not in chunk:
                    sink.sendall(chunk)
                    continue
                armed, self.armed, self.struck = self.armed, None, client
                if armed == "after":
                    sink.sendall(chunk)
                    self.meanwhile()
                self.is_over.set()
                break
        if self.struck is client:
            self.is_over.wait(30)
        for side in (source, sink):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_commit_of_unknown_outcome_is_found_out_by_the_repetition(postgres: PostgresServer, moment: str) -> None:
    """The connection breaks while it commits: carried out once more, as the key allows, it leads to exactly one."""
    with (
        fresh_database(postgres, with_tables=True) as database,
        Treacherous(postgres.port) as network,
        Sidecar() as sidecar,
    ):
        connect(sidecar, {**database.fields(), "port": network.port, "sslmode": "disable"})
        network.armed = moment

        answer = post(sidecar, ADA, "key-1")

        assert network.struck
        assert answer.status_code == 201, answer.text
        sidecar.wait_healthy()
        outcome = _insist(sidecar, ADA, "key-1")
        assert outcome.identifier == answer.json()["id"]
        assert database.query("SELECT id::text, email FROM members") == [(outcome.identifier, ADA["email"])]


def test_commit_of_unknown_outcome_is_not_told_as_refused(postgres: PostgresServer) -> None:
    """The repetition gets no session any more: what it hears says nothing about what was sent before."""
    with (
        fresh_database(postgres, with_tables=True) as database,
        Treacherous(postgres.port) as network,
        Sidecar() as sidecar,
    ):
        connect(sidecar, {**database.fields(), "port": network.port, "sslmode": "disable"})

        def bar() -> None:
            wait_until(lambda: database.query("SELECT 1 FROM members"), timeout_s=10, what="the commit")
            postgres.execute(f'ALTER ROLE "{database.username}" NOLOGIN')
            postgres.terminate_sessions(database=database.name)
            # With the loss the sidecar may cut the connection by itself, and the answer is there.
            wait_until(lambda: is_answered.is_set() or sidecar.health()[0] == 503, timeout_s=10, what="the loss")

        is_answered = threading.Event()
        network.meanwhile, network.armed = bar, "after"
        try:
            answer = post(sidecar, ADA, "key-1")
        finally:
            is_answered.set()
            assert network.is_over.wait(30)
            postgres.execute(f'ALTER ROLE "{database.username}" LOGIN')

        assert network.struck
        told = (answer.status_code, answer.headers["Taskflow-Error-Code"], answer.headers["Retry-After"])
        assert told == (503, "connection-lost", "5"), answer.text
        sidecar.request("POST", "/api/v1/settings/retry")
        sidecar.wait_healthy()
        outcome = _insist(sidecar, ADA, "key-1")
        assert database.query("SELECT id::text FROM members") == [(outcome.identifier,)]


def test_deletion_of_unknown_outcome_is_not_carried_out_once_more(postgres: PostgresServer) -> None:
    """A key is for what is created: nothing is kept of a deletion, and a second one would find nothing."""
    with (
        fresh_database(postgres, with_tables=True) as database,
        Treacherous(postgres.port, b"DELETE FROM members") as network,
        Sidecar() as sidecar,
    ):
        connect(sidecar, {**database.fields(), "port": network.port, "sslmode": "disable"})
        member = f"{MEMBERS}/{post(sidecar, ADA, None).json()['id']}"
        network.meanwhile = lambda: wait_until(
            lambda: not database.query("SELECT 1 FROM members"), timeout_s=10, what="the commit"
        )
        network.armed = "after"

        answer = sidecar.request("DELETE", member, headers={"Idempotency-Key": "key-1"})

        assert network.struck
        assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (503, "connection-lost"), answer.text
