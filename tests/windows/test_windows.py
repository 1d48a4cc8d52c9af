"""The Windows sidecar: its contract, its files under the holds of other programs, saves, rotations, upgrades, logs."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from app.core.security import CREDENTIALS_FILE, KEY_FILE
from app.db.migrations import HEAD
from tests.support import released
from tests.support.sidecar import Sidecar, run_command
from tests.support.waiting import wait_until
from tests.support.windows import Holder, NotHeldError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import SidecarFactory
    from tests.support.databases import Database

SHORT_S = 0.7
"""As long as a scanner looks at a new file."""


def files_of(directory: Path) -> dict[str, bytes]:
    """Key, credentials, and everything that is named after them."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name.startswith(("fernet", "db_"))}


@pytest.fixture
def ready(sidecar_factory: SidecarFactory, database: Database) -> Sidecar:
    """A sidecar that uses a saved PostgreSQL over TCP."""
    sidecar = sidecar_factory(env={"TASKFLOW_EMBEDDED": "0"})
    sidecar.save_connection(database.fields())
    return sidecar.wait_healthy()


def test_life_by_a_launcher(sidecar_factory: SidecarFactory) -> None:
    """Handshake, events, readiness on the embedded database, work, the end of stdin, exit status 0, logs."""
    sidecar = sidecar_factory(stdio=True)
    listening = sidecar.wait_for_event("listening")
    assert listening["host"] == "127.0.0.1"
    sidecar.wait_healthy()
    member = sidecar.request("POST", "/api/v1/members", json={"name": "Zoë", "email": "zoe@example.com"})
    assert member.status_code == 201, member.text
    document = sidecar.status()
    assert (document["state"], document["mode"]) == ("ready", "embedded")

    sidecar.close_stdin()

    assert sidecar.wait_for_exit() == 0
    assert sidecar.events[-1]["event"] == "exit"
    assert sidecar.events[-1]["code"] == "stopped"
    assert {"starting", "ready"} <= {event["state"] for event in sidecar.events if event["event"] == "state"}
    lines = [json.loads(line) for line in sidecar.log_text().splitlines()]
    assert {"listening", "ready", "stopped"} <= {line["message"] for line in lines}
    assert sidecar.token not in sidecar.log_text()


def test_second_sidecar_leaves_the_first_alone(ready: Sidecar) -> None:
    """Exit status 4; and after the first was killed the directory is free."""
    second = run_command("serve", "--port", "0", config_dir=ready.config_dir)
    assert second.returncode == 4, second.stderr
    assert ready.health()[0] == 200

    ready.kill()
    ready.start().wait_healthy()


@pytest.mark.parametrize("place", ["Q:\\config", "\\\\127.0.0.1\\nothing\\config", "NUL", "NUL\\config"])
def test_place_that_is_no_directory_ends_the_start(tmp_path: Path, place: str) -> None:
    """A missing drive, a dead share, a device: exit status 7 with the path, in one sentence."""
    finished = run_command("serve", "--port", "0", config_dir=tmp_path, env={"TASKFLOW_CONFIG_DIR": place})

    assert finished.returncode == 7, finished.stderr
    last = finished.stderr.strip().splitlines()[-1]
    assert place.split("\\")[-2 if "\\" in place else -1].upper() in last.upper()
    assert last.startswith("taskflow-sidecar: The config directory ")


@pytest.mark.parametrize("name", [KEY_FILE, CREDENTIALS_FILE])
def test_short_hold_is_waited_for(ready: Sidecar, database: Database, name: str) -> None:
    """While another program holds a file for a moment, a save, a retry and a rotation succeed, and nothing is lost."""
    key = files_of(ready.config_dir)[KEY_FILE]
    for action in (
        lambda: ready.save_connection(database.fields()),
        lambda: ready.request("POST", "/api/v1/settings/retry").raise_for_status(),
    ):
        with Holder(ready.config_dir / name, seconds=SHORT_S):
            action()
        ready.wait_healthy()
        assert files_of(ready.config_dir).keys() == {KEY_FILE, CREDENTIALS_FILE}
        assert files_of(ready.config_dir)[KEY_FILE] == key

    with Holder(ready.config_dir / name, seconds=SHORT_S):
        answer = ready.request("POST", "/api/v1/settings/rotate-key")
    assert answer.status_code == 200, answer.text
    assert files_of(ready.config_dir)[KEY_FILE] != key
    assert files_of(ready.config_dir).keys() == {KEY_FILE, CREDENTIALS_FILE}


@pytest.mark.parametrize("shared", [0, 1], ids=["nobody else reads", "others read"])
@pytest.mark.parametrize("name", [KEY_FILE, CREDENTIALS_FILE])
def test_long_hold_is_no_damage(ready: Sidecar, database: Database, name: str, shared: int) -> None:
    """A save that meets it fails and leaves nothing; a start says so, tries again, and is ready when it ends."""
    before = files_of(ready.config_dir)
    with Holder(ready.config_dir / name, shared=shared):
        answer = ready.request(
            "POST", "/api/v1/settings/save-connection", json={**database.fields(), "host": "127.0.0.1"}
        )
        if shared and name == KEY_FILE:  # which a save only reads
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.json()) == (500, {"error": "Failed to save connection settings"})
            if not shared:
                problem = ready_problem(ready)
                assert problem["code"] == "storage-unreadable"
                assert problem["retryable"]
    ready.wait_healthy()

    after = files_of(ready.config_dir)
    assert after.keys() == before.keys()
    assert after[KEY_FILE] == before[KEY_FILE]


def ready_problem(sidecar: Sidecar) -> dict[str, object]:
    """Let the pipeline run again; return what it meets."""
    assert sidecar.request("POST", "/api/v1/settings/retry").status_code == 202
    return sidecar.wait_for_problem("storage-unreadable")


def test_key_saved_by_notepad_is_read(ready: Sidecar) -> None:
    """It ends lines with CR and LF."""
    path = ready.config_dir / KEY_FILE
    path.write_bytes(path.read_bytes() + b"\r\n")

    assert ready.request("POST", "/api/v1/settings/retry").status_code == 202
    ready.wait_healthy()


def test_writers_race_with_a_scanner(ready: Sidecar, database: Database) -> None:
    """Saves go on while a program opens the files again and again; each is whole at every moment."""
    stop = threading.Event()
    held = 0

    def scan() -> None:
        nonlocal held
        while not stop.is_set():
            with contextlib.suppress(NotHeldError), Holder(ready.config_dir / CREDENTIALS_FILE, seconds=0.2):
                held += 1

    scanner = threading.Thread(target=scan)
    scanner.start()
    try:
        until = time.monotonic() + 6
        while time.monotonic() < until:
            ready.save_connection(database.fields())
    finally:
        stop.set()
        scanner.join()

    key = Fernet((ready.config_dir / KEY_FILE).read_bytes())
    assert json.loads(key.decrypt((ready.config_dir / CREDENTIALS_FILE).read_bytes()))["host"] == "127.0.0.1"
    assert files_of(ready.config_dir).keys() == {KEY_FILE, CREDENTIALS_FILE}
    assert held > 1
    ready.wait_healthy()


def test_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """Wine shows the modes of Linux as a list, in which everybody has full control here."""
    directory = tmp_path / "config"
    directory.mkdir()
    directory.chmod(0o777)

    finished = run_command("serve", "--port", "0", config_dir=directory)

    assert finished.returncode == 7, finished.stderr
    assert "may be written by other users" in finished.stderr


def test_doctor_tells_what_it_read(ready: Sidecar) -> None:
    """Owner and list of the directory and its files, read through the system's API."""
    finished = run_command("doctor", "--json", config_dir=ready.config_dir)

    checks = {check["name"]: check for check in json.loads(finished.stdout)}
    assert checks["key"]["ok"]
    assert checks["credentials"]["ok"]
    assert "read" in checks["config directory"]["message"] or checks["config directory"]["ok"]


def test_deleted_content_is_overwritten(sidecar_factory: SidecarFactory) -> None:
    """Also in python.org's SQLite, which was built without that."""
    sidecar = sidecar_factory().wait_healthy()
    server = "/api/v1/servers/guild-1/config"
    assert sidecar.request("PUT", server, json={"api_key": "sk-server-0123456789abcdef"}).status_code == 200
    member = {"name": "CANARY-OF-A-DELETED-MEMBER", "email": "canary@example.com"}
    made = sidecar.request("POST", "/api/v1/members", json=member).json()["id"]
    assert sidecar.request("DELETE", f"/api/v1/members/{made}").status_code == 204

    assert sidecar.request("DELETE", server).status_code == 204  # shreds, and so truncates the log
    assert sidecar.stop() == 0

    content = b"".join(path.read_bytes() for path in sidecar.data_dir.glob("taskflow.db*"))
    assert member["name"].encode() not in content


def test_database_of_an_older_version_is_upgraded(sidecar_factory: SidecarFactory, tmp_path: Path) -> None:
    """The embedded database as an earlier version left it; its members are there."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with contextlib.closing(sqlite3.connect(data / "taskflow.db")) as old:
        old.executescript((released.DIRECTORY / "0002.sqlite.sql").read_text(encoding="utf-8"))
    (data / "taskflow.db").chmod(0o600)

    sidecar = sidecar_factory(data_dir=data, env={"ENCRYPTION_KEY": released.KEY}).wait_healthy()

    assert sidecar.status()["database"]["revision"] == HEAD
    names = {member["name"] for member in sidecar.request("GET", "/api/v1/members").json()}
    assert names == {member["name"] for member in released.MEMBERS}


def test_logs_rotate(sidecar_factory: SidecarFactory) -> None:
    """A full log gets its number while the sidecar runs, where an open file has no other name."""
    sidecar = sidecar_factory(args=("--log-level", "debug")).wait_healthy()
    log = sidecar.data_dir / "logs" / "sidecar.log"
    sidecar.stop()
    log.write_bytes(b"x" * ((2 << 20) + 1))

    sidecar.start().wait_healthy()

    wait_until(lambda: log.with_name("sidecar.log.1").exists(), timeout_s=10, what="a rotated log")
    assert log.stat().st_size < 2 << 20
