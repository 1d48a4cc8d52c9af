"""Code of the product run in forked children: killed at a chosen file operation, or as a user without rights."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import pickle
import signal
import sys
import tempfile
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.engine.default import DefaultDialect

from app.__main__ import main
from tests.support.accounts import ServerAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

Value = TypeVar("Value")

FAILED = 99
"""Exit status of a child whose action raised."""
MEMORY = Path("/dev/shm")
_FILE_CALLS = frozenset(
    {"open", "write", "fsync", "chmod", "mkdir", "rmdir", "link", "unlink", "remove", "rename", "replace"}
    | {"truncate", "ftruncate", "symlink"}
)
"""Functions of `os` that change what is on the disk; what `pathlib` and `shutil` do ends in them."""
_IMPORTED_BY_COMMANDS = ("alembic.command", "app.services.vault.standalone", "psycopg2", "sqlalchemy.dialects")
_STREAM_CALLS = frozenset({"write", "flush", "close", "truncate"})


def start(action: Callable[[], object]) -> int:
    """Fork a child that runs `action` and ends; return its process id.

    What it raises is printed on stderr, and shows as exit status `FAILED`.
    """
    pid = os.fork()
    if pid:
        return pid
    gc.disable()  # a collection would touch, and so copy, every page that parent and child still share
    status = FAILED
    try:
        action()
        status = 0
    except BaseException:  # noqa: BLE001 - shown, and told by the exit status
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def wait(pid: int) -> int:
    """Wait for the end of a child; return its exit status, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def call(action: Callable[[], Value], *, as_ordinary_user: bool = False) -> Value:
    """Run `action` in a child and return what it returns.

    Args:
        action: what to run; its value must be picklable.
        as_ordinary_user: give up the rights of root first, if the tests have them.

    Raises:
        AssertionError: it raised, or the child died.
    """
    reader, writer = os.pipe()

    def run() -> None:
        if as_ordinary_user:
            become_ordinary_user()
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(action(), pipe)

    pid = start(run)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    status = wait(pid)
    assert status == 0, f"the child ended with status {status}"
    value: Value = pickle.loads(answer)
    return value


def become_ordinary_user() -> None:
    """Give up root's rights for good; does nothing for anybody else."""
    account = ServerAccount.choose()
    if account.name is not None:
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)


@contextlib.contextmanager
def directory(*, shared: bool = False) -> Iterator[Path]:
    """Provide a directory, in memory where the system has a place for that: a killed process loses nothing there.

    Args:
        shared: let every user enter it.
    """
    with tempfile.TemporaryDirectory(prefix="taskflow-", dir=MEMORY if MEMORY.is_dir() else None) as name:
        path = Path(name)
        if shared:
            path.chmod(0o755)
        yield path


def kill_at_file_operation(number: int) -> None:
    """Let this process kill itself, by SIGKILL, just before one of its file operations, counted from 1.

    The interpreter reports each call of a built-in function; those of functions that change the file system are
    counted together. What a killed process leaves does not change between two of them, so who tries every number has
    tried every moment.
    """
    count = 0

    def watch(_frame: FrameType, event: str, function: Any) -> None:
        nonlocal count
        if event == "c_call" and _is_file_operation(function):
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


def _is_file_operation(function: Any) -> bool:
    owner = getattr(function, "__self__", None)
    if isinstance(owner, io.IOBase):
        return function.__name__ in _STREAM_CALLS
    if function is io.open:
        return True
    return getattr(owner, "__name__", None) in {"posix", "nt"} and function.__name__ in _FILE_CALLS


def kill_at_commit(number: int) -> None:
    """Let this process kill itself, by SIGKILL, just before (odd numbers) or just after (even) one of its commits."""
    commit: Callable[[Any, Any], None] = DefaultDialect.do_commit
    count = 0

    def commit_or_die(dialect: Any, connection: Any) -> None:
        nonlocal count
        for step in ("before", "after"):
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            if step == "before":
                commit(dialect, connection)

    DefaultDialect.do_commit = commit_or_die  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended, and what it said."""

    status: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """All that it said."""
        return f"{self.stdout}\n{self.stderr}"


def run_command(*arguments: str, environment: Mapping[str, str]) -> Finished:
    """Run the product's command line in a child, as a process of its own but without the time that imports take.

    Args:
        arguments: those behind `taskflow-sidecar`.
        environment: all of its environment.
    """
    for module in _IMPORTED_BY_COMMANDS:
        importlib.import_module(module)
    with tempfile.TemporaryDirectory(prefix="taskflow-command-") as name:
        folder = Path(name)

        def run() -> None:
            warnings.resetwarnings()
            for ignored in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
                warnings.simplefilter("ignore", ignored)  # as Python does by itself, and pytest does not
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(folder)
            for descriptor, stream in ((1, "stdout"), (2, "stderr")):
                os.dup2(os.open(folder / stream, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
                setattr(sys, stream, open(descriptor, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            sys.argv = ["taskflow-sidecar", *arguments]
            main()

        status = wait(start(run))
        return Finished(status, (folder / "stdout").read_text("utf-8"), (folder / "stderr").read_text("utf-8"))
