"""One owner for a config directory, however owners end, and the file that tells where a sidecar is."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from app.core import ownership
from app.core.exceptions import AlreadyRunningError, ConfigDirectoryUnusableError
from app.core.ownership import LOCK_FILE, RUN_FILE, owned, read_run_file, run_file
from tests.support.sidecar import CHECKOUT
from tests.support.system import is_owner_only

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = {"url": "http://127.0.0.1:8000", "token": "ab" * 32, "pid": 7, "started_at": "2026-11-20T12:00:00Z"}


def test_owner_is_alone_until_it_leaves(tmp_path: Path) -> None:
    """A second owner is refused, also within the same process; afterwards the directory is free."""
    with owned(tmp_path):
        with pytest.raises(AlreadyRunningError), owned(tmp_path):
            pass
        with pytest.raises(AlreadyRunningError), owned(tmp_path):
            pass  # the refused attempt has not released it

    with owned(tmp_path):
        pass


def test_failing_owner_leaves_too(tmp_path: Path) -> None:
    """An error inside the block releases the lock."""
    with pytest.raises(RuntimeError), owned(tmp_path):
        raise RuntimeError

    with owned(tmp_path):
        pass


def test_refused_owner_changes_nothing(tmp_path: Path) -> None:
    """The winner's directory stays as it is, the lock file included."""
    with owned(tmp_path):
        (tmp_path / LOCK_FILE).write_text("mine")
        before = {path.name: (path.stat().st_ino, path.read_bytes()) for path in tmp_path.iterdir()}
        with pytest.raises(AlreadyRunningError), owned(tmp_path):
            pass

        assert {path.name: (path.stat().st_ino, path.read_bytes()) for path in tmp_path.iterdir()} == before


def test_killed_owner_leaves_the_directory_free(tmp_path: Path) -> None:
    """The system releases the lock; nothing has to be cleaned up, and no process id is compared."""
    script = (
        "import pathlib, sys\n"
        "from app.core.ownership import owned\n"
        "with owned(pathlib.Path(sys.argv[1])):\n"
        "    print('mine', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "backend")},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"mine"
        with pytest.raises(AlreadyRunningError), owned(tmp_path):
            pass

        holder.kill()
        holder.wait()

    with owned(tmp_path):
        pass


def test_children_do_not_inherit_the_lock(tmp_path: Path) -> None:
    """A program that the sidecar starts, such as a browser, must not keep the directory owned after its end."""
    script = "print('running', flush=True); input()"
    with owned(tmp_path):
        child = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
        )
    try:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"running"
        with owned(tmp_path):
            pass
    finally:
        child.communicate(b"\n")


def test_many_racing_owners_are_one(tmp_path: Path) -> None:
    """Exactly one of them gets it."""
    start, leave = threading.Barrier(8), threading.Event()
    outcomes: list[str] = []

    def race() -> None:
        start.wait()
        try:
            with owned(tmp_path):
                outcomes.append("won")
                leave.wait(10)
        except AlreadyRunningError:
            outcomes.append("lost")
            if outcomes.count("lost") == 7:
                leave.set()

    racers = [threading.Thread(target=race) for _ in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    assert sorted(outcomes) == ["lost"] * 7 + ["won"]


def test_lock_file_is_the_owners(tmp_path: Path) -> None:
    """Nobody else could hold it."""
    with owned(tmp_path):
        assert is_owner_only(tmp_path / LOCK_FILE)


def test_file_system_without_locks_is_not_another_sidecar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To say that another sidecar runs would send people looking for one."""

    def no_locks(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    if sys.platform == "win32":
        import msvcrt

        monkeypatch.setattr(msvcrt, "locking", no_locks)
    else:
        import fcntl

        monkeypatch.setattr(fcntl, "flock", no_locks)

    with pytest.raises(ConfigDirectoryUnusableError, match=r"cannot be locked: No locks available"), owned(tmp_path):
        pass


def test_lock_that_fails_without_a_reason_is_another_sidecar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some C libraries for Windows say only that it failed."""

    def held(*_: Any) -> None:
        raise OSError(0, "Error")

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=held, LK_NBLCK=2))

    assert not ownership._try_lock(0)


def test_lock_file_that_cannot_be_opened_is_a_problem_of_the_directory(tmp_path: Path) -> None:
    """Not an internal error."""
    (tmp_path / LOCK_FILE).mkdir()

    with pytest.raises(ConfigDirectoryUnusableError, match=r"cannot be locked"), owned(tmp_path):
        pass


def test_run_file_is_there_while_the_block_runs(tmp_path: Path) -> None:
    """Owner-only, because it holds the token."""
    with run_file(tmp_path, CONTENT):
        path = tmp_path / RUN_FILE
        assert json.loads(path.read_bytes()) == CONTENT
        assert is_owner_only(path)
        assert read_run_file(tmp_path) == CONTENT

    assert list(tmp_path.iterdir()) == []
    assert read_run_file(tmp_path) is None


def test_run_file_of_a_killed_sidecar_is_replaced(tmp_path: Path) -> None:
    """Also when other users could read what was left."""
    (tmp_path / RUN_FILE).write_text("{}")
    (tmp_path / RUN_FILE).chmod(0o644)

    with run_file(tmp_path, CONTENT):
        assert read_run_file(tmp_path) == CONTENT
        assert is_owner_only(tmp_path / RUN_FILE)


def test_run_file_that_somebody_removed_is_no_error(tmp_path: Path) -> None:
    """The end of the process has better things to do."""
    with run_file(tmp_path, CONTENT):
        (tmp_path / RUN_FILE).unlink()


def test_run_file_that_cannot_be_written_is_a_problem_of_the_directory(tmp_path: Path) -> None:
    """It has an exit status of its own, rather than being an internal error."""
    (tmp_path / RUN_FILE).mkdir()

    with pytest.raises(ConfigDirectoryUnusableError), run_file(tmp_path, CONTENT):
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"7"])
def test_damaged_run_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    """The command line says that no sidecar runs, rather than failing over it."""
    (tmp_path / RUN_FILE).write_bytes(content)

    assert read_run_file(tmp_path) is None
