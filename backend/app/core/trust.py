"""What may be trusted on a computer with several users: files and folders that nobody else can have written.

The rules are those of OpenSSH's StrictModes: no link is followed to a file of ours, it is a regular file, it belongs to
this user (or to the administrator, who could do anything anyway), nobody else may write to it, and the same goes for
each folder on the way to it. Rights to read are taken away; rights to write are not mended but refused, as somebody may
have used them. A folder such as /tmp, where everybody may write and only owners may replace, is a sound place for a
folder of ours. On Windows owner and access control list of file and folder tell the same, see `windows_acl`.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.core.problems import problem
from app.core.rights import Rights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.problems import Problem

OWNER_FILE: Final = 0o600
OWNER_DIRECTORY: Final = 0o700
MAX_FILE_BYTES: Final = 1 << 20
"""None of the files that are read whole comes near it."""
_MAX_LINKS: Final = 40
"""As many as Linux follows."""
_SAFELY: Final = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe would be waited for
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
)

log = logging.getLogger(__name__)


class UntrustedError(OSError):
    """A file or folder is not ours alone; `filename` tells which, `strerror` why: ``belongs to another user``."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(errno.EPERM, reason, str(path))

    @property
    def problem(self) -> Problem:
        """What `/health` tells: which file or folder, by its last name, and what is wrong."""
        name = os.path.basename(self.filename) or self.filename  # noqa: PTH119 - a root has no name
        return problem("storage-untrusted", f"{name} {self.strerror}.")


# --- files -----------------------------------------------------------------------------------------------------------


def require_own_file(path: Path) -> None:
    """Check a file of ours without opening it, and take rights to read away; one that is not there is sound.

    Raises:
        UntrustedError: it, or a folder on the way to it, is not ours alone.
        OSError: it cannot be looked at.
    """
    require_own_directory(path.parent)
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    _require_own_file(path, found)


def open_own(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a file of ours and return its descriptor; one that is made is owner-only.

    Raises:
        UntrustedError: it, or a folder on the way to it, is not ours alone.
        OSError: it cannot be opened.
    """
    require_own_file(path)
    try:
        descriptor = os.open(path, flags | _SAFELY, OWNER_FILE)
    except PermissionError:
        if sys.platform != "win32" and path.exists() and path.stat().st_uid != os.geteuid():
            raise UntrustedError(path, "belongs to another user") from None  # the administrator's, left by a `sudo`
        raise
    try:
        _require_own_file(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_own(path: Path, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return the content of a file of ours.

    Raises:
        UntrustedError: it, or a folder on the way to it, is not ours alone.
        FileNotFoundError: there is none.
        OSError: it cannot be read; EFBIG if it is larger than `max_bytes`.
    """
    with os.fdopen(open_own(path), "rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def _require_own_file(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise UntrustedError(path, "is a link")
    if not stat.S_ISREG(found.st_mode):
        raise UntrustedError(path, "is not a regular file")
    rights = rights_of(path, found)
    _require_own(path, rights)
    if rights.others_read and not restrict(path, OWNER_FILE):
        log.warning("file is readable by other users and cannot be restricted", extra={"file": path.name})


def _require_own(path: Path, rights: Rights) -> None:
    if not rights.is_ours:
        raise UntrustedError(path, "belongs to another user")
    if rights.others_write:
        raise UntrustedError(path, "may be written by other users")


# --- folders ---------------------------------------------------------------------------------------------------------


def require_own_directory(directory: Path) -> None:
    """Check a folder of ours and every folder and link on the way to it; one that is not there is sound.

    Raises:
        UntrustedError: another user may change it, or put another one in its place.
        OSError: it cannot be looked at.
    """
    if sys.platform == "win32":  # what is replaced on the way belongs to somebody else, and is refused for that
        if directory.exists():
            _require_own(directory, rights_of(directory, directory.stat()))
        return
    for step, is_last in _steps(directory):
        try:
            found = step.lstat()
        except FileNotFoundError:
            return
        _require_own_step(step, found, is_last=is_last)


def _require_own_step(step: Path, found: os.stat_result, *, is_last: bool) -> None:
    rights = rights_of(step, found)
    if not rights.is_ours and not (found.st_uid == _owner_outside_sandbox() and stat.S_ISDIR(found.st_mode)):
        raise UntrustedError(step, "belongs to another user")
    if stat.S_ISLNK(found.st_mode):
        return  # the rights of a link mean nothing
    if rights.others_write and (is_last or not found.st_mode & stat.S_ISVTX):
        raise UntrustedError(step, "may be written by other users")


def _steps(directory: Path) -> Iterator[tuple[Path, bool]]:
    """Yield each folder and each link that the system goes through on the way; True with the folder it arrives at."""
    here, ahead, links = Path(directory.anchor), list(directory.parts[1:][::-1]), 0
    yield here, not ahead
    while ahead:
        step = here / ahead.pop()
        is_link = step.is_symlink()
        yield step, not ahead and not is_link
        if not is_link:
            here = step
            continue
        links += 1
        if links > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(directory))
        target = step.readlink()
        here = Path(target.anchor) if target.is_absolute() else here
        ahead += list((target.parts[1:] if target.is_absolute() else target.parts)[::-1])


# --- rights ----------------------------------------------------------------------------------------------------------


def rights_of(path: Path, found: os.stat_result) -> Rights:
    """Return who can do what with `path`, of which `found` was told by `stat`."""
    if sys.platform == "win32":
        from app.core import windows_acl

        return windows_acl.rights_of(path, is_directory=stat.S_ISDIR(found.st_mode))
    return Rights(
        is_ours=found.st_uid in (os.geteuid(), 0),
        others_write=bool(
            found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and not _is_private_group(found.st_gid))
        ),
        others_read=bool(found.st_mode & 0o077),
    )


def restrict(path: Path, mode: int) -> bool:
    """Take away the rights of others, if they have any; return whether `path` is owner-only now."""
    try:
        if not rights_of(path, path.stat()).others_read:
            return True
        if sys.platform == "win32":
            from app.core import windows_acl

            windows_acl.restrict(path)
        else:
            path.chmod(mode)
        return not rights_of(path, path.stat()).others_read
    except OSError:
        return False


def _is_private_group(gid: int) -> bool:
    """Tell whether a group is this user's alone; many systems give each user one, and umask 002 with it."""
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return user.pw_gid == gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


def _owner_outside_sandbox() -> int | None:
    """Return the uid that a sandbox (Flatpak, a rootless container) shows for root's folders outside of it.

    None where there is no sandbox: https://man7.org/linux/man-pages/man7/user_namespaces.7.html
    """
    try:
        if Path("/proc/self/uid_map").read_text(encoding="ascii").split() == ["0", "0", "4294967295"]:
            return None
        return int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
