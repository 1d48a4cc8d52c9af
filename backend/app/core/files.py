"""Files that must never be half-written: atomic replace, exclusive publish, set-aside.

What is made here is owner-only; what is found is trusted by the rules of `trust`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import sys
import time
from typing import TYPE_CHECKING, Final, TypeVar

from app.core.trust import OWNER_DIRECTORY, OWNER_FILE, read_own, require_own_directory, restrict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Result = TypeVar("Result")

_RETRIED_WAITS_S: Final = (0.02, 0.03, 0.05, *(0.1,) * 15)
"""Waits between tries of what an antivirus scanner or an indexer blocks (Windows sharing violations).

They stay short: who opens a file again and again leaves short gaps, which a try must fall into.
"""
_TEMPORARY: Final = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")


def make_private_directory(directory: Path) -> bool:
    """Create `directory` with its parents, owner-only; what exists keeps its mode except `directory` itself.

    Returns:
        Whether `directory` is owner-only now.

    Raises:
        UntrustedError: it, or a folder on the way to it, is under the control of another user.
        OSError: it cannot be created, or is no directory.
    """
    require_own_directory(directory)
    _make_directory(directory)
    return restrict(directory, OWNER_DIRECTORY)


def _make_directory(directory: Path) -> None:
    if not directory.parent.is_dir():
        if directory.parent == directory:  # a drive or share that is away
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))
        _make_directory(directory.parent)
    directory.mkdir(mode=OWNER_DIRECTORY, exist_ok=True)


def read_private(path: Path) -> bytes:
    """Return the content of a small file of ours; waits while another program keeps it from being read.

    Raises:
        UntrustedError: it, or a folder on the way to it, is not ours alone.
        FileNotFoundError: there is none.
        OSError: it cannot be read; EFBIG if it is not small.
    """
    return _retried(lambda: read_own(path))


def write_atomically(path: Path, content: bytes, *, keep_old: bool = False) -> Path | None:
    """Replace `path` by `content`: readers, and a crash at any point, see the old bytes or the new ones.

    Args:
        path: the file to replace or create.
        content: what it is to hold.
        keep_old: set what is there aside, see `set_aside`.

    Returns:
        The name under which the old file was kept.

    Raises:
        OSError: the directory cannot be written; `path` is as it was, and nothing is left beside it.
    """
    with _temporary(path, content) as temporary:
        kept = set_aside(path) if keep_old else None
        try:
            _retried(lambda: temporary.replace(path))
        except BaseException:
            if kept is not None:
                put_back(path, kept)
            raise
    _sync_directory(path.parent)
    return kept


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


def put_back(path: Path, kept: Path) -> None:
    """Undo `set_aside`: what is at `kept` has the name `path` again, and that name only.

    Raises:
        OSError: the directory cannot be written.
    """
    with contextlib.suppress(OSError):
        if path.samefile(kept):  # a rename between two names of one file does nothing, says POSIX
            kept.unlink()
            return
    _retried(lambda: kept.replace(path))


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
            content = read_own(path)
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


def _retried(action: Callable[[], Result]) -> Result:
    """Run `action`; on Windows again, after each of a few short waits, while another program holds the file open."""
    for wait_s in _RETRIED_WAITS_S if sys.platform == "win32" else ():
        try:
            return action()
        except PermissionError:
            time.sleep(wait_s)
    return action()


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
