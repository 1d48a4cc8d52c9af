"""One sidecar owns a config directory: a lock that the operating system releases when its holder dies."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from app.core.exceptions import AlreadyRunningError, ConfigDirectoryUnusableError
from app.core.files import read_private, write_atomically
from app.core.trust import UntrustedError, open_own

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_FILE: Final = "sidecar.lock"
RUN_FILE: Final = "sidecar.json"
_HOLDER: Final = re.compile(r"([0-9]{1,10}) ([0-9TZ:-]{20})\n")


@contextlib.contextmanager
def owned(directory: Path) -> Iterator[None]:
    """Own `directory` until the block ends or the process dies.

    Raises:
        AlreadyRunningError: another process owns it; it is not touched in any way.
        ConfigDirectoryUnusableError: the lock file is not ours or cannot be opened, or its file system knows no locks.
    """
    try:
        descriptor = open_own(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    except UntrustedError as exc:
        raise ConfigDirectoryUnusableError(f"The config directory cannot be locked: {exc.problem.message}") from None
    except OSError as exc:
        raise _unusable(exc) from None
    try:
        if not _try_lock(descriptor):
            raise AlreadyRunningError(f"Another sidecar is running with this config directory{_holder(descriptor)}.")
        _tell_holder(descriptor)
        yield
    finally:
        os.close(descriptor)


def _tell_holder(descriptor: int) -> None:
    """Write into the lock file who holds it; whoever comes second reads it."""
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with contextlib.suppress(OSError):  # a full disk keeps nobody from working
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()} {since}\n".encode())


def _holder(descriptor: int) -> str:
    """Return who holds the lock, as the end of a sentence; nothing where that cannot be read (Windows)."""
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        told = _HOLDER.fullmatch(os.read(descriptor, 64).decode("ascii", "replace"))
    except OSError:
        return ""
    return f": process {told[1]}, since {told[2]}" if told is not None else ""


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as exc:
        if sys.platform == "win32" and not exc.errno:  # a C library that does not say why, such as Wine's
            return False
        raise _unusable(exc) from None
    return True


def _unusable(exc: OSError) -> ConfigDirectoryUnusableError:
    return ConfigDirectoryUnusableError(f"The config directory cannot be locked: {exc.strerror}.")


@contextlib.contextmanager
def run_file(directory: Path, content: dict[str, Any]) -> Iterator[None]:
    """Keep `sidecar.json`, owner-only, until the block ends: where a sidecar started by hand is, and its token.

    Raises:
        ConfigDirectoryUnusableError: it cannot be written.
    """
    path = directory / RUN_FILE
    try:
        write_atomically(path, json.dumps(content).encode())
    except OSError as exc:
        raise ConfigDirectoryUnusableError(f"{RUN_FILE} cannot be written: {exc.strerror}.") from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def read_run_file(directory: Path) -> dict[str, Any] | None:
    """Return what `sidecar.json` says; None if there is none, or it is damaged or somebody else's."""
    try:
        content = json.loads(read_private(directory / RUN_FILE))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
