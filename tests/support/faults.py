"""The fault kit: a network, a server, a disk and a process that misbehave while a block runs, and heal afterwards.

Every fault is a context manager: entered it is there, left it is gone. `FaultyProxy` stands between a sidecar and its
server; the others act on what the system itself refuses.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from tests.support import processes
from tests.support.network import TcpProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer
    from tests.support.sidecar import Sidecar

DELAY_S = 0.05
STALL_S = 0.3
"""What a lost packet costs: TCP sends it again."""
LOSS = 0.1
SLOW_BYTES_PER_S = 20_000
RESET_AFTER_BYTES = 200
DESCRIPTORS_LEFT = 2
"""What a starved process may still open."""


class FaultyProxy(TcpProxy):
    """A proxy whose network is slow, lossy, half-open, or breaks in the middle of a message.

    Args:
        upstream_port: of the server on 127.0.0.1.
        seed: of what is lost.
    """

    def __init__(self, upstream_port: int, *, seed: int = 0) -> None:
        super().__init__(upstream_port)
        self._random = random.Random(seed)
        self._mood = ""
        self._budget = 0
        self._mood_lock = threading.Lock()

    def _pump(self, source: socket.socket, sink: socket.socket, client: socket.socket) -> None:
        super()._pump(source, _Moody(self, sink, is_answer=sink is client), client)  # type: ignore[arg-type]

    def send(self, sink: socket.socket, chunk: bytes, *, is_answer: bool) -> None:
        """Forward a piece as the present mood has it.

        Raises:
            ConnectionResetError: the connection breaks here.
        """
        mood = self._mood
        if mood == "delay" or (mood == "loss" and self._random.random() < LOSS):
            time.sleep(DELAY_S if mood == "delay" else STALL_S)
        elif mood == "throttle":
            for start in range(0, len(chunk), 512):
                piece = chunk[start : start + 512]
                sink.sendall(piece)
                time.sleep(len(piece) / SLOW_BYTES_PER_S)
            return
        elif (mood == "reset-in-answer" and is_answer) or (mood == "half-message" and not is_answer):
            self._break(sink, chunk)
            return
        sink.sendall(chunk)

    def _break(self, sink: socket.socket, chunk: bytes) -> None:
        with self._mood_lock:
            self._budget -= len(chunk)
            is_over = self._budget < 0
            if is_over:
                self._budget = RESET_AFTER_BYTES
        if not is_over:
            sink.sendall(chunk)
            return
        sink.sendall(chunk[: len(chunk) // 2])
        raise ConnectionResetError

    @contextlib.contextmanager
    def mood(self, name: str) -> Iterator[None]:
        """Be in a mood: ``delay``, ``loss``, ``throttle``, ``reset-in-answer`` or ``half-message``."""
        self._budget, self._mood = RESET_AFTER_BYTES, name
        try:
            yield
        finally:
            self._mood = ""

    @contextlib.contextmanager
    def half_open(self) -> Iterator[None]:
        """Forward nothing, and tell neither side; what stood meanwhile is reset at the end."""
        self.black_hole()
        try:
            yield
        finally:
            self.cut(reset=True)
            self.pass_through()

    @contextlib.contextmanager
    def held_up(self) -> Iterator[None]:
        """Forward nothing for a while, then all of it."""
        self.black_hole()
        try:
            yield
        finally:
            self.pass_through()

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse connections, having reset those that stood."""
        self.refuse()
        self.cut(reset=True)
        try:
            yield
        finally:
            self.pass_through()


class _Moody:
    """A socket whose sending goes through the proxy's mood."""

    def __init__(self, proxy: FaultyProxy, sink: socket.socket, *, is_answer: bool) -> None:
        self._proxy = proxy
        self._sink = sink
        self._is_answer = is_answer

    def sendall(self, chunk: bytes) -> None:
        """Forward it, if the mood lets it through."""
        self._proxy.send(self._sink, chunk, is_answer=self._is_answer)

    def shutdown(self, how: int) -> None:
        """Pass the end on."""
        self._sink.shutdown(how)


# Processes


@contextlib.contextmanager
def asleep(*pids: int) -> Iterator[None]:
    """Stop processes, and let them go on."""
    for pid in pids:
        _signal(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            _signal(pid, signal.SIGCONT)


@contextlib.contextmanager
def server_asleep(server: PostgresServer) -> Iterator[None]:
    """Stop a whole cluster: the system answers for its sockets, and nobody else does."""
    with asleep(server.pid), asleep(*(process.pid for process in processes.descendants(server.pid))):
        yield


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


@contextlib.contextmanager
def without_descriptors(sidecar: Sidecar) -> Iterator[None]:
    """Let a process open hardly anything more."""
    pid = sidecar.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = max((int(name) for name in os.listdir(f"/proc/{pid}/fd")), default=0) + 1  # noqa: PTH208 - names of links
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + DESCRIPTORS_LEFT, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


# The server


@contextlib.contextmanager
def dead_server(server: PostgresServer) -> Iterator[None]:
    """Kill a cluster as the system does when memory runs out, and start it again."""
    server.kill9()
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def read_only(server: PostgresServer) -> Iterator[None]:
    """Let a cluster take no changes."""
    server.configure(default_transaction_read_only="on")
    try:
        yield
    finally:
        server.configure(default_transaction_read_only="off")


@contextlib.contextmanager
def no_logins(database: Database) -> Iterator[None]:
    """Grant the owner of a database no session more, and end those there are."""
    role = f"ALTER ROLE {database.username} CONNECTION LIMIT"
    database.execute(f"{role} 0")
    database.server.terminate_sessions(database=database.name)
    try:
        yield
    finally:
        database.execute(f"{role} -1")


@contextlib.contextmanager
def locked_table(database: Database, table: str = "tasks") -> Iterator[None]:
    """Hold a table that others want to write."""
    with database.server.connect(database.name) as holder:
        holder.autocommit = False
        holder.cursor().execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        try:
            yield
        finally:
            holder.rollback()


# Disks


@contextlib.contextmanager
def small_disk(directory: Path, size: str = "1m") -> Iterator[None]:
    """Put a small file system of its own at a directory, which may be filled; needs the right to mount."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", directory], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


@contextlib.contextmanager
def full_disk(directory: Path) -> Iterator[None]:
    """Fill the file system of a directory (ENOSPC)."""
    filler = directory / ".filler"
    try:
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
        yield
    finally:
        filler.unlink(missing_ok=True)


@contextlib.contextmanager
def read_only_disk(directory: Path) -> Iterator[None]:
    """Let nothing be written in a directory (EROFS), but into files that are open."""
    subprocess.run(["mount", "--bind", directory, directory], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", directory], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)
