"""Files that must never be half-written: atomic replace, exclusive publish, set-aside, owner-only permissions."""

from __future__ import annotations

import contextlib
import os
import re
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
_TEMPORARY: Final = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")


def make_private_directory(directory: Path) -> bool:
    """Create `directory` with its parents, owner-only; what exists keeps its mode except `directory` itself.

    Returns:
        Whether `directory` is owner-only now.

    Raises:
        OSError: it cannot be created, or is no directory.
    """
    if not directory.parent.is_dir():
        make_private_directory(directory.parent)
    directory.mkdir(mode=OWNER_DIRECTORY, exist_ok=True)
    return restrict(directory, OWNER_DIRECTORY)


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


def write_atomically(path: Path, content: bytes, *, keep_old: bool = False) -> None:
    """Replace `path` by `content`: readers, and a crash at any point, see the old bytes or the new ones.

    Args:
        path: the file to replace or create.
        content: what it is to hold.
        keep_old: set what is there aside, see `set_aside`.

    Raises:
        OSError: the directory cannot be written; `path` is as it was.
    """
    with _temporary(path, content) as temporary:
        if keep_old:
            set_aside(path)
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
            _retried(lambda: os.link(temporary, path))
        except FileExistsError:
            return False
        except OSError:  # no links on this file system: a rename is as complete, but needs the look before it
            if os.path.lexists(path):
                return False
            _retried(lambda: temporary.rename(path))
    _sync_directory(path.parent)
    return True


def set_aside(path: Path) -> Path | None:
    """Keep a second name, ``NAME.unreadable-<time>``, for a file that is about to be replaced.

    The original name stays until the replacement is renamed over it, so that no moment exists in which the file
    seems never to have been there. Only what can neither be linked nor copied (a directory in the file's place,
    somebody else's unreadable file) gives its name up at once. Returns the new name; None if there is no such file.

    Raises:
        OSError: the directory cannot be written; `path` is as it was.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for suffix in ("", *(f"-{n}" for n in range(1, 1000))):
        kept = path.with_name(f"{path.name}.unreadable-{stamp}{suffix}")
        try:
            _keep_under(path, kept)
        except FileExistsError:
            continue
        except FileNotFoundError:
            return None
        _sync_directory(path.parent)
        return kept
    raise FileExistsError("no free name to set the file aside")


def remove(path: Path) -> bool:
    """Delete `path` for good; return False if it is not there.

    Raises:
        OSError: it cannot be deleted.
    """
    try:
        _retried(path.unlink)
    except FileNotFoundError:
        return False
    _sync_directory(path.parent)
    return True


@contextlib.contextmanager
def _temporary(path: Path, content: bytes) -> Iterator[Path]:
    """Write `content` durably under a name beside `path`; the name is gone afterwards, whatever happens."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        _write_new(temporary, content)
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_leftovers(directory: Path) -> None:
    """Delete temporary files that killed writers left; call it only as the directory's owner."""
    with contextlib.suppress(OSError):
        for leftover in [path for path in directory.iterdir() if _TEMPORARY.fullmatch(path.name)]:
            with contextlib.suppress(OSError):
                leftover.unlink()


def _keep_under(path: Path, kept: Path) -> None:
    """Make what is at `path` available as `kept` as well, never over an existing file; move it if it must be."""
    try:
        _retried(lambda: os.link(path, kept))
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # no links on this file system, or not to this file
        try:
            content = path.read_bytes()
        except OSError:
            if os.path.lexists(kept):
                raise FileExistsError from None
            _retried(lambda: path.rename(kept))
        else:
            _write_new(kept, content)


def _write_new(path: Path, content: bytes) -> None:
    """Create `path`, owner-only, with `content` on the disk when this returns; nothing is left if that fails."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), OWNER_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


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
    """Make a rename survive a power cut; directories cannot be opened for that on Windows.

    Some network file systems refuse as well. The rename has happened by then, so that is no failure.
    """
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
