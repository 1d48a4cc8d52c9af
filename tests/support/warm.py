"""Processes of the product that begin with its code in memory, as forks of a process that only loaded it.

Most tests are about what a sidecar does once it runs; three quarters of the processor time that it takes until then
are imports. Such a test gets its sidecar from here: a process of its own like any other, with its own arguments,
environment, directory and pipes. What is about starting itself is marked `cold` and begins with the interpreter.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Stream = int | IO[bytes]

CHECKOUT = Path(__file__).resolve().parents[2]
LARGEST_REQUEST: Final = 1_000_000
"""Bytes."""
_PROGRAM: Final = (sys.executable, "-m", "app")
_INTERPRETER_READS: Final = ("PYTHON", "LD_", "MALLOC_", "LANG", "LC_", "OPENSSL", "SSL_", "TZ")
"""Beginnings of the names of variables that interpreter and libraries look at when they begin."""
_LOADED: Final = (
    *("app.__main__", "app.cli", "app.sidecar.process", "app.sidecar.server", "app.sidecar.startup", "app.main"),
    *("app.parts.work", "app.parts.secrets", "app.api.again", "app.api.work", "app.api.secrets", "app.commands.client"),
    *("app.services.doctor", "app.services.vault.standalone", "app.services.vault.bulk", "alembic.command"),
    *("psycopg2", "sqlalchemy.dialects.postgresql.psycopg2", "sqlalchemy.dialects.sqlite.pysqlite", "tenacity"),
    *("asyncio", "ctypes", "httpx", "pwd", "uvicorn.lifespan.off", "litestar.middleware.response_cache"),
    *("litestar._kwargs.kwargs_model", "litestar.middleware._internal.exceptions.middleware"),
    *("cryptography.hazmat.backends.openssl.backend", "cryptography.hazmat.primitives.asymmetric.ec"),
)
"""What a sidecar has loaded once it is ready; what is missing here is only loaded later, by each."""


_is_wanted = False


def want(*, warm: bool) -> None:
    """Say whether the processes of the test that begins now may begin with their code in memory.

    Until a test says so none does: trials and benchmarks begin as people do.
    """
    global _is_wanted  # noqa: PLW0603 - of the test that runs, of which there is one
    _is_wanted = warm


class Process(Protocol):
    """What the tests use of `subprocess.Popen`."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None
    pid: int
    returncode: int | Any

    def poll(self) -> int | None:
        """Return the exit status if it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL."""

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""


def can_start(command: Sequence[str], variables: Mapping[str, str]) -> bool:
    """Return whether a command with these variables of its own may begin with its code in memory."""
    return (
        _is_wanted
        and sys.platform == "linux"
        and tuple(command[: len(_PROGRAM)]) == _PROGRAM
        and not any(name.startswith(_INTERPRETER_READS) for name in variables)
    )


def start(
    command: Sequence[str],
    variables: Mapping[str, str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: Stream,
    stdout: Stream,
    stderr: Stream,
) -> Process:
    """Start a program in a session of its own, with its code in memory where that is possible.

    Args:
        command: the program and its arguments.
        variables: those of its environment that the test chose itself.
        env: its environment.
        cwd: where it runs.
        stdin: as `subprocess.Popen` takes it, and so the others.
        stdout: see there.
        stderr: see there.
    """
    if can_start(command, variables):
        return _fork(command, env, cwd, (stdin, stdout, stderr))
    return subprocess.Popen(
        command, env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
    )


def _fork(command: Sequence[str], env: Mapping[str, str], cwd: Path, streams: tuple[Stream, Stream, Stream]) -> Process:
    ours: list[IO[bytes] | None] = []
    theirs: list[int] = []
    for number, wanted in enumerate(streams):
        if wanted == subprocess.PIPE:
            reader, writer = os.pipe()
            mine, given = (writer, reader) if number == 0 else (reader, writer)
            ours.append(os.fdopen(mine, "wb" if number == 0 else "rb"))
            theirs.append(given)
        else:
            ours.append(None)
            theirs.append(
                os.open(os.devnull, os.O_RDWR) if wanted == subprocess.DEVNULL else os.dup(_number_of(wanted))
            )
    status, told = os.pipe()
    request = {"arguments": list(command[len(_PROGRAM) :]), "env": dict(env), "cwd": str(cwd)}
    try:
        socket.send_fds(_loader(), [json.dumps(request).encode()], [*theirs, told])
    finally:
        for descriptor in (*theirs, told):
            os.close(descriptor)
    return _Forked(status, *ours)


class _Forked:
    """A process whose parent tells its id and its exit status through a pipe."""

    def __init__(
        self, status: int, stdin: IO[bytes] | None, stdout: IO[bytes] | None, stderr: IO[bytes] | None
    ) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.returncode: int | None = None
        self._status = os.fdopen(status, "rb", buffering=0)
        self.pid = int(self._told())

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(_PROGRAM, timeout or 0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def _end(self) -> None:
        self.returncode = int(self._told())
        self._status.close()

    def _told(self) -> bytes:
        line = bytearray()
        while not line.endswith(b"\n"):
            byte = self._status.read(1)
            assert byte, "the process that loaded the code has ended"
            line += byte
        return bytes(line)


def run(
    command: Sequence[str], *, env: Mapping[str, str], cwd: Path, text: str, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run `python -m app ...` to its end, `text` being its input, as `subprocess.run` does.

    Raises:
        subprocess.TimeoutExpired: it took too long, and was killed.
    """
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(text.encode())
        stdin.seek(0)
        process = _fork(command, env, cwd, (stdin, stdout, stderr))
        try:
            status = process.wait(timeout_s)
        except BaseException:
            process.kill()
            process.wait()
            raise
        outputs = []
        for stream in (stdout, stderr):
            stream.seek(0)
            outputs.append(stream.read().decode())
    return subprocess.CompletedProcess(command, status, *outputs)


def _number_of(stream: Stream) -> int:
    return stream if isinstance(stream, int) else stream.fileno()


@functools.cache
def _loader() -> socket.socket:
    """Start the process that loads the code, which ends with this one; return what it is asked by."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST_REQUEST)
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "LC_CTYPE")}
    loader = subprocess.Popen(
        [sys.executable, "-c", f"from tests.support.warm import _serve; _serve({theirs.fileno()})"],
        pass_fds=[theirs.fileno()],
        env={**environment, "PYTHONPATH": os.pathsep.join([str(CHECKOUT / "backend"), str(CHECKOUT)])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        loader.wait()

    atexit.register(end)
    return ours


def _serve(descriptor: int) -> None:
    """Load the code, and fork whenever asked, until whoever asks is gone."""
    gc.disable()
    for name in _LOADED:
        importlib.import_module(name)
    sys.path.remove(str(CHECKOUT))
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait for the sidecars
    with socket.socket(fileno=descriptor) as asked:
        while True:
            request, descriptors, _, _ = socket.recv_fds(asked, LARGEST_REQUEST, 4)
            if not request:
                return
            if os.fork() == 0:
                _attend(json.loads(request), descriptors)
            for number in descriptors:
                os.close(number)


def _attend(request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Fork the process, and tell its id and, when it has ended, its status."""
    *streams, told = descriptors
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        _become(request, streams)
    for number in streams:
        os.close(number)
    os.write(told, b"%d\n" % pid)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        os.write(told, b"%d\n" % status)
    os._exit(0)


def _become(request: dict[str, Any], streams: list[int]) -> NoReturn:
    """Run the product's command line in this process, as if it had just begun."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 1 + max(int(name) for name in os.listdir("/proc/self/fd")))  # noqa: PTH208 - names
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    tempfile.tempdir = None
    entry = sys.modules["app.__main__"]
    sys.modules["__main__"] = entry
    sys.argv = [str(entry.__file__), *request["arguments"]]
    try:
        entry.main()
    except SystemExit as exc:
        os._exit(exc.code if isinstance(exc.code, int) else 1)
    except BaseException:  # noqa: BLE001 - as the interpreter does at its outermost edge
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)
