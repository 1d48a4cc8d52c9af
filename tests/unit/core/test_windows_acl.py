"""What access control lists of Windows mean, by the text that the system tells; Wine does not keep real ones."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from app.core import trust, windows_acl
from app.core.files import make_private_directory
from app.core.rights import Rights
from app.core.trust import UntrustedError, read_own
from app.core.windows_acl import parse

if TYPE_CHECKING:
    from pathlib import Path

ME = "S-1-5-21-1004336348-1177238915-682003330-1001"
SOMEBODY = "S-1-5-21-1004336348-1177238915-682003330-1002"
PRIVATE = f"(A;OICI;FA;;;{ME})(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
OURS = Rights(is_ours=True, others_write=False, others_read=False)
FOREIGN = Rights(is_ours=False, others_write=False, others_read=False)
READ = Rights(is_ours=True, others_write=False, others_read=True)
WRITTEN = Rights(is_ours=True, others_write=True, others_read=True)


@pytest.mark.parametrize(
    ("sddl", "rights"),
    [
        pytest.param(f"O:{ME}D:P{PRIVATE}", OURS, id="as we set it"),
        pytest.param(f"O:{ME}G:{SOMEBODY}D:PAI{PRIVATE}S:AI", OURS, id="with group and audit list"),
        pytest.param(f"O:BAD:P{PRIVATE}", OURS, id="made by an elevated program"),
        pytest.param(f"O:S-1-5-18D:P{PRIVATE}", OURS, id="SYSTEM by its SID"),
        pytest.param(f"O:{ME}D:P{PRIVATE}(A;OICIIO;FA;;;CO)(D;;FA;;;WD)", OURS, id="placeholder and refusal"),
        pytest.param(f"O:{ME}D:AI{PRIVATE}", READ, id="inherits, as a profile's folder does"),
        pytest.param(f"O:{ME}D:P{PRIVATE}(A;;FR;;;WD)", READ, id="everybody reads"),
        pytest.param(f"O:{ME}D:P{PRIVATE}(A;OICI;0x1200a9;;;BU)", READ, id="users read and run, as a number"),
        pytest.param(f"O:{ME}D:P{PRIVATE}(A;;CCSWWPLORC;;;BU)", READ, id="the same, bit by bit"),
        pytest.param(f"O:{ME}D:P{PRIVATE}(A;;CCDC;;;BU)", WRITTEN, id="one bit writes"),
        pytest.param(f"O:{ME}D:P{PRIVATE}(A;;0x1301bf;;;AU)", WRITTEN, id="a drive's folder, modified by all"),
        pytest.param(f"O:{ME}D:P{PRIVATE}(A;OICI;FA;;;{SOMEBODY})", WRITTEN, id="somebody has full control"),
        pytest.param(f"O:{ME}D:P{PRIVATE}(A;;WD;;;BU)", WRITTEN, id="users change the list"),
        pytest.param(f"O:{ME}D:NO_ACCESS_CONTROL", WRITTEN, id="no list"),
        pytest.param(f"O:{ME}", WRITTEN, id="no list told"),
        pytest.param(f"O:{SOMEBODY}D:P{PRIVATE}", FOREIGN, id="foreign"),
        pytest.param("", Rights(is_ours=False, others_write=True, others_read=True), id="nothing told"),
    ],
)
def test_security_descriptor_is_understood(sddl: str, rights: Rights) -> None:
    """Owner and list, in every way that the system writes them for folders."""
    assert parse(sddl, ME, is_directory=True) == rights


def test_file_may_inherit_from_a_sound_folder() -> None:
    """What it inherits is in its own list."""
    assert parse(f"O:{ME}D:AI(A;ID;FA;;;{ME})(A;ID;FA;;;SY)(A;ID;FA;;;BA)", ME, is_directory=False) == OURS


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A Windows whose access control lists are kept here, by the name of the file; others inherit from a profile."""
    kept: dict[str, str] = {}

    def read(path: Path) -> str:
        return kept.get(path.name, f"O:{ME}D:AI{PRIVATE}")

    def write(path: Path, dacl: str) -> None:
        kept[path.name] = f"O:{ME}{dacl}"

    monkeypatch.setattr(windows_acl, "_read_sddl", read)
    monkeypatch.setattr(windows_acl, "_write_dacl", write)
    monkeypatch.setattr(windows_acl, "_own_sid", lambda: ME)
    monkeypatch.setattr(sys, "platform", "win32")
    return kept


def test_new_folder_inherits_nothing(tmp_path: Path, lists: dict[str, str]) -> None:
    """It, and what is put there, is for this user, SYSTEM and Administrators."""
    assert make_private_directory(tmp_path / "config")

    assert lists == {"config": f"O:{ME}D:P{PRIVATE}"}


def test_rights_to_read_are_taken_away_and_rights_to_write_refused(tmp_path: Path, lists: dict[str, str]) -> None:
    """The rules are the same as elsewhere."""
    for name in ("read", "written", "foreign"):
        (tmp_path / name).write_bytes(b"content")
    lists["read"] = f"O:{ME}D:(A;;FA;;;{ME})(A;;FR;;;BU)"
    lists["written"] = f"O:{ME}D:(A;;FA;;;{ME})(A;;FW;;;BU)"
    lists["foreign"] = f"O:{SOMEBODY}D:(A;;FA;;;{ME})"

    assert read_own(tmp_path / "read") == b"content"
    assert lists["read"] == f"O:{ME}D:P(A;;FA;;;{ME})(A;;FA;;;SY)(A;;FA;;;BA)"
    for name, reason in (("written", "may be written by other users"), ("foreign", "belongs to another user")):
        with pytest.raises(UntrustedError, match=reason):
            read_own(tmp_path / name)


def test_folder_of_somebody_else_is_refused(tmp_path: Path, lists: dict[str, str]) -> None:
    """As is one whose files others may replace."""
    lists[tmp_path.name] = f"O:{SOMEBODY}D:P{PRIVATE}"
    with pytest.raises(UntrustedError, match="belongs to another user"):
        trust.open_own(tmp_path / "file", os.O_WRONLY | os.O_CREAT)

    lists[tmp_path.name] = f"O:{ME}D:AI{PRIVATE}(A;OICIID;0x1301bf;;;AU)"
    with pytest.raises(UntrustedError, match="may be written by other users"):
        trust.open_own(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "win32", reason="the system's own API; elsewhere there is none")
def test_system_tells_and_takes_a_list(tmp_path: Path) -> None:
    """The real calls: owner and list are read, and set; that they hold, only a real Windows can show."""
    (tmp_path / "file").write_bytes(b"content")

    windows_acl.restrict(tmp_path / "file")
    found = windows_acl.rights_of(tmp_path / "file", is_directory=False)

    assert windows_acl._own_sid().startswith("S-1-5-21-")
    assert found.is_ours
    assert not found.others_write
