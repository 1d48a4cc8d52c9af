"""The life of the process as its launcher sees it: handshake, events, exit statuses, and an end that never hangs."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import http.client
import json
import os
import secrets
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]
import pytest
from cryptography.fernet import Fernet

from tests.support import windows
from tests.support.canaries import find_canary, scan_files, scan_process
from tests.support.databases import fresh_database
from tests.support.network import LOOPBACK, black_hole, free_port
from tests.support.processes import is_running
from tests.support.real_parts import missing_part, require_binary
from tests.support.sidecar import COMMAND, Sidecar, clean_environment
from tests.support.traffic import Answer, Pending, Stream, ask_once
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.cold

MEMBERS = "/api/v1/members"
TOKEN = "0123456789abcdef" * 4
LOCK_KEY = 0x7461736B666C6F77
"""The advisory lock that every desktop's upgrade takes."""
ORPHAN_GONE_WITHIN_S = 2.0 * windows.PATIENCE
SESSIONS_GONE_WITHIN_S = 5.0 * windows.PATIENCE
GRACE_S = 5.0
PROMPT_S = 1.5 * windows.PATIENCE
"""Longest that a stop may take when nothing runs; mostly it is a quarter of a second."""
HEARTBEAT_S = 1.0
"""Pause between two looks at a ready database."""
NO_DATABASE = {"TASKFLOW_EMBEDDED": "0"}


@dataclass(frozen=True, slots=True)
class SlowCases:
    """What takes many seconds by its nature, begun before the other tests of this module."""

    late: Future[SlowEnd]
    """A sidecar whose handshake never comes to its end."""
    outlasted: Future[SlowEnd]
    """A sidecar that is asked to stop while requests wait for a lock that nobody releases."""
    clocks: Future[None]
    """A sidecar whose clock jumps; an error is what it could not stand."""
    quiet_stream: list[str]
    """Lines of a status stream while nothing changes."""


@dataclass(frozen=True, slots=True)
class SlowEnd:
    """How such a sidecar ended."""

    status: int
    took_s: float
    events: list[dict[str, Any]]
    stderr: str
    answers: list[Answer]
    sessions_ended: bool = True


@pytest.fixture(scope="module")
def slow_cases(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlowCases]:
    """Begin them."""
    with ThreadPoolExecutor() as executor, Sidecar(stdio=True, env=NO_DATABASE) as quiet:
        late = executor.submit(_wait_for_a_handshake)
        outlasted = executor.submit(_outlast_the_grace_period, postgres)
        clocks = executor.submit(_live_through_jumps, postgres, tmp_path_factory.mktemp("clock"))
        with status_events(quiet) as stream:
            yield SlowCases(late, outlasted, clocks, stream)


def _wait_for_a_handshake() -> SlowEnd:
    with Sidecar(stdio=True, handshake=b'{"protocol":1,') as sidecar:
        begun_at = time.monotonic()
        status = sidecar.wait_for_exit(20)
        return SlowEnd(status, time.monotonic() - begun_at, sidecar.events, sidecar.stderr_text(), [])


def _outlast_the_grace_period(postgres: PostgresServer) -> SlowEnd:
    with fresh_database(postgres, with_tables=True) as database, on_database(database) as sidecar:
        with postgres.connect(database.name) as holder:
            holder.autocommit = False
            holder.cursor().execute("LOCK TABLE members")
            requests = [Pending(sidecar, "GET", MEMBERS) for _ in range(3)]
            wait_until(lambda: _waiting_for_locks(database) == 3, timeout_s=30, what="the requests to wait")
            asked_at = time.monotonic()
            sidecar.send_signal(signal.SIGTERM)
            status = sidecar.wait_for_exit()
            took_s = time.monotonic() - asked_at
            with contextlib.suppress(TimeoutError):
                wait_until(lambda: database.sessions() == 0, timeout_s=SESSIONS_GONE_WITHIN_S, what="no session")
            answers = [request.answer() for request in requests]
            sessions_ended = database.sessions() == 0
        return SlowEnd(status, took_s, sidecar.events, sidecar.stderr_text(), answers, sessions_ended)


def _live_through_jumps(postgres: PostgresServer, directory: Path) -> None:
    require_binary("faketime", package="faketime")
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        missing_part("libfaketime is not where Debian puts it")
    clock = directory / "clock"
    clock.write_text("+0")
    env = {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        # A real jump of the wall clock leaves the monotonic clock alone.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Else the library ends every timed wait for a lock at once, and threads that wait for each other spin.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }
    with fresh_database(postgres, with_tables=True) as database:
        env["TASKFLOW_DATABASE_URL"] = database.url
        with Sidecar(stdio=True, env=env) as sidecar:
            sidecar.wait_healthy()
            with Stream(sidecar, "GET", "/health") as health, Stream(sidecar, "GET", MEMBERS) as reads:
                for days in (3000, -3000):
                    clock.write_text(f"{days:+}d")
                    year = str(time.gmtime(time.time() + days * 86_400).tm_year)
                    wait_until(
                        lambda: any(year in answer.headers["date"] for answer in health.answers[-1:]),  # noqa: B023
                        timeout_s=10,
                        what="the clock to jump",
                    )
                    body = {"name": "Ada", "email": f"ada{days}@example.org"}
                    assert ask_once(sidecar, "POST", MEMBERS, body).status == 201
                    reads.wait_for(200, since=time.monotonic())
                # and after a heartbeat has met the new time
                reads.wait_for(200, since=time.monotonic() + HEARTBEAT_S)

            assert health.statuses() == {200}
            assert reads.statuses() == {200}
            assert sidecar.stop() == 0


@contextlib.contextmanager
def on_database(database: Database) -> Iterator[Sidecar]:
    """Run a sidecar that is ready on a database."""
    with Sidecar(stdio=True, env={"TASKFLOW_DATABASE_URL": database.url}) as sidecar:
        yield sidecar.wait_healthy()


@pytest.fixture(autouse=True)
def _slow_cases_run_meanwhile(slow_cases: SlowCases) -> None:
    """Begin them with the first test of this module."""


@pytest.fixture(scope="module")
def ready() -> Iterator[Sidecar]:
    """A ready sidecar that tests share and leave running."""
    with Sidecar(stdio=True, token=TOKEN) as sidecar:
        yield sidecar.wait_healthy()


def handshake(**changes: object) -> bytes:
    """Make a handshake line; None leaves a field out."""
    message = {"protocol": 1, "token": TOKEN, **changes}
    return json.dumps({name: value for name, value in message.items() if value is not None}).encode() + b"\n"


def ended(sidecar: Sidecar, timeout_s: float = 10) -> tuple[int, list[dict[str, Any]]]:
    """Wait for the end; return exit status and events, every line of stdout being one."""
    return sidecar.wait_for_exit(timeout_s), sidecar.events


# Exit statuses


@pytest.mark.parametrize(
    ("args", "env"),
    [
        pytest.param(["--port", "65536"], {}, id="port-too-high"),
        pytest.param(["--log-level", "loud"], {}, id="log-level"),
        pytest.param(["--no-such-flag"], {}, id="unknown-flag"),
        pytest.param([], {"TASKFLOW_PORT": "eighty", "TASKFLOW_LOG_LEVEL": "info"}, id="variable"),
    ],
)
def test_wrong_usage_ends_with_2(args: list[str], env: dict[str, str]) -> None:
    """One sentence on stderr, no event: whoever started it so reads no events."""
    with Sidecar(stdio=True, port=None, args=args, env=env) as sidecar:
        assert ended(sidecar) == (2, [])
        assert sidecar.stderr_text().strip()
        assert "Traceback" not in sidecar.stderr_text()


def test_taken_port_ends_with_3() -> None:
    """Somebody else's listener is left alone."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, free_port()))
        listener.listen()
        with Sidecar(stdio=True, port=listener.getsockname()[1]) as sidecar:
            assert ended(sidecar) == (3, [{"event": "exit", "code": "port-in-use"}])
            assert "--port" in sidecar.stderr_text()


@pytest.mark.parametrize(
    ("given", "env"),
    [
        pytest.param({}, {"ENCRYPTION_KEY": "hunter2hunter2"}, id="environment"),
        pytest.param({}, {"ENCRYPTION_KEY": Fernet.generate_key().decode() + ",hunter2hunter2"}, id="second-of-list"),
        pytest.param({"encryption_key": "hunter2hunter2"}, {}, id="handshake"),
        pytest.param({}, {"JWT_SECRET_KEY": "hunter2hunter2"}, id="short-jwt-secret"),
        pytest.param({}, {"API_KEY_ENCRYPTION_SECRET": "hunter2hunter2"}, id="short-api-key-secret"),
    ],
)
def test_malformed_key_ends_with_6(given: dict[str, str], env: dict[str, str]) -> None:
    """The sentence names the variable or field, never its value."""
    with Sidecar(stdio=True, handshake=handshake(**given), env=env) as sidecar:
        assert ended(sidecar) == (6, [{"event": "exit", "code": "encryption-key-invalid"}])
        assert any(name in sidecar.stderr_text() for name in (*env, *given))
        assert "hunter2" not in sidecar.stderr_text()


def test_unusable_config_directory_ends_with_7(tmp_path: Path) -> None:
    """A file stands where the directory should be, or above it."""
    (tmp_path / "file").write_text("in the way")
    for directory in (tmp_path / "file", tmp_path / "file" / "below"):
        with Sidecar(stdio=True, config_dir=directory) as sidecar:
            assert ended(sidecar) == (7, [{"event": "exit", "code": "config-directory-unusable"}])
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize("module", ["sqlalchemy", "litestar", "uvicorn"])
def test_broken_installation_ends_with_70(tmp_path: Path, module: str) -> None:
    """A dependency that cannot be imported, before or after the socket is bound, is told apart from everything else."""
    (tmp_path / f"{module}.py").write_text("raise ImportError('sabotaged')\n")
    with Sidecar(
        stdio=True, env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parents[2] / 'backend'}"}
    ) as sidecar:
        status, events = ended(sidecar)

        assert status == 70
        assert events[-1] == {"event": "exit", "code": "internal"}
        assert [event["event"] for event in events].count("exit") == 1
        assert "sabotaged" in sidecar.stderr_text()


# The handshake


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"\n", id="empty-line"),
        pytest.param(b"hello\n", id="not-json"),
        pytest.param(b"\xff\xfe\x00\n", id="not-text"),
        pytest.param(b"[1]\n", id="not-an-object"),
        pytest.param(b"[" * 60_000 + b"\n", id="too-deep"),
        pytest.param(b'{"protocol": 1e999, "token": ""}\n', id="not-a-number"),
        pytest.param(handshake(protocol=2), id="protocol-newer"),
        pytest.param(handshake(protocol="1"), id="protocol-text"),
        pytest.param(handshake(protocol=True), id="protocol-boolean"),
        pytest.param(handshake(protocol=None), id="protocol-missing"),
        pytest.param(handshake(token=None), id="token-missing"),
        pytest.param(handshake(token="a" * 31), id="token-short"),
        pytest.param(handshake(token="g" * 32), id="token-not-hex"),
        pytest.param(handshake(token=int("9" * 40)), id="token-number"),
        pytest.param(handshake(token=TOKEN + " "), id="token-with-blank"),
        pytest.param(handshake(encryption_key=7), id="key-number"),
        pytest.param(b"x" * (64 * 1024 + 1), id="too-long"),
    ],
)
def test_bad_handshake_ends_with_5(line: bytes) -> None:
    """At once, while stdin is still open, and without a word of what was sent."""
    begun_at = time.monotonic()
    with Sidecar(stdio=True, handshake=line) as sidecar:
        assert ended(sidecar, timeout_s=8) == (5, [{"event": "exit", "code": "handshake-invalid"}])
        assert time.monotonic() - begun_at < 5 * windows.PATIENCE
        assert "Traceback" not in sidecar.stderr_text()
        assert not any(piece in sidecar.stderr_text() for piece in (TOKEN[:16], "aaaa", "xxxx", "hello"))
        assert not sidecar.config_dir.exists()


def test_another_protocol_asks_for_an_update() -> None:
    """People read what to do, not a protocol error."""
    with Sidecar(stdio=True, handshake=handshake(protocol=2)) as sidecar:
        sidecar.wait_for_exit()
        assert "update" in sidecar.stderr_text()


@pytest.mark.parametrize("begun", [b"", b'{"protocol":1'], ids=["at-once", "within-the-line"])
def test_end_of_stdin_before_the_handshake_ends_with_5(begun: bytes) -> None:
    """The parent died before it said anything."""
    with Sidecar(stdio=True, handshake=begun) as sidecar:
        sidecar.close_stdin()
        assert ended(sidecar) == (5, [{"event": "exit", "code": "handshake-invalid"}])


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(handshake().replace(b"\n", b"\r\n"), id="crlf"),
        pytest.param(b" \t" + handshake(), id="leading-blanks"),
        pytest.param(handshake(added_in_version_9={"deep": [1]}, encryption_key=""), id="unknown-fields"),
        pytest.param(handshake(token=TOKEN.upper()), id="upper-case-token"),
        pytest.param(handshake(padding="x" * (64 * 1024 - 200)), id="just-short-enough"),
        pytest.param(handshake(encryption_key=Fernet.generate_key().decode()), id="with-key"),
        pytest.param(handshake() + b"\xffnoise\n" * 20_000, id="noise-after-it"),
    ],
)
def test_odd_but_sound_handshake_is_taken(line: bytes) -> None:
    """Another launcher's line ends, later fields, and what comes after the line do no harm."""
    with Sidecar(
        stdio=True, token=json.loads(line.splitlines()[0])["token"], handshake=line, env=NO_DATABASE
    ) as sidecar:
        sidecar.wait_for_listening()
        sidecar.close_stdin()
        assert sidecar.wait_for_exit() == 0


def test_handshake_may_come_in_pieces() -> None:
    """A pipe guarantees no boundaries."""
    with Sidecar(stdio=True, token=TOKEN, handshake=b"", env=NO_DATABASE) as sidecar:
        for byte in handshake():
            sidecar.write_stdin(bytes([byte]))
        sidecar.wait_for_listening()


# Events and the proof


def test_stdout_tells_listening_then_states_then_exit() -> None:
    """One JSON object a line, `listening` first with everything the launcher needs, `exit` last and once."""
    with Sidecar(stdio=True) as sidecar:
        sidecar.wait_healthy()
        version = sidecar.status()["version"]
        instance = sidecar.status()["instance"]
        sidecar.stop()

        events = sidecar.events
        assert events[0] == {
            "event": "listening",
            "protocol": 1,
            "host": "127.0.0.1",
            "port": sidecar.port,
            "pid": events[0]["pid"] if windows.IS_WINDOWS else sidecar.pid,
            "version": version,
            "instance": instance,
        }
        states = [event for event in events if event["event"] == "state"]
        assert [event["state"] for event in states] == ["starting", "ready"]
        assert all(set(event) == {"event", "state", "problem"} for event in states)
        assert events[-1] == {"event": "exit", "code": "stopped"}
        assert [event["event"] for event in events].count("exit") == 1
        assert "listening" in sidecar.stderr_text()


def test_socket_answers_as_soon_as_it_is_announced() -> None:
    """Whoever connects on the `listening` line gets an answer, `/health` long before the rest is loaded."""
    with Sidecar(stdio=True, token=TOKEN, with_tables=False) as sidecar:
        sidecar.wait_for_listening()
        challenge = secrets.token_hex(16)
        early = sidecar.request("GET", "/health", headers={"Taskflow-Challenge": challenge}, token="")
        alive = sidecar.request("GET", "/health/live", token="")
        document = sidecar.status()

        assert early.status_code in {200, 503}
        assert early.headers["Taskflow-Proof"] == proof(challenge)
        assert alive.json() == {"status": "alive"}
        assert document["state"] in {"starting", "ready"}


def proof(challenge: str) -> str:
    """What a server that knows the token answers."""
    return hmac.new(TOKEN.encode("ascii"), challenge.encode("ascii"), hashlib.sha256).hexdigest()


def test_proof_is_given_for_health_only(ready: Sidecar) -> None:
    """It tells the sidecar from a stranger on its port, works without the token, and cannot be had for odd texts."""
    challenge = secrets.token_hex(32)
    header = {"Taskflow-Challenge": challenge}

    assert ready.request("GET", "/health", headers=header, token="").headers["Taskflow-Proof"] == proof(challenge)
    assert ready.request("HEAD", "/health", headers=header, token="").headers["Taskflow-Proof"] == proof(challenge)
    assert "Taskflow-Proof" not in ready.request("GET", "/health/live", headers=header, token="").headers
    assert "Taskflow-Proof" not in ready.request("GET", "/api/v1/status", headers=header).headers
    for odd in (b"", b"not hex", b"ab" * 400, b"ab\xe9"):
        answer = ready.client.get("/health", headers=[(b"Taskflow-Challenge", odd)])
        assert "Taskflow-Proof" not in answer.headers


def test_only_loopback_is_listened_on(ready: Sidecar) -> None:
    """No other address of the machine reaches it."""
    listening = [c for c in psutil.Process(ready.pid).net_connections() if c.status == psutil.CONN_LISTEN]

    assert [(connection.laddr.ip, connection.laddr.port) for connection in listening] == [("127.0.0.1", ready.port)]


@pytest.mark.quiet
def test_answers_are_not_held_back(ready: Sidecar) -> None:
    """Nagle's algorithm would add 40 ms to each answer on a kept connection."""
    with Stream(ready, "GET", "/health", interval_s=0) as stream:
        wait_until(lambda: len(stream.answers) >= 60, timeout_s=10, what="answers")

    assert sorted(answer.elapsed_s for answer in stream.answers)[len(stream.answers) // 2] < 0.02 * windows.PATIENCE


@contextlib.contextmanager
def status_events(sidecar: Sidecar) -> Iterator[list[str]]:
    """Follow the live status; the lines so far, growing until the stream or the block ends (then the last is `END`)."""
    lines: list[str] = []
    connection = http.client.HTTPConnection(LOOPBACK, sidecar.port, timeout=30)
    connection.request("GET", "/api/v1/status/events", headers={"Authorization": f"Bearer {sidecar.token}"})
    response = connection.getresponse()
    assert response.status == 200
    assert response.headers.get_content_type() == "text/event-stream"
    socket_of_it = connection.sock

    def follow() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            while line := response.readline():
                lines.append(line.decode().rstrip("\n"))
        lines.append("END")

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        if socket_of_it is not None:
            with contextlib.suppress(OSError):
                socket_of_it.shutdown(socket.SHUT_RDWR)
        reader.join(5)
        connection.close()


def documents(lines: list[str]) -> list[dict[str, Any]]:
    """The status documents among the lines of a stream."""
    return [json.loads(line.removeprefix("data: ")) for line in tuple(lines) if line.startswith("data: ")]


@pytest.mark.quiet
def test_status_events_tell_each_change_until_the_stop(tmp_path: Path) -> None:
    """The present document at once, a new one for each change to everybody who listens, and an end with the process."""
    with Sidecar(stdio=True, env=NO_DATABASE, config_dir=tmp_path) as sidecar:
        sidecar.wait_for_state("setup_required")
        with status_events(sidecar) as lines, status_events(sidecar) as others:
            wait_until(lambda: documents(lines) and documents(others), timeout_s=30, what="the first documents")
            assert documents(lines)[0] == sidecar.status()
            with black_hole() as (host, port):
                fields = {"host": host, "port": port, "database": "team", "username": "lead", "password": "secret"}
                sidecar.save_connection(fields)
                for stream in (lines, others):
                    wait_until(
                        lambda: _running(documents(stream)[-1]) == "connect",  # noqa: B023
                        timeout_s=30,
                        what="the change",
                    )
                assert ask_once(sidecar, "DELETE", "/api/v1/settings/connection").status == 204
            for stream in (lines, others):
                wait_until(
                    lambda: documents(stream)[-1]["state"] == "setup_required",  # noqa: B023
                    timeout_s=30,
                    what="the change back",
                )
            stopped_at = time.monotonic()
            assert ask_once(sidecar, "POST", "/api/v1/shutdown").status == 202
            assert sidecar.wait_for_exit() == 0
            assert time.monotonic() - stopped_at < PROMPT_S
            wait_until(lambda: lines[-1] == others[-1] == "END", timeout_s=30, what="the end of the streams")


@pytest.mark.quiet
def test_status_events_that_nobody_reads_hold_nothing_up() -> None:
    """A window that hangs keeps its stream open: others are served, and the stop does not wait for it."""
    with Sidecar(stdio=True, env=NO_DATABASE) as sidecar:
        sidecar.wait_for_state("setup_required")
        with contextlib.ExitStack() as connections:
            for _ in range(5):
                connection = connections.enter_context(
                    contextlib.closing(socket.create_connection((LOOPBACK, sidecar.port)))
                )
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
                request = (
                    "GET /api/v1/status/events HTTP/1.1\r\n"
                    f"Host: 127.0.0.1:{sidecar.port}\r\nAuthorization: Bearer {sidecar.token}\r\n\r\n"
                )
                connection.sendall(request.encode())
            answers = [ask_once(sidecar, "POST", "/api/v1/settings/retry") for _ in range(100)]

            assert {answer.status for answer in answers} == {202}
            assert max(answer.elapsed_s for answer in answers) < 1 * windows.PATIENCE
            stopped_at = time.monotonic()
            assert sidecar.stop() == 0
            assert time.monotonic() - stopped_at < GRACE_S + 1 * windows.PATIENCE


# The end of stdin, in every stage


@pytest.fixture(scope="module")
def orphans(postgres: PostgresServer) -> Iterator[dict[str, tuple[Sidecar, Database]]]:
    """One sidecar in each stage of its life, each on a database of its own."""
    with contextlib.ExitStack() as stack:
        found: dict[str, tuple[Sidecar, Database]] = {}

        def start(name: str, **fields: object) -> tuple[Sidecar, Database]:
            database = stack.enter_context(fresh_database(postgres))
            sidecar = Sidecar(stdio=True, env=NO_DATABASE)
            stack.callback(sidecar.close)
            found[name] = (sidecar.start(), database)
            return found[name]

        names = ("not-configured", "refused", "black-hole", "waiting-for-lock", "migrating", "ready", "mid-request")
        for name in names:
            start(name)
        dark = stack.enter_context(black_hole())
        for name in ("waiting-for-lock", "migrating"):
            _hold_up_migration(stack, found[name][1], asleep=name == "migrating")
        for name in names[1:]:
            sidecar, database = found[name]
            fields: dict[str, object] = dict(database.fields())
            if name == "black-hole":
                fields |= {"host": dark[0], "port": dark[1]}
            if name == "refused":
                fields["password"] = "wrong"
            sidecar.save_connection(fields)
        found["not-configured"][0].wait_for_state("setup_required")
        found["refused"][0].wait_for_state("failed")
        found["black-hole"][0].wait_for(lambda document: _running(document) == "connect")
        found["waiting-for-lock"][0].wait_for(lambda document: "Another desktop" in json.dumps(document["stages"]))
        database = found["migrating"][1]
        wait_until(lambda: _asleep(database), timeout_s=10, what="the migration")  # the sleep is inside a statement
        for name in ("ready", "mid-request"):
            found[name][0].wait_healthy()
        blocker = stack.enter_context(postgres.connect(found["mid-request"][1].name))
        blocker.autocommit = False
        blocker.cursor().execute("LOCK TABLE members")
        Pending(found["mid-request"][0], "GET", MEMBERS)
        Pending(found["mid-request"][0], "POST", MEMBERS, {"name": "Ada", "email": "ada@example.org"})
        wait_until(lambda: found["mid-request"][1].sessions() >= 3, timeout_s=30, what="the requests to wait")
        yield found


def _hold_up_migration(stack: contextlib.ExitStack, database: Database, *, asleep: bool) -> None:
    """Hold the upgrade lock, or make the first CREATE TABLE of a migration last for a minute."""
    if asleep:
        database.execute(
            "CREATE FUNCTION public.pause() RETURNS event_trigger LANGUAGE plpgsql AS $$ "
            "BEGIN PERFORM pg_sleep(60); END $$"
        )
        database.execute("CREATE EVENT TRIGGER pause ON ddl_command_end EXECUTE FUNCTION public.pause()")
        return
    holder = stack.enter_context(database.server.connect(database.name))
    holder.cursor().execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))


def _asleep(database: Database) -> bool:
    rows = database.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = %s", (database.name,)
    )
    return bool(rows)


def _running(document: dict[str, Any]) -> str | None:
    return next((entry["name"] for entry in document["stages"] if entry["state"] == "running"), None)


@pytest.mark.quiet
@pytest.mark.parametrize(
    "stage", ["not-configured", "refused", "black-hole", "waiting-for-lock", "migrating", "ready", "mid-request"]
)
def test_end_of_stdin_ends_the_process_in_every_stage(orphans: dict[str, tuple[Sidecar, Database]], stage: str) -> None:
    """Gone within two seconds with 0, the port free, no session left within five."""
    sidecar, database = orphans[stage]
    port = sidecar.port

    closed_at = time.monotonic()
    sidecar.close_stdin()

    assert sidecar.wait_for_exit() == 0
    gone_s = time.monotonic() - closed_at
    wait_until(lambda: database.sessions() == 0, timeout_s=SESSIONS_GONE_WITHIN_S, what="the sessions to end")
    print(f"{stage}: gone after {gone_s:.3f} s, sessions after {time.monotonic() - closed_at:.3f} s")
    assert gone_s < ORPHAN_GONE_WITHIN_S
    assert time.monotonic() - closed_at < SESSIONS_GONE_WITHIN_S
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, port))
    assert sidecar.events[-1] == {"event": "exit", "code": "stopped"}


@pytest.mark.quiet
def test_end_of_stdin_right_after_the_handshake_ends_the_process() -> None:
    """Also while everything is still being loaded."""
    for pause_s in (0.0, 0.1, 0.2, 0.3):
        with Sidecar(stdio=True) as sidecar:
            threading.Event().wait(pause_s)
            closed_at = time.monotonic()
            sidecar.close_stdin()

            assert sidecar.wait_for_exit() == 0
            assert time.monotonic() - closed_at < ORPHAN_GONE_WITHIN_S
            assert sidecar.events[-1] == {"event": "exit", "code": "stopped"}


@pytest.mark.quiet
def test_killed_parent_takes_the_sidecar_along(tmp_path: Path) -> None:
    """The system closes the pipe of a parent that died by SIGKILL, and nothing else is needed."""
    script = f"""
        import json, subprocess, sys
        child = subprocess.Popen({[*COMMAND, "serve", "--stdio"]!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdin.write({handshake()!r})
        child.stdin.flush()
        print(child.pid, flush=True)
        for line in child.stdout:
            print(line.decode(), end="", flush=True)
    """
    environment = {**clean_environment(tmp_path), "TASKFLOW_CONFIG_DIR": str(tmp_path / "config")}
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as parent:
        assert parent.stdout is not None
        sidecar = psutil.Process(int(parent.stdout.readline()))
        while json.loads(parent.stdout.readline()).get("state") != "ready":
            pass

        parent.kill()

        killed_at = time.monotonic()
        wait_until(lambda: not is_running(sidecar), timeout_s=30, what="the sidecar to end")
        assert time.monotonic() - killed_at < ORPHAN_GONE_WITHIN_S


# Asked stops


@pytest.mark.quiet
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("stage", ["handshake", "loading", "connecting", "ready", "by-hand"])
def test_signal_ends_the_process_with_0(number: signal.Signals, stage: str) -> None:
    """In every stage, within the grace period, and the launcher is told."""
    with contextlib.ExitStack() as stack:
        env = {}
        if stage == "connecting":
            host, port = stack.enter_context(black_hole())
            env = {"TASKFLOW_DATABASE_URL": f"postgresql://lead:secret@{host}:{port}/team"}
        given = b'{"protocol"' if stage == "handshake" else None
        sidecar = stack.enter_context(Sidecar(stdio=stage != "by-hand", env=env, handshake=given))
        if stage == "handshake":
            wait_until(lambda: _catches(sidecar, number), timeout_s=10, what="the handler")
        elif stage == "loading":
            sidecar.wait_for_listening()
        elif stage == "connecting":
            sidecar.wait_for(lambda document: _running(document) == "connect")
        else:
            sidecar.wait_healthy()

        signalled_at = time.monotonic()
        sidecar.send_signal(number)
        sidecar.send_signal(number)

        assert sidecar.wait_for_exit() == 0
        assert time.monotonic() - signalled_at < PROMPT_S
        assert "Traceback" not in sidecar.stderr_text()
        if stage == "by-hand":
            assert not (sidecar.config_dir / "sidecar.json").exists()
        else:
            assert sidecar.events[-1] == {"event": "exit", "code": "stopped"}


def _catches(sidecar: Sidecar, number: signal.Signals) -> bool:
    """Whether the process has a handler of its own for a signal."""
    status = Path(f"/proc/{sidecar.pid}/status").read_text()
    caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
    # Python catches SIGINT from the beginning; its own handler for SIGTERM shows that ours are in place.
    return bool(caught >> (signal.SIGTERM - 1) & 1) and bool(caught >> (number - 1) & 1)


@pytest.mark.parametrize("how", ["SIGTERM", "shutdown"])
def test_running_requests_finish_within_the_grace_period(postgres: PostgresServer, how: str) -> None:
    """An asked stop takes no new requests, lets those running end, and leaves no session behind."""
    with fresh_database(postgres, with_tables=True) as database, on_database(database) as sidecar:
        with postgres.connect(database.name) as holder:
            holder.autocommit = False
            holder.cursor().execute("LOCK TABLE members")
            reading = Pending(sidecar, "GET", MEMBERS)
            writing = Pending(sidecar, "POST", MEMBERS, {"name": "Ada", "email": "ada@example.org"})
            wait_until(lambda: _waiting_for_locks(database) == 2, timeout_s=30, what="both requests to wait")

            if how == "shutdown":
                assert ask_once(sidecar, "POST", "/api/v1/shutdown").status == 202
            else:
                sidecar.send_signal(signal.SIGTERM)
            wait_until(lambda: _refuses(sidecar), timeout_s=2, what="new connections to be refused")
            assert not reading.is_answered
            holder.rollback()

        assert (reading.answer().status, writing.answer().status) == (200, 201)
        assert ended(sidecar)[0] == 0
        assert sidecar.events[-1] == {"event": "exit", "code": "stopped"}
        assert database.query("SELECT name FROM members") == [("Ada",)]
        wait_until(lambda: database.sessions() == 0, timeout_s=1, what="the sessions to end")


def _waiting_for_locks(database: Database) -> int:
    rows = database.query(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s", (database.name,)
    )
    return int(rows[0][0])


def _refuses(sidecar: Sidecar) -> bool:
    try:
        socket.create_connection((LOOPBACK, sidecar.port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


# Pipes that are full or broken


@contextlib.contextmanager
def raw_process(
    tmp_path: Path, *args: str, stdout: int, stderr: int, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command with descriptors of the test's own; a handshake is sent when it takes one."""
    env = {**clean_environment(tmp_path), "TASKFLOW_CONFIG_DIR": str(tmp_path / "config"), **environment}
    with subprocess.Popen(
        [*COMMAND, "serve", *args], stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, env=env, cwd=tmp_path
    ) as process:
        try:
            if process.stdin is not None and "--stdio" in args:
                process.stdin.write(handshake())
                process.stdin.flush()
            yield process
        finally:
            process.kill()


def call(port: int, method: str, path: str) -> int:
    """Send a request with the token; return the status, 0 when nobody answers."""
    try:
        with contextlib.closing(http.client.HTTPConnection(LOOPBACK, port, timeout=10)) as connection:
            connection.request(method, path, headers={"Authorization": f"Bearer {TOKEN}"})
            return connection.getresponse().status
    except OSError:
        return 0


SMALL_PIPE_BYTES = 4096


def small_pipe() -> tuple[int, int]:
    """Make a pipe that is full after a page."""
    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, SMALL_PIPE_BYTES)
    return reading, writing


@pytest.mark.quiet
@pytest.mark.parametrize("state", ["full", "broken"])
def test_pipes_that_nobody_reads_stop_nothing(tmp_path: Path, state: str) -> None:
    """Events and logs are lost then; calls are answered, the log file goes on, the stop is clean and prompt."""
    port = free_port()
    pipes = [small_pipe(), small_pipe()]
    if state == "broken":
        for reading, _ in pipes:
            os.close(reading)
    arguments = ("--stdio", "--port", str(port), "--log-level", "debug")
    with raw_process(tmp_path, *arguments, stdout=pipes[0][1], stderr=pipes[1][1], **NO_DATABASE) as process:
        for _, writing in pipes:
            os.close(writing)
        wait_until(lambda: call(port, "GET", "/health/live") == 200, timeout_s=10, what="the socket")

        def has_logged_more_than_they_hold() -> bool:
            assert call(port, "POST", "/api/v1/settings/retry") == 202
            log = (tmp_path / "config" / "data" / "logs" / "sidecar.log").read_bytes()
            return log.count(b"start-up stopped") >= 5 and len(log) > 3 * SMALL_PIPE_BYTES

        wait_until(has_logged_more_than_they_hold, timeout_s=30, what="the log file", interval_s=0.02)
        assert call(port, "GET", "/api/v1/status") == 200
        asked_at = time.monotonic()
        assert call(port, "POST", "/api/v1/shutdown") == 202
        assert process.wait(10 * windows.PATIENCE) == 0
        assert time.monotonic() - asked_at < PROMPT_S + 1
    if state == "full":
        for reading, _ in pipes:
            os.close(reading)


@pytest.mark.parametrize("stdio", [True, False], ids=["launcher", "by-hand"])
def test_exit_status_does_not_need_pipes(tmp_path: Path, stdio: bool) -> None:
    """A launcher that closed its ends still reads the right status."""
    arguments = ("--stdio",) if stdio else ()
    with socket.socket() as listener:
        listener.bind((LOOPBACK, free_port()))
        listener.listen()
        reading, writing = os.pipe()
        os.close(reading)
        with raw_process(
            tmp_path, *arguments, "--port", str(listener.getsockname()[1]), stdout=writing, stderr=writing
        ) as process:
            os.close(writing)
            assert process.wait(10 * windows.PATIENCE) == 3


def test_sidecar_by_hand_serves_without_a_terminal(tmp_path: Path) -> None:
    """Its sentence for people goes to a broken pipe, and that is all."""
    port = free_port()
    reading, writing = os.pipe()
    os.close(reading)
    with raw_process(tmp_path, "--port", str(port), stdout=writing, stderr=writing) as process:
        os.close(writing)
        wait_until(lambda: call(port, "GET", "/health") == 200, timeout_s=10, what="readiness")
        process.terminate()
        assert process.wait(10 * windows.PATIENCE) == 0


# One owner for a config directory


def test_second_instance_ends_with_4_and_harms_nothing(tmp_path: Path) -> None:
    """Whichever way either was started, the first goes on undisturbed, its files as they were."""
    for first_stdio in (True, False):
        with Sidecar(stdio=first_stdio, config_dir=tmp_path / str(first_stdio)) as first:
            first.wait_settled()
            before = _snapshot(first.config_dir)
            with Stream(first, "GET", "/health") as health:
                for stdio in (True, False):
                    with Sidecar(stdio=stdio, config_dir=first.config_dir) as second:
                        status = second.wait_for_exit()
                        events = second.events if stdio else []
                    assert status == 4
                    assert events == ([{"event": "exit", "code": "already-running"}] if stdio else [])
                    assert "Another sidecar is running" in second.stderr_text()
            assert health.statuses() == {200}
            assert _snapshot(first.config_dir) == before
            assert first.status()["state"] == "ready"


def _snapshot(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Every file but the database and the logs, with inode and contents."""
    files = [path for path in directory.iterdir() if path.is_file()]
    return {path.name: (path.stat().st_ino, path.read_bytes()) for path in files}


def test_five_simultaneous_starts_leave_exactly_one(tmp_path: Path) -> None:
    """The lock decides, every loser says 4, and the next start after the winner was killed needs no clean-up."""
    with contextlib.ExitStack() as stack:
        sidecars = [stack.enter_context(Sidecar(stdio=True, config_dir=tmp_path)) for _ in range(5)]
        wait_until(lambda: sum(sidecar.is_running for sidecar in sidecars) == 1, timeout_s=20, what="one to be left")
        [winner] = [sidecar for sidecar in sidecars if sidecar.is_running]
        winner.wait_healthy()

        losers = [sidecar for sidecar in sidecars if sidecar is not winner]
        assert [loser.wait_for_exit() for loser in losers] == [4, 4, 4, 4]
        for loser in losers:
            assert loser.events == [{"event": "exit", "code": "already-running"}]
        assert winner.health()[0] == 200
        winner.kill()
        assert winner.start().wait_healthy().status()["state"] == "ready"


def test_sidecar_by_hand_tells_where_it_is() -> None:
    """A sentence for people on stderr, nothing on stdout, and a file for programs that is gone after a clean stop."""
    with Sidecar(with_tables=False) as sidecar:
        sidecar.wait_healthy()
        path = sidecar.config_dir / "sidecar.json"
        content = json.loads(path.read_bytes())

        assert set(content) == {"url", "token", "pid", "started_at"}
        assert (content["pid"], content["url"]) == (sidecar.pid, f"http://127.0.0.1:{sidecar.port}")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert content["url"] in sidecar.stderr_text()
        assert sidecar.stop() == 0
        assert not path.exists()
        assert sidecar.stdout_text() == ""


# Clocks, secrets, surroundings


def test_secrets_of_the_handshake_are_nowhere(tmp_path: Path) -> None:
    """Token and key are in no process's arguments or environment, no log at debug level, no file, no answer."""
    token, key = secrets.token_hex(32), Fernet.generate_key().decode()
    with Sidecar(stdio=True, token=token, encryption_key=key, args=["--log-level", "debug"]) as sidecar:
        sidecar.wait_healthy()
        answers = [
            sidecar.request("GET", "/api/v1/status"),
            sidecar.request("GET", MEMBERS),
            sidecar.request("POST", MEMBERS, json={"name": token, "email": key}),
            sidecar.request("GET", "/api/v1/status", token=token[:-1]),
            sidecar.request("GET", f"/api/v1/nothing/{token}"),
            sidecar.request("GET", "/health", headers={"Taskflow-Challenge": "ab" * 16}),
        ]
        seen = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                seen[process.pid] = [scan_process(process.pid, secret) for secret in (token, key)]
        during = [scan_files(sidecar.directory, secret) for secret in (token, key)]
        sidecar.stop()

        assert seen[sidecar.pid] == [{}, {}]
        assert [found for found in seen.values() if found != [{}, {}]] == []
        for secret, files in zip((token, key), during, strict=True):
            assert files == {}
            assert scan_files(sidecar.directory, secret) == {}
            assert find_canary(sidecar.stderr_text() + sidecar.log_text() + sidecar.stdout_text(), secret) == []
            for answer in answers[:2] + answers[3:]:
                assert find_canary(answer.text + str(answer.headers), secret) == []


def test_token_of_a_sidecar_by_hand_is_in_its_file_only(tmp_path: Path) -> None:
    """Logs, arguments and environment do not know it."""
    with Sidecar(args=["--log-level", "debug"]) as sidecar:
        sidecar.wait_healthy()
        token = sidecar.token
        found = scan_files(sidecar.directory, token)

        assert {path.name for path in found} == {"sidecar.json"}
        assert scan_process(sidecar.pid, token) == {}
        sidecar.stop()
        assert scan_files(sidecar.directory, token) == {}


def test_surroundings_of_the_user_do_not_matter(postgres: PostgresServer) -> None:
    """Proxies and libpq's own variables are for other programs."""
    dead = f"http://127.0.0.1:{free_port()}"
    env = {
        **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), dead),
        "PGHOST": "db.invalid",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGPASSWORD": "wrong",
        "PGDATABASE": "none",
        "PGSERVICE": "none",
        "PGSSLMODE": "verify-full",
        "PGOPTIONS": "-c no_such=1",
        "PGAPPNAME": "other",
        "PGTARGETSESSIONATTRS": "standby",
        "PGCONNECT_TIMEOUT": "1",
        "PGCLIENTENCODING": "SQL_ASCII",
    }
    with (
        fresh_database(postgres, with_tables=True) as database,
        Sidecar(stdio=True, env={**env, **NO_DATABASE}) as sidecar,
    ):
        sidecar.save_connection(database.fields())
        sidecar.wait_healthy()

        assert database.sessions() >= 1


# What was begun at first


def test_late_handshake_ends_with_5(slow_cases: SlowCases) -> None:
    """Ten seconds, and not before."""
    end = slow_cases.late.result(30 * windows.PATIENCE)

    assert (end.status, end.events) == (5, [{"event": "exit", "code": "handshake-invalid"}])
    assert 9.5 < end.took_s < 12 * windows.PATIENCE
    assert "within 10 seconds" in end.stderr


def test_requests_that_outlast_the_grace_period_are_ended(slow_cases: SlowCases) -> None:
    """They are told so, the stop is still a clean one with its event, and their sessions end too."""
    end = slow_cases.outlasted.result(30)

    print(f"asked to stop, gone after {end.took_s:.3f} s")
    assert end.status == 0
    assert end.events[-1] == {"event": "exit", "code": "stopped"}
    assert GRACE_S - 0.5 < end.took_s < GRACE_S + 1
    assert {answer.status for answer in end.answers} <= {0, 503}
    assert end.sessions_ended


def test_jumping_clocks_do_not_disturb(slow_cases: SlowCases) -> None:
    """Years forward and back, under a ready sidecar on PostgreSQL: no loss, no stop, no hanging."""
    slow_cases.clocks.result(60)


def test_quiet_status_stream_is_kept_alive(slow_cases: SlowCases) -> None:
    """A comment line every 15 seconds keeps proxies and people from calling the stream dead."""
    stream = slow_cases.quiet_stream

    wait_until(lambda: any(line.startswith(":") for line in stream), timeout_s=16, what=lambda: f"a comment: {stream}")
    assert "END" not in stream
