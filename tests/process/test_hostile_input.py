"""The process under input that is meant to break it: connections, heads, garbage. Pages and tokens have own files."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.network import LoopbackServer
from tests.support.raw_http import RawConnection, exchange, request_bytes
from tests.support.sidecar import Sidecar

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 3.0
"""For an answer of a process that is under attack, on a busy computer."""


@pytest.fixture(scope="module")
def sidecar() -> Iterator[Sidecar]:
    """One on the embedded database."""
    with Sidecar() as running:
        yield running.wait_healthy()


@contextlib.contextmanager
def idle_connections(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Open connections that say nothing; those that are refused or closed again do not matter."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            with contextlib.suppress(OSError):
                opened.append(socket.create_connection(("127.0.0.1", port), 5))
        yield opened
    finally:
        for connection in opened:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def lines_of(sidecar: Sidecar, message: str) -> list[dict[str, Any]]:
    """The lines of the log that say so."""
    lines = (line for line in sidecar.stderr_text().splitlines() if line.startswith("{"))
    return [line for line in map(json.loads, lines) if line["message"] == message]


def cpu_seconds(sidecar: Sidecar) -> float:
    """How long the process has computed so far."""
    stat = Path(f"/proc/{sidecar.pid}/stat").read_text(encoding="ascii")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_malformed_requests_give_one_counted_line() -> None:
    """Two hundred, of kinds that broke the answer under way; a stranger writes no log."""
    kinds = [
        b"POST /api/v1/members HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /health HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello, too long\r\n",
        b"GET /hea lth HTTP/1.1\r\nHost: {}\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00",
    ]
    with Sidecar() as sidecar:
        sidecar.wait_healthy()
        host = f"127.0.0.1:{sidecar.port}".encode()
        for number in range(200):
            answer = exchange(sidecar.port, kinds[number % len(kinds)].replace(b"{}", host))
            assert (answer.status, answer["Taskflow-Error-Code"]) == (400, "bad-request")
        for _ in range(20):
            upgrade = {"Host": host.decode(), "Connection": "Upgrade", "Upgrade": "websocket"}
            assert exchange(sidecar.port, request_bytes("/health", headers=upgrade)).status == 200
        before_stop = lines_of(sidecar, "malformed requests")
        sidecar.stop()

        told = lines_of(sidecar, "malformed requests")
        assert len(before_stop) <= 1
        assert sum(line["count"] for line in told) == 200
        assert len(told) <= 2, "at once, and the rest with the end"
        assert "Traceback" not in sidecar.stderr_text()
        assert "Unsupported" not in sidecar.stderr_text()


@pytest.mark.quiet
def test_heads_arrive_within_five_seconds(sidecar: Sidecar) -> None:
    """Also drop by drop, and whoever has begun is told; a connection that is kept may be idle for longer."""
    begun = (b"", b"GET /health HTT", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Drip: ")
    request = request_bytes("/api/v1/members", headers={"Host": f"127.0.0.1:{sidecar.port}", **token(sidecar)})
    with contextlib.ExitStack() as stack:
        kept, silent, cut, dripping = (stack.enter_context(RawConnection(sidecar.port)) for _ in range(4))
        began = time.monotonic()
        kept.send(request)
        assert kept.receive().status == 200
        for connection, sent in zip((silent, cut, dripping), begun, strict=True):
            connection.send(sent)
        while time.monotonic() - began < 4:
            time.sleep(0.5)
            dripping.send(b"x")
        for connection in (silent, cut, dripping):
            if connection is not silent:
                answer = connection.receive()
                assert (answer.status, answer["Taskflow-Error-Code"]) == (408, "request-timeout")
            assert connection.is_closed_by_server()
            assert 4 < time.monotonic() - began < 9
        kept.send(request)
        assert kept.receive().status == 200
    assert sidecar.health()[0] == 200


def token(sidecar: Sidecar) -> dict[str, str]:
    """The header that shows the token."""
    return {"Authorization": f"Bearer {sidecar.token}"}


@pytest.mark.quiet
def test_idle_connections_during_start_do_not_end_the_process() -> None:
    """More than the usual limit of descriptors; it starts, answers its desktop, and recovers by itself."""
    with Sidecar(wrapper=(prlimit(), "--nofile=1024")) as sidecar:
        with idle_connections(sidecar.port, 1040) as opened:
            assert len(opened) == 1040
            sidecar.wait_healthy()
            assert_answers_its_desktop(sidecar)
        assert_is_quiet(sidecar)


@pytest.mark.quiet
def test_limit_of_64_descriptors_is_enough() -> None:
    """With eighty idle connections, for longer than the first rush."""
    with Sidecar(wrapper=(prlimit(), "--nofile=64")) as sidecar:
        sidecar.wait_healthy()
        kept = sidecar.request("GET", "/api/v1/members")
        assert kept.status_code == 200
        for _ in range(2):
            with idle_connections(sidecar.port, 80):
                assert_answers_its_desktop(sidecar)
                with ThreadPoolExecutor(6) as pool:
                    asked = [pool.submit(fresh_request, sidecar, "/api/v1/members") for _ in range(24)]
                assert [future.result() for future in asked] == [200] * 24
        assert_is_quiet(sidecar)


def prlimit() -> str:
    """The command that runs another one within limits."""
    found = shutil.which("prlimit")
    assert found is not None
    return found


def fresh_request(sidecar: Sidecar, path: str) -> int:
    """Ask over a connection of its own, with the token."""
    headers = {"Host": f"127.0.0.1:{sidecar.port}", **token(sidecar)}
    return exchange(sidecar.port, request_bytes(path, headers=headers)).status


def assert_answers_its_desktop(sidecar: Sidecar) -> None:
    """New connections and the one that it has; soon."""
    began = time.monotonic()
    for path in ("/health", "/api/v1/members", "/api/v1/vault"):
        assert fresh_request(sidecar, path) == 200
        assert sidecar.request("GET", path).status_code == 200
    assert time.monotonic() - began < PATIENCE_S


def assert_is_quiet(sidecar: Sidecar) -> None:
    """Neither busy nor talkative afterwards, and as well as before."""
    computed, began = cpu_seconds(sidecar), time.monotonic()
    time.sleep(2)
    assert (cpu_seconds(sidecar) - computed) / (time.monotonic() - began) < 0.2
    assert len(sidecar.stderr_text()) < 20_000
    assert "Traceback" not in sidecar.stderr_text()
    assert fresh_request(sidecar, "/api/v1/members") == 200


@pytest.mark.quiet
@pytest.mark.parametrize("scheme", ["http", "rtsp"])
@pytest.mark.parametrize("challenge", ["," * 40_000, "Digest " + 'a="\\"' * 1600], ids=["commas", "quotes"])
def test_challenge_of_a_camera_takes_no_time(sidecar: Sidecar, scheme: str, challenge: str) -> None:
    """However it is made up: the test ends in time, and everybody else is answered meanwhile."""

    def refuse(connection: socket.socket) -> None:
        connection.recv(4096)
        protocol = "HTTP/1.1" if scheme == "http" else "RTSP/1.0"
        head = f"{protocol} 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: {challenge}\r\n\r\n"
        connection.sendall(head.encode())

    slowest = 0.0
    with LoopbackServer(refuse) as camera, ThreadPoolExecutor(1) as pool:
        body = {"stream_url": f"{scheme}://127.0.0.1:{camera.port}/", "username": "admin", "password": "secret"}
        began = time.monotonic()
        probing = pool.submit(sidecar.request, "POST", "/api/v1/cameras/test", json=body)
        while not probing.done():
            asked = time.monotonic()
            assert sidecar.health()[0] == 200
            slowest = max(slowest, time.monotonic() - asked)
        elapsed = time.monotonic() - began

    assert probing.result().json()["ok"] is False
    assert elapsed < 5
    assert slowest < 1
