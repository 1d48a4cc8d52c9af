"""What is trusted on a computer with several users, rule by rule; attacks on the process have tests of their own."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from app.core import trust
from app.core.trust import UntrustedError, open_own, read_own, require_own_directory, require_own_file

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="owners and rights as POSIX has them")


def reason(action: Callable[[], object]) -> str:
    """Run `action`, which must refuse; return which file or folder it named, and why."""
    with pytest.raises(UntrustedError) as caught:
        action()
    return f"{Path(caught.value.filename).name} {caught.value.strerror}"


def test_what_is_made_is_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    """And no link takes its place."""
    os.close(open_own(tmp_path / "file", os.O_WRONLY | os.O_CREAT))
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600

    (tmp_path / "link").symlink_to(tmp_path / "new")
    assert reason(lambda: open_own(tmp_path / "link", os.O_WRONLY | os.O_CREAT)) == "link is a link"
    assert not (tmp_path / "new").exists()


def test_content_is_limited(tmp_path: Path) -> None:
    """A file that grew beyond all measure is not read into memory."""
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "file").chmod(0o600)

    assert read_own(tmp_path / "file", 5) == b"12345"
    with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        read_own(tmp_path / "file", 4)


@pytest.mark.parametrize(
    ("name", "is_trusted"), [("me", True), ("shared", False)], ids=["private group", "shared group"]
)
def test_group_may_write_only_where_it_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, is_trusted: bool
) -> None:
    """With umask 002, and a group for each user, nobody else is in the group."""
    import grp
    import pwd

    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="me", pw_gid=os.getegid()))
    monkeypatch.setattr(grp, "getgrgid", lambda _: SimpleNamespace(gr_name=name, gr_mem=[]))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder").chmod(0o770)

    if is_trusted:
        require_own_directory(tmp_path / "folder")
    else:
        assert reason(lambda: require_own_directory(tmp_path / "folder")) == "folder may be written by other users"


def test_folder_reached_through_links_is_the_one_that_counts(tmp_path: Path) -> None:
    """Each step is looked at, also those behind a link; a sticky folder is a way, never a destination."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "config").mkdir(mode=0o700)
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to("open/config")
    (tmp_path / "sticky-link").symlink_to("open")

    assert reason(lambda: require_own_directory(tmp_path / "link")) == "open may be written by other users"
    (tmp_path / "open").chmod(0o1777)
    require_own_directory(tmp_path / "link")
    assert reason(lambda: require_own_directory(tmp_path / "sticky-link")) == "open may be written by other users"


def test_links_that_lead_nowhere_end(tmp_path: Path) -> None:
    """A link to itself is an error, not a hang."""
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        require_own_directory(tmp_path / "loop")


@pytest.mark.parametrize(
    ("uid_map", "is_trusted"), [("0 0 4294967295", False), ("1000 1000 1", True)], ids=["no sandbox", "sandbox"]
)
def test_roots_folders_seen_from_a_sandbox_are_trusted(
    monkeypatch: pytest.MonkeyPatch, uid_map: str, *, is_trusted: bool
) -> None:
    """In Flatpak the folders above home belong to a uid that stands for all outside; elsewhere it is a stranger."""
    told = {"/proc/self/uid_map": uid_map, "/proc/sys/kernel/overflowuid": "65534"}
    monkeypatch.setattr(Path, "read_text", lambda self, **_: told[str(self)])
    stranger: Any = SimpleNamespace(st_uid=65534, st_gid=65534, st_mode=0o040755)

    def look() -> None:
        trust._require_own_step(Path("/home"), stranger, is_last=False)

    if is_trusted:
        look()
    else:
        assert reason(look) == "home belongs to another user"


def test_what_is_not_there_is_sound(tmp_path: Path) -> None:
    """It will be made, owner-only."""
    require_own_file(tmp_path / "missing" / "file")
    require_own_directory(tmp_path / "missing" / "folder")
