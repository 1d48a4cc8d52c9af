"""Files that are never half-written: replaced whole, published once, set aside, owner-only."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.core.files import (
    make_private_directory,
    publish_exclusively,
    read_private,
    remove,
    remove_leftovers,
    set_aside,
    write_atomically,
)
from app.core.trust import restrict
from tests.support.system import posix_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def mode_of(path: Path) -> int:
    """The rights, as chmod takes them."""
    return stat.S_IMODE(path.stat().st_mode)


def names_in(directory: Path) -> list[str]:
    """What is in a directory, hidden names included."""
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def umask() -> Iterator[None]:
    """The most careless umask there is."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def operations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is synchronised, renamed and linked from now on, in order; temporary names shortened."""
    seen: list[str] = []

    def short(path: object) -> str:
        return re.sub(r"\.[0-9a-f]{16}\.tmp", ".tmp", os.path.basename(os.fspath(path)))  # type: ignore[call-overload]  # noqa: PTH119

    real_fsync, real_replace, real_link = os.fsync, os.replace, os.link

    def fsync(descriptor: int) -> None:
        seen.append(f"fsync {short(os.readlink(f'/proc/self/fd/{descriptor}'))}")  # noqa: PTH115
        real_fsync(descriptor)

    def replace(source: Path, target: Path) -> None:
        seen.append(f"rename {short(source)} {short(target)}")
        real_replace(source, target)

    def link(source: Path, target: Path) -> None:
        seen.append(f"link {short(source)} {short(target)}")
        real_link(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "link", link)
    return seen


def refuse(number: int) -> Callable[..., None]:
    """A function that fails as the system does."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


# --- replace ---------------------------------------------------------------------------------------------------------


@posix_only
def test_content_is_on_the_disk_before_its_name(tmp_path: Path, operations: list[str]) -> None:
    """A power cut between any two steps leaves the old content or the new: file first, then name, then directory."""
    write_atomically(tmp_path / "file", b"content")

    assert operations == ["fsync .file.tmp", "rename .file.tmp file", f"fsync {tmp_path.name}"]
    assert (tmp_path / "file").read_bytes() == b"content"


@posix_only
def test_published_content_is_on_the_disk_before_its_name(tmp_path: Path, operations: list[str]) -> None:
    """The same order, with a link that never replaces anything."""
    assert publish_exclusively(tmp_path / "file", b"content")

    assert operations == ["fsync .file.tmp", "link .file.tmp file", f"fsync {tmp_path.name}"]


@posix_only
def test_old_file_gets_its_second_name_before_it_loses_the_first(tmp_path: Path, operations: list[str]) -> None:
    """What is set aside is under its old name until the new file is."""
    (tmp_path / "file").write_bytes(b"old")

    write_atomically(tmp_path / "file", b"new", keep_old=True)

    kept = next(name for name in names_in(tmp_path) if name != "file")
    assert [step.split()[0] for step in operations] == ["fsync", "link", "fsync", "rename", "fsync"]
    assert operations[1] == f"link file {kept}"
    assert (tmp_path / kept).read_bytes() == b"old"


@posix_only
@pytest.mark.usefixtures("umask")
def test_new_files_are_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    """Replaced, published and kept files, and no temporary file is left."""
    (tmp_path / "replaced").write_bytes(b"open to all")
    (tmp_path / "replaced").chmod(0o666)

    write_atomically(tmp_path / "replaced", b"1")
    publish_exclusively(tmp_path / "published", b"2")

    assert {name: mode_of(tmp_path / name) for name in names_in(tmp_path)} == {"replaced": 0o600, "published": 0o600}


@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """A full disk or a read-only directory: the error is raised, the old content stays, nothing is left behind."""
    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(os, call, refuse(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "file", b"new")
    monkeypatch.undo()

    assert names_in(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_full_disk_does_not_cost_the_file_that_was_to_be_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without links and without space for a copy, nothing is renamed and nothing half-copied is left."""
    (tmp_path / "file").write_bytes(b"old")
    real_fsync, count = os.fsync, 0

    def full_after_the_first(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real_fsync(descriptor)

    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    monkeypatch.setattr(os, "fsync", full_after_the_first)

    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "file", b"new", keep_old=True)

    assert names_in(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_directory_that_cannot_be_synchronised_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems refuse; the content is there all the same."""
    real_fsync = os.fsync

    def files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)

    write_atomically(tmp_path / "file", b"content")

    assert (tmp_path / "file").read_bytes() == b"content"


def test_rename_is_tried_again_while_another_program_holds_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows antivirus scanners open what is new; a few short waits get past them."""
    waits: list[float] = []
    monkeypatch.setattr("app.core.files.sys.platform", "win32")
    monkeypatch.setattr("app.core.files.time.sleep", waits.append)
    real_replace = os.replace

    def blocked_at_first(source: Path, target: Path) -> None:
        if len(waits) < 3:
            raise PermissionError(errno.EACCES, "in use")
        real_replace(source, target)

    monkeypatch.setattr(os, "replace", blocked_at_first)

    write_atomically(tmp_path / "file", b"content")

    assert (tmp_path / "file").read_bytes() == b"content"
    assert waits == sorted(waits)
    assert len(waits) == 3


def test_rename_that_stays_blocked_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is raised after about a second and a half."""
    waits: list[float] = []
    monkeypatch.setattr("app.core.files.sys.platform", "win32")
    monkeypatch.setattr("app.core.files.time.sleep", waits.append)
    monkeypatch.setattr(os, "replace", refuse(errno.EACCES))

    with pytest.raises(PermissionError):
        write_atomically(tmp_path / "file", b"content")

    assert 1 < sum(waits) < 3
    assert names_in(tmp_path) == []


def test_read_is_tried_again_while_another_program_holds_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as a rename is; what stays held is no damage, and raises what the system says."""
    waits: list[float] = []
    monkeypatch.setattr("app.core.files.sys.platform", "win32")
    monkeypatch.setattr("app.core.files.time.sleep", waits.append)

    def held_at_first(_: Path) -> bytes:
        if len(waits) < 3:
            raise PermissionError(errno.EACCES, "in use")
        return b"content"

    monkeypatch.setattr("app.core.files.read_own", held_at_first)
    assert read_private(tmp_path / "file") == b"content"
    assert len(waits) == 3

    monkeypatch.setattr("app.core.files.read_own", refuse(errno.EACCES))
    with pytest.raises(PermissionError):
        read_private(tmp_path / "file")
    assert sum(waits[3:]) > 1


@pytest.mark.parametrize("has_links", [True, False], ids=["links", "no-links"])
def test_failed_replacement_leaves_nothing_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    """What was set aside for it has its name back, and that name only."""
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o600)
    if not has_links:
        monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    real_replace = os.replace

    def refuse_the_new_one(source: Path, target: Path) -> None:
        if source.name.endswith(".tmp"):
            raise PermissionError(errno.EACCES, "in use")
        real_replace(source, target)

    monkeypatch.setattr(os, "replace", refuse_the_new_one)

    with pytest.raises(PermissionError):
        write_atomically(tmp_path / "file", b"new", keep_old=True)

    assert names_in(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_missing_drive_is_an_error_rather_than_a_search_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The root of a drive or share that is away is its own parent."""
    monkeypatch.setattr("pathlib.Path.is_dir", lambda _: False)

    with pytest.raises(FileNotFoundError, match=os.strerror(errno.ENOENT)):
        make_private_directory(Path("/away/config"))


# --- publish ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_links", [True, False], ids=["links", "no-links"])
def test_file_is_published_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool) -> None:
    """The first content stays; whoever comes later is told so."""
    if not has_links:
        monkeypatch.setattr(os, "link", refuse(errno.EPERM))

    assert publish_exclusively(tmp_path / "file", b"first") is True
    assert publish_exclusively(tmp_path / "file", b"second") is False

    assert (tmp_path / "file").read_bytes() == b"first"
    assert names_in(tmp_path) == ["file"]


@posix_only
@pytest.mark.parametrize("has_links", [True, False], ids=["links", "no-links"])
def test_nothing_is_published_over_a_dangling_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    """A link whose target is away is there, and is not replaced."""
    (tmp_path / "file").symlink_to("away")
    if not has_links:
        monkeypatch.setattr(os, "link", refuse(errno.EPERM))

    assert publish_exclusively(tmp_path / "file", b"content") is False

    assert (tmp_path / "file").is_symlink()


# --- set aside -------------------------------------------------------------------------------------------------------


def test_file_is_kept_under_a_dated_name_and_stays_for_now(tmp_path: Path) -> None:
    """The second name tells when, and the first is still there."""
    (tmp_path / "file").write_bytes(b"damaged")

    kept = set_aside(tmp_path / "file")

    assert kept is not None
    assert re.fullmatch(r"file\.unreadable-\d{8}T\d{6}Z", kept.name)
    assert kept.read_bytes() == (tmp_path / "file").read_bytes() == b"damaged"


@pytest.mark.parametrize("has_links", [True, False], ids=["links", "no-links"])
def test_files_set_aside_in_one_second_are_all_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    """A number is added rather than that anything is overwritten."""
    if not has_links:
        monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    monkeypatch.setattr(time, "gmtime", lambda: (2026, 1, 2, 3, 4, 5, 0, 0, 0))
    kept = []
    for content in (b"1", b"2", b"3"):
        (tmp_path / "file").write_bytes(content)
        kept.append(set_aside(tmp_path / "file"))
        (tmp_path / "file").unlink()

    assert [path.name for path in kept if path] == [
        "file.unreadable-20260102T030405Z",
        "file.unreadable-20260102T030405Z-1",
        "file.unreadable-20260102T030405Z-2",
    ]
    assert [path.read_bytes() for path in kept if path] == [b"1", b"2", b"3"]


def test_directory_in_the_place_of_a_file_is_moved(tmp_path: Path) -> None:
    """It can be neither linked nor copied; and never is another one moved over it."""
    kept = []
    for number in (1, 2):
        (tmp_path / "file").mkdir()
        (tmp_path / "file" / f"inside-{number}").touch()
        kept.append(set_aside(tmp_path / "file"))

    assert not (tmp_path / "file").exists()
    assert [names_in(path) for path in kept if path] == [["inside-1"], ["inside-2"]]


def test_nothing_is_set_aside_where_nothing_is(tmp_path: Path) -> None:
    """No file, no second name."""
    assert set_aside(tmp_path / "file") is None
    assert names_in(tmp_path) == []


# --- remove, clean up, rights ----------------------------------------------------------------------------------------


@posix_only
def test_removed_file_is_gone_for_good(tmp_path: Path, operations: list[str]) -> None:
    """The directory reaches the disk as well; a file that is not there is told apart."""
    (tmp_path / "file").touch()

    assert remove(tmp_path / "file") is True
    assert operations == [f"fsync {tmp_path.name}"]
    assert remove(tmp_path / "file") is False


def test_only_leftovers_of_our_writers_are_removed(tmp_path: Path) -> None:
    """In a directory that is shared with other programs their temporary files stay."""
    ours = [".fernet.key.0123456789abcdef.tmp", ".sidecar.json.ffffffffffffffff.tmp"]
    theirs = [".tmp", "x.tmp", ".other.tmp", ".fernet.key.swp", ".a.0123456789ABCDEF.tmp", "a.0123456789abcdef.tmp"]
    for name in (*ours, *theirs):
        (tmp_path / name).touch()

    remove_leftovers(tmp_path)
    remove_leftovers(tmp_path / "not-there")

    assert names_in(tmp_path) == sorted(theirs)


@posix_only
@pytest.mark.usefixtures("umask")
def test_directory_is_made_with_its_parents_and_owner_only(tmp_path: Path) -> None:
    """All that is made is 0700; a parent that was there keeps its rights."""
    (tmp_path / "shared").mkdir(mode=0o755)

    assert make_private_directory(tmp_path / "shared" / "a" / "b") is True

    modes = [mode_of(tmp_path / "shared" / part) for part in ("", "a", "a/b")]
    assert modes == [0o755, 0o700, 0o700]


@posix_only
def test_directory_with_too_many_rights_is_restricted(tmp_path: Path) -> None:
    """One that exists is repaired."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory").chmod(0o755)

    assert make_private_directory(tmp_path / "directory") is True
    assert mode_of(tmp_path / "directory") == 0o700


@pytest.mark.parametrize(
    "place",
    [*("file", "file/below"), *(pytest.param(place, marks=posix_only) for place in ("loop", "loop/below"))],
)
def test_directory_that_cannot_be_made_is_an_error(tmp_path: Path, place: str) -> None:
    """A file, or a link to itself, is in the way."""
    (tmp_path / "file").touch()
    if "loop" in place:
        (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(OSError, match=r"exist|Not a directory|symbolic links|cannot find"):
        make_private_directory(tmp_path / place)


@posix_only
def test_rights_that_cannot_be_taken_away_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's file stays open to others; one that is owner-only already needs no change."""
    path = tmp_path / "file"
    path.touch(0o600)
    monkeypatch.setattr(os, "chmod", refuse(errno.EPERM))

    assert restrict(path, 0o600) is True
    monkeypatch.undo()
    path.chmod(0o644)
    monkeypatch.setattr(os, "chmod", refuse(errno.EPERM))
    assert restrict(path, 0o600) is False
