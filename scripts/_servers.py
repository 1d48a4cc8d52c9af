"""Servers under measurement: the real sidecar, and a bare framework that does the same job without anything of ours."""

import http.client
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

from _environment import ROOT, Environment
from _measure import Bench

MEASURED = Environment(ROOT / ".venv", ROOT / "backend" / "requirements.lock")
"""What is installed beside the given packages counts: Litestar imports pydantic if the tests have brought it."""
TOKEN = "0123456789abcdef" * 4
GIVEN_PACKAGES = (
    "litestar, uvicorn, sqlalchemy.orm, alembic.command, psycopg2, cryptography.fernet, platformdirs, tenacity"
)
BARE_STACK = f"""
import {GIVEN_PACKAGES}
import msgspec, sys, threading
from litestar import Litestar, get

class Member(msgspec.Struct):
    id: str
    name: str
    email: str
    active: bool

local = threading.local()

@get("/health", sync_to_thread=False)
def health() -> dict[str, str]:
    return {{"status": "healthy"}}

@get("/members", sync_to_thread=True)
def members() -> list[Member]:
    if not hasattr(local, "connection"):
        local.connection = psycopg2.connect(sys.argv[1])
        local.connection.autocommit = True
    with local.connection.cursor() as cursor:
        cursor.execute("SELECT id::text, name, email, active FROM members ORDER BY name_folded, id")
        return [Member(*row) for row in cursor]

import socket
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(Litestar([health, members], openapi_config=None), log_config=None, access_log=False, http="h11")
uvicorn.Server(config).run(sockets=[listener])
"""  # noqa: S608 - nothing here comes from outside
"""The same packages and the same job without anything of ours."""


BARE_PROXY = """
import os, socket, sys
import httpx, uvicorn
from litestar import Litestar, asgi
from litestar.types import Receive, Scope, Send

client = httpx.AsyncClient(trust_env=False)
headers = {"Authorization": "Bearer " + os.environ["KEY"], "Content-Type": "application/json"}

@asgi("/", is_mount=True, copy_scope=True)
async def forward(scope: Scope, receive: Receive, send: Send) -> None:
    async def body():
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            yield message.get("body", b"")
    length = dict(scope["headers"]).get(b"content-length", b"0").decode()
    request = client.build_request(
        scope["method"],
        sys.argv[1] + scope["raw_path"].decode(),
        content=body(),
        headers={**headers, "Content-Length": length},
    )
    response = await client.send(request, stream=True)
    kept = [(name, value) for name, value in response.headers.raw if name.lower() != b"transfer-encoding"]
    await send({"type": "http.response.start", "status": response.status_code, "headers": kept})
    async for piece in response.aiter_raw():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    await response.aclose()

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
application = Litestar([forward], openapi_config=None)
config = uvicorn.Config(application, log_config=None, access_log=False, http="h11", lifespan="off")
uvicorn.Server(config).run(sockets=[listener])
"""
"""The same framework and HTTP client, passing a call on with a key put in, and nothing else."""


def clean_environment(**more: str) -> dict[str, str]:
    """Return an environment in which nothing slows a start down: no PYTHON* variables, no proxies."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": tempfile.gettempdir(), **more}


def resident_mib(pid: int, field: str = "VmRSS") -> float:
    """Return the resident memory of a process, now or (`VmHWM`) at its highest."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not tell the resident memory")


class Server:
    """A running server under measurement."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, started: float, prefix: str = "") -> None:
        self.process = process
        self.port = port
        self.started = started
        self.prefix = prefix
        self.get("/health", checked=False)
        self.first_answer_s = time.perf_counter() - started

    def get(self, path: str, *, checked: bool = True) -> bytes:
        """Return the body of an answer."""
        return self.request("GET", path, checked=checked)

    def request(self, method: str, path: str, body: Any = None, *, checked: bool = True) -> bytes:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        text = answer.read()
        if checked and answer.status >= 400:
            raise RuntimeError(f"{method} {path} answered {answer.status}")
        connection.close()
        return text

    def memory_mib(self) -> float:
        """Return the resident memory of the process."""
        return resident_mib(self.process.pid)

    def cpu_s(self) -> float:
        """Return the processor seconds that the process has taken."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / int(os.sysconf("SC_CLK_TCK"))

    def peak_memory_mib(self) -> float:
        """Return the highest resident memory that the process ever had."""
        return resident_mib(self.process.pid, "VmHWM")


class SidecarUnderTest(Server):
    """The sidecar, run as a launcher runs it."""

    def milestones(self) -> dict[str, float]:
        """Return the seconds from spawn to the first answer, to ready, and to the first data."""
        assert self.process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        for line in self.process.stdout:
            if json.loads(line).get("state") == "ready":
                break
        ready_s = time.perf_counter() - self.started
        self.get("/api/v1/members")
        return {"first": self.first_answer_s, "ready": ready_s, "data": time.perf_counter() - self.started}


@contextmanager
def sidecar(
    directory: Path,
    url: str | None,
    variables: Mapping[str, str] | None = None,
    *,
    options: Sequence[str] = (),
    program: Path | None = None,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
) -> Iterator[SidecarUnderTest]:
    """Run the sidecar on PostgreSQL, or on the embedded database.

    Args:
        directory: its configuration's.
        url: of the PostgreSQL.
        variables: more of its environment.
        options: Python's.
        program: the built sidecar, instead of the installed one.
        stderr: where its standard error goes.
    """
    command = [str(program)] if program else [str(MEASURED.python), "-I", *options, "-m", "app"]
    place = {"TASKFLOW_CONFIG_DIR": str(directory)} | ({"TASKFLOW_DATABASE_URL": url} if url else {})
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "serve", "--stdio", "--log-level", "error"],
        env=clean_environment(**(variables or {}), **place),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
    )
    assert process.stdin is not None  # noqa: S101 - asked for as a pipe
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(json.dumps({"protocol": 1, "token": TOKEN}).encode() + b"\n")
    process.stdin.flush()
    try:
        yield SidecarUnderTest(process, json.loads(process.stdout.readline())["port"], started)
    finally:
        process.stdin.close()
        process.wait(10)


def bare_stack(url: str) -> AbstractContextManager[Server]:
    """Run the bare framework with all given packages imported."""
    return _bare(BARE_STACK, url)


def bare_proxy(provider_url: str, key: str) -> AbstractContextManager[Server]:
    """Run a proxy to a provider that does nothing but put the key in."""
    return _bare(BARE_PROXY, provider_url, KEY=key)


@contextmanager
def _bare(program: str, argument: str, **more: str) -> Iterator[Server]:
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(MEASURED.python), "-I", "-c", program, argument],
        env=clean_environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None  # noqa: S101 - asked for as a pipe
    try:
        yield Server(process, int(process.stdout.readline()), started)
    finally:
        process.terminate()
        process.wait(10)


def database_with_members(bench: Bench, name: str, count: int) -> str:
    """Make a PostgreSQL database, brought to head and filled through the API; return its URL."""
    url = bench.new_database(name)
    with sidecar(bench.home / f"{name}-postgresql", url) as running:
        running.milestones()
        for number in range(count):
            body = {"name": f"Member {number:03}", "email": f"member{number}@example.org"}
            running.request("POST", "/api/v1/members", body)
    return url
