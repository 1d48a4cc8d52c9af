"""Measure the sidecar beside floors taken in the same run: `python3 scripts/bench.py [--rounds N] [--json]`.

Every figure stands beside the same figure of something that does no work of ours: a bare interpreter, the bare imports
of the given packages, a bare Litestar application, and plain psycopg2 behind it. A machine is noisy, so subject and
floor alternate, medians are shown, and the ratio to the floor is what counts. Nothing here passes or fails.
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from _environment import ROOT, Environment, become, run_script

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

REQUESTS = 3000
CONNECTIONS = 4


@dataclass
class Row:
    """One line of the table: medians of subject and floor, and the median of their ratios round by round."""

    name: str
    unit: str
    subject: float
    floor_name: str
    floor: float
    ratio: float
    aim: str


def main(arguments: list[str]) -> int:
    """Run the measurements from the tests' environment, which has a PostgreSQL, on the environment people run."""
    environment = Environment(ROOT / ".venv-test", ROOT / "tests" / "requirements.lock")
    if Path(sys.prefix) != ROOT / ".venv-test":
        environment.ensure()
        MEASURED.ensure()
        become([str(environment.python), str(Path(__file__).absolute()), *arguments])
    parser = argparse.ArgumentParser(description="Measure the sidecar beside floors taken in the same run.")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of every measurement (default 9)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    sys.path.insert(0, str(ROOT))
    from tests.support.postgres import PostgresServer

    with PostgresServer() as server:
        password = "bench-password"  # noqa: S105 - of a cluster that lives as long as this measurement
        server.create_role("bench", password)
        server.create_database("bench", owner="bench")
        url = f"postgresql://bench:{password}@127.0.0.1:{server.port}/bench"
        rows = measure(options.rounds, url)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        print_table(rows, options.rounds)
    return 0


def measure(rounds: int, url: str) -> list[Row]:
    """Return all rows of the table."""
    with tempfile.TemporaryDirectory(prefix="taskflow-bench-") as directory:
        home = Path(directory)
        with sidecar(home / "postgresql", url) as running:  # brings the schema to head and fills in the members
            add_members(running, 50)
        return [*measure_starts(rounds, home, url), *measure_load(rounds, home, url)]


# --- start-up and memory ---------------------------------------------------------------------------------------------


def measure_starts(rounds: int, home: Path, url: str) -> list[Row]:
    """Spawn to first answer, to ready and to the first data, on both databases; and memory when ready."""
    taken: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        taken.setdefault(name, []).append(value)

    for round_number in range(rounds + 1):
        found = {
            "interpreter": seconds_until_done("pass"),
            "imports": seconds_until_done(f"import {GIVEN_PACKAGES}"),
        }
        with bare_stack(url) as bare:
            found["bare first"] = bare.first_answer_s
            bare.get("/members")
            found["bare memory"] = bare.memory_mib()
        for database, database_url in (("sqlite", None), ("postgresql", url)):
            with sidecar(home / database, database_url) as running:
                found |= {f"{database} {name}": value for name, value in running.milestones().items()}
                found[f"{database} memory"] = running.memory_mib()
        if round_number:  # the first round warms the disk
            for name, value in found.items():
                note(name, value)

    def row(name: str, subject: str, floor: str, floor_name: str, aim: str, unit: str = "ms") -> Row:
        factor = 1000.0 if unit == "ms" else 1.0
        ratios = [a / b for a, b in zip(taken[subject], taken[floor], strict=True)]
        return Row(
            name,
            unit,
            statistics.median(taken[subject]) * factor,
            floor_name,
            statistics.median(taken[floor]) * factor,
            statistics.median(ratios),
            aim,
        )

    rows = [row("bare imports", "imports", "interpreter", "bare interpreter", "-")]
    for database in ("sqlite", "postgresql"):
        rows += [
            row(
                f"{database}: first answer", f"{database} first", "bare first", "bare framework's", "well before ready"
            ),
            row(f"{database}: ready", f"{database} ready", "imports", "bare imports", "at most 1.0"),
            row(f"{database}: first data", f"{database} data", "imports", "bare imports", "-"),
            row(f"{database}: memory", f"{database} memory", "bare memory", "bare stack", "at most 1.15", "MiB"),
        ]
    return rows


def seconds_until_done(program: str) -> float:
    """Return how long a Python program takes from spawn to its last line; taking it down again does not count."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(MEASURED.python), "-I", "-c", f"{program}; print(flush=True)"],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None  # noqa: S101 - asked for as a pipe
        process.stdout.readline()
        return time.perf_counter() - started


def clean_environment(**more: str) -> dict[str, str]:
    """Return an environment in which nothing slows a start down: no PYTHON* variables, no proxies."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": tempfile.gettempdir(), **more}


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
        for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the kernel does not tell the resident memory")


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
def sidecar(directory: Path, url: str | None) -> Iterator[SidecarUnderTest]:
    """Run the sidecar on PostgreSQL, or on the embedded database."""
    variables = {"TASKFLOW_CONFIG_DIR": str(directory)} | ({"TASKFLOW_DATABASE_URL": url} if url else {})
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(MEASURED.python), "-I", "-m", "app", "serve", "--stdio", "--log-level", "error"],
        env=clean_environment(**variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
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


@contextmanager
def bare_stack(url: str) -> Iterator[Server]:
    """Run the bare framework with all given packages imported."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(MEASURED.python), "-I", "-c", BARE_STACK, url],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None  # noqa: S101 - asked for as a pipe
    try:
        yield Server(process, int(process.stdout.readline()), started)
    finally:
        process.terminate()
        process.wait(10)


def add_members(running: SidecarUnderTest, count: int) -> None:
    """Create members through the API."""
    running.milestones()
    for number in range(count):
        body = {"name": f"Member {number:03}", "email": f"member{number}@example.org"}
        running.request("POST", "/api/v1/members", body)


# --- throughput ------------------------------------------------------------------------------------------------------


def measure_load(rounds: int, home: Path, url: str) -> list[Row]:
    """Requests a second over a few kept connections, sidecar and bare framework in turn."""
    cases: list[tuple[str, str, str]] = [
        ("/health, requests/s", "/health", "/health"),
        ("50 members, requests/s", "/api/v1/members", "/members"),
    ]
    rows = []
    with sidecar(home / "postgresql", url) as running, bare_stack(url) as bare:
        running.milestones()
        for name, subject_path, floor_path in cases:
            subject, floor = [], []
            for round_number in range(rounds + 1):
                found = rate(running.port, subject_path), rate(bare.port, floor_path)
                if round_number:
                    subject.append(found[0])
                    floor.append(found[1])
            ratios = [a / b for a, b in zip(subject, floor, strict=True)]
            medians = statistics.median(subject), statistics.median(floor), statistics.median(ratios)
            rows.append(Row(name, "1/s", medians[0], "bare framework", medians[1], medians[2], "higher is better"))
    return rows


def rate(port: int, path: str) -> float:
    """Return the requests a second that a few connections get answered."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    each = REQUESTS // CONNECTIONS
    started = time.perf_counter()
    in_threads(CONNECTIONS, lambda: ask_repeatedly(port, request, each))
    return each * CONNECTIONS / (time.perf_counter() - started)


def in_threads(count: int, action: Callable[[], None]) -> None:
    """Run `action` in threads and wait for them."""
    threads = [threading.Thread(target=action) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ask_repeatedly(port: int, request: bytes, times: int) -> None:
    """Send the same request over one connection; every answer is as long as the first."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        length = len(first_answer(connection))
        for _ in range(times - 1):
            connection.sendall(request)
            missing = length
            while missing > 0:
                missing -= len(connection.recv(missing))


def first_answer(connection: socket.socket) -> bytes:
    """Read one answer by its Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError("the server did not answer 200")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < int(lengths[0].split(b":")[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def print_table(rows: list[Row], rounds: int) -> None:
    """Print medians and ratios."""
    print(f"medians of {rounds} rounds; ratio = sidecar / floor, median of the rounds' ratios\n")
    print(f"{'what':28} {'sidecar':>9} {'floor':>9}  {'of':18} {'ratio':>6}  aim")
    for row in rows:
        figures = f"{row.subject:9.0f} {row.floor:9.0f}  {row.floor_name:18} {row.ratio:6.2f}"
        print(f"{row.name + ' ' + (row.unit if row.unit != '1/s' else ''):28} {figures}  {row.aim}")


if __name__ == "__main__":
    run_script(main)
