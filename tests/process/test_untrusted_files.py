"""Other users of the computer: what they plant, link or may write is not trusted, and the start fails closed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from app.core.ownership import LOCK_FILE
from app.core.security import CREDENTIALS_FILE, KEY_FILE, OWN_FILES
from tests.support.databases import SqliteDatabase
from tests.support.sidecar import Sidecar, run_command
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tests.conftest import SidecarFactory

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="owners and rights as POSIX has them"),
    pytest.mark.cold,
]

ANOTHER_USER = 65534
"""`nobody`, as far as the system is concerned; root alone can give it files."""
needs_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """What another user's planted credentials point at: a listener that must never be reached."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(0.2)
        yield listener


def plant(directory: Path, trap: socket.socket) -> Path:
    """Put a sound key and credentials of an attacker's choice into `directory`."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Fernet.generate_key()
    values = {"host": "127.0.0.1", "port": trap.getsockname()[1], "database": "d", "username": "u", "password": "p"}
    for name, content in ((KEY_FILE, key), (CREDENTIALS_FILE, Fernet(key).encrypt(json.dumps(values).encode()))):
        (directory / name).write_bytes(content)
        (directory / name).chmod(0o600)
    return directory


def by_another_user(place: Path) -> Path:
    """The whole directory belongs to somebody else."""
    os.chown(place, ANOTHER_USER, ANOTHER_USER)
    return place


def open_to_all(place: Path) -> Path:
    """Anybody may add and replace files."""
    place.chmod(0o777)
    return place


def below_an_open_folder(place: Path) -> Path:
    """Anybody may put another directory in this one's place."""
    place.parent.chmod(0o777)
    return place


def below_another_user(place: Path) -> Path:
    """The owner of the folder may put another directory in this one's place."""
    os.chown(place.parent, ANOTHER_USER, ANOTHER_USER)
    return place


def behind_a_link_of_another_user(place: Path) -> Path:
    """The path leads through a link that its owner turns wherever he likes."""
    shared = place.parent.parent / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    link = shared / "link"
    link.symlink_to(place)
    os.chown(link, ANOTHER_USER, ANOTHER_USER, follow_symlinks=False)
    return link


DIRECTORIES = [
    pytest.param(by_another_user, marks=needs_root),
    pytest.param(open_to_all),
    pytest.param(below_an_open_folder),
    pytest.param(below_another_user, marks=needs_root),
    pytest.param(behind_a_link_of_another_user, marks=needs_root),
]


@pytest.mark.parametrize("make", DIRECTORIES)
def test_directory_that_others_control_ends_the_start(
    tmp_path: Path, trap: socket.socket, make: Callable[[Path], Path]
) -> None:
    """Exit 7 with a sentence that tells where and why; the planted credentials lead nowhere, nothing is written."""
    tmp_path.chmod(0o755)
    place = make(plant(tmp_path / "folder" / "config", trap))
    before = sorted(path.name for path in place.iterdir())

    finished = run_command("serve", "--port", "0", config_dir=place, timeout_s=20)

    assert finished.returncode == 7, finished.stderr
    last = finished.stderr.strip().splitlines()[-1]
    assert f"The config directory {place} cannot be used: " in last
    assert "another user" in last or "other users" in last
    assert sorted(path.name for path in place.iterdir()) == before
    with pytest.raises(TimeoutError):
        trap.accept()


def test_directory_in_a_sticky_folder_is_trusted(sidecar_factory: SidecarFactory, tmp_path: Path) -> None:
    """Nobody but its owner can replace what lies in /tmp, so a directory there is as good as any."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)

    sidecar_factory(config_dir=tmp_path / "shared" / "config").wait_healthy()


def a_link(path: Path, target: Path) -> None:
    """It leads to a file of the person's own."""
    path.symlink_to(target)


def a_pipe(path: Path, _: Path) -> None:
    """Nobody writes into it."""
    os.mkfifo(path, 0o600)


def a_file_of_another_user(path: Path, target: Path) -> None:
    """It reads well, and somebody else owns it."""
    shutil.copy(target, path)
    path.chmod(0o644)
    os.chown(path, ANOTHER_USER, ANOTHER_USER)


def a_file_that_others_write(path: Path, target: Path) -> None:
    """It is the person's own, and anybody may write to it."""
    shutil.copy(target, path)
    path.chmod(0o666)


def a_folder(path: Path, _: Path) -> None:
    """A folder has the file's name."""
    path.mkdir()


PLANTED = [
    pytest.param(a_link, "is a link"),
    pytest.param(a_pipe, "is not a regular file"),
    pytest.param(a_folder, "is not a regular file"),
    pytest.param(a_file_that_others_write, "may be written by other users"),
    pytest.param(a_file_of_another_user, "belongs to another user", marks=needs_root),
]
FILES = (
    *OWN_FILES,
    *("data/taskflow.db", "data/taskflow.db-wal", "data/taskflow.db-shm", "data/logs/sidecar.log"),
)


@pytest.mark.parametrize(("make", "reason"), PLANTED)
def test_planted_files_stop_the_start_until_they_are_gone(
    sidecar_factory: SidecarFactory, tmp_path: Path, make: Callable[[Path, Path], None], reason: str
) -> None:
    """Whichever file of ours it is: `storage-untrusted` names it and the reason, nothing hangs, and it heals.

    All are planted at once; each is named in its turn and put back, the sidecar goes on by itself.
    """
    sidecar = sidecar_factory(config_dir=tmp_path / "config").wait_healthy()
    sidecar.stop()
    waiting = {Path(name).name: Planted(sidecar.config_dir / name, tmp_path / Path(name).name, make) for name in FILES}

    sidecar.start()

    while waiting:
        problem = sidecar.wait_for(lambda status: is_about(status["problem"], waiting), 15)["problem"]
        name = problem["message"].partition(" ")[0]
        assert problem["message"] == f"{name} {reason}."
        assert not problem["retryable"]
        assert sidecar.health() == (503, {"status": "unhealthy", "error": problem["message"]})
        waiting.pop(name).put_back()
    sidecar.wait_healthy()


def is_about(problem: dict[str, Any] | None, names: Collection[str]) -> bool:
    """Tell whether a problem names one of those files."""
    if problem is None or problem["code"] != "storage-untrusted":
        return False
    return problem["message"].partition(" ")[0] in names


class Planted:
    """Something in the place of a file of ours, which is kept aside.

    Args:
        path: where the file belongs.
        target: a name that nobody uses; what a link leads to.
        make: puts the other thing there.
    """

    def __init__(self, path: Path, target: Path, make: Callable[[Path, Path], None]) -> None:
        self._path, self._target, self._kept = path, target, target.with_name(f"{target.name}.kept")
        self._content = path.read_bytes() if path.exists() else b"content of the person's own"
        target.write_bytes(self._content)
        if path.exists():
            path.rename(self._kept)
        make(path, target)

    def put_back(self) -> None:
        """Put the file back, if there was one; what the link led to was left alone."""
        assert self._target.read_bytes() == self._content
        if self._path.is_dir() and not self._path.is_symlink():
            self._path.rmdir()
        else:
            self._path.unlink()
        if self._kept.exists():
            self._kept.rename(self._path)


@pytest.mark.parametrize(("make", "reason"), PLANTED)
def test_planted_lock_ends_the_start(tmp_path: Path, make: Callable[[Path, Path], None], reason: str) -> None:
    """Without its lock a sidecar could not own the directory: exit 7."""
    directory = tmp_path / "config"
    directory.mkdir(mode=0o700)
    (tmp_path / "target").write_bytes(b"")
    make(directory / LOCK_FILE, tmp_path / "target")

    finished = run_command("serve", "--port", "0", config_dir=directory, timeout_s=20)

    assert finished.returncode == 7
    assert f"{LOCK_FILE} {reason}." in finished.stderr.splitlines()[-1]


def test_data_directory_that_others_control_is_a_problem(sidecar_factory: SidecarFactory, tmp_path: Path) -> None:
    """The sidecar lives to tell of it, writes no log there, opens no database there, and heals."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)

    sidecar = sidecar_factory(data_dir=data)
    problem = sidecar.wait_for_problem("storage-untrusted")
    assert problem["message"] == "data may be written by other users."
    assert list(data.iterdir()) == []

    data.chmod(0o700)
    sidecar.wait_healthy()


def test_embedded_database_is_owner_only(sidecar_factory: SidecarFactory) -> None:
    """Made so whatever the umask, with its companions; and made so again where an older program was careless."""
    sidecar = sidecar_factory(wrapper=["sh", "-c", 'umask 022; exec "$@"', "sh"]).wait_healthy()
    add_member(sidecar, "ann")
    made = modes_of(sidecar.data_dir)
    sidecar.stop()
    for path in sidecar.data_dir.glob("taskflow.db*"):
        path.chmod(0o644)

    sidecar.start().wait_healthy()
    add_member(sidecar, "bob")

    assert (
        made
        == modes_of(sidecar.data_dir)
        == dict.fromkeys(("taskflow.db", "taskflow.db-shm", "taskflow.db-wal"), 0o600)
    )


def modes_of(directory: Path) -> dict[str, int]:
    """The rights of the embedded database's files."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.glob("taskflow.db*")}


def add_member(sidecar: Sidecar, name: str) -> None:
    """Write something into the database."""
    answer = sidecar.request("POST", "/api/v1/members", json={"name": name, "email": f"{name}@example.com"})
    assert answer.status_code == 201, answer.text


def test_shredded_owner_leaves_no_bytes(sidecar_factory: SidecarFactory) -> None:
    """What hung on a deleted owner is neither in free pages nor in the write-ahead log: overwritten, and truncated."""
    sidecar = sidecar_factory().wait_healthy()
    server = "/api/v1/servers/guild-1/config"
    assert sidecar.request("PUT", server, json={"api_key": "sk-server-0123456789abcdef"}).status_code == 200
    rows = SqliteDatabase(sidecar.data_dir).query(
        "SELECT salt, ciphertext FROM vault_owners JOIN secrets USING (owner_kind, owner_id)"
    )

    assert sidecar.request("DELETE", server).status_code == 204

    content = b"".join(path.read_bytes() for path in sidecar.data_dir.glob("taskflow.db*"))
    assert len(rows) == 1
    assert [value for value in rows[0] if value.encode() in content] == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells")
def test_no_other_process_reads_its_memory(sidecar_factory: SidecarFactory) -> None:
    """No core file, and the system counts it among those whose memory is root's to read alone."""
    wrapper = ["setpriv", f"--regid={ANOTHER_USER}", "--clear-groups"] if os.geteuid() == 0 else []
    sidecar = sidecar_factory(wrapper=wrapper)
    wait_until(lambda: sidecar.health()[0], timeout_s=20, what="an answer")

    found = Path(f"/proc/{sidecar.pid}/environ").stat()
    limits = Path(f"/proc/{sidecar.pid}/limits").read_text()

    # https://man7.org/linux/man-pages/man5/proc.5.html: of a process that is not dumpable all this belongs to root
    assert (found.st_uid, found.st_gid) == (0, 0)
    assert limits.split("Max core file size")[1].split()[:2] == ["0", "0"]
