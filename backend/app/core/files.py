"""Files that must never be half-written: atomic replace, exclusive publish, set-aside, owner-only permissions."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OWNER_FILE: Final = 0o600
OWNER_DIRECTORY: Final = 0o700
_RETRIED_WAITS_S: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Waits between tries of a rename that an antivirus scanner or an indexer blocks (Windows sharing violations)."""


def make_private_directory(directory: Path) -> None:
    """Create `directory` with its parents, owner-only; what exists keeps its mode except `directory` itself.

    Raises:
        OSError: it cannot be created, or is no directory.
    """
    directory.mkdir(mode=OWNER_DIRECTORY, parents=True, exist_ok=True)
    restrict(directory, OWNER_DIRECTORY)


def restrict(path: Path, mode: int) -> bool:
    """Take away rights of group and others; return whether `path` is owner-only now (always on Windows).

    Windows files inherit the profile directory's ACL, which is private already.
    """
    if sys.platform == "win32":
        return True
    if stat.S_IMODE(path.stat().st_mode) & 0o077 == 0:
        return True
    try:
        path.chmod(mode)
    except OSError:
        return False
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: readers, and a crash at any point, see the old bytes or the new ones.

    Raises:
        OSError: the directory cannot be written; `path` is as it was.
    """
    with _temporary(path, content) as temporary:
        _retried(lambda: temporary.replace(path))
    _sync_directory(path.parent)


def publish_exclusively(path: Path, content: bytes) -> bool:
    """Create `path` with `content` in one step; return False, and change nothing, if it exists already.

    Racing callers agree: exactly one of them publishes, the others find the winner's complete file.

    Raises:
        OSError: the directory cannot be written.
    """
    with _temporary(path, content) as temporary:
        try:
            _link_or_copy(temporary, path)
        except FileExistsError:
            return False
    _sync_directory(path.parent)
    return True


def set_aside(path: Path) -> Path | None:
    """Keep a second name, ``NAME.unreadable-<time>``, for a file that is about to be replaced.

    The original name stays until the replacement is renamed over it, so that no moment exists in which the file
    seems never to have been there. Returns the new name; None if there is no such file.

    Raises:
        OSError: the directory cannot be written.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for suffix in ("", *(f"-{n}" for n in range(1, 1000))):
        kept = path.with_name(f"{path.name}.unreadable-{stamp}{suffix}")
        try:
            _link_or_copy(path, kept)
        except FileExistsError:
            continue
        except FileNotFoundError:
            return None
        _sync_directory(path.parent)
        return kept
    raise FileExistsError("no free name to set the file aside")


@contextlib.contextmanager
def _temporary(path: Path, content: bytes) -> Iterator[Path]:
    """Write `content` durably under a name beside `path`; the name is gone afterwards, whatever happens."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), OWNER_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_leftovers(directory: Path, names: tuple[str, ...]) -> None:
    """Delete temporary files that a killed writer left beside `names`; call it only as the directory's owner."""
    for name in names:
        for leftover in directory.glob(f".{name}.*.tmp"):
            with contextlib.suppress(OSError):
                leftover.unlink()


def _link_or_copy(source: Path, target: Path) -> None:
    """Give `source` a second name, never over an existing one; file systems without links get an exclusive copy."""
    try:
        _retried(lambda: os.link(source, target))
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        content = source.read_bytes()
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), OWNER_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _retried(action: Callable[[], object]) -> None:
    """Run `action`; on Windows again, after each of a few short waits, while another program holds the file open."""
    for wait_s in _RETRIED_WAITS_S if sys.platform == "win32" else ():
        try:
            action()
        except PermissionError:
            time.sleep(wait_s)
        else:
            return
    action()


def _sync_directory(directory: Path) -> None:
    """Make a rename survive a power cut; directories cannot be opened for that on Windows."""
    if sys.platform != "win32":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
