"""The Windows sidecar: its life, the places it is given, an older version's data, its logs."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from app.db.migrations import HEAD
from tests.support import released
from tests.support.sidecar import run_command
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import SidecarFactory


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


def test_second_sidecar_leaves_the_first_alone(sidecar_factory: SidecarFactory) -> None:
    """Exit status 4; and after the first was killed the directory is free."""
    first = sidecar_factory().wait_healthy()

    second = run_command("serve", "--port", "0", config_dir=first.config_dir)
    assert second.returncode == 4, second.stderr
    assert first.health()[0] == 200

    first.kill()
    first.start().wait_healthy()


@pytest.mark.parametrize("place", ["Q:\\config", "\\\\127.0.0.1\\nothing\\config", "NUL", "NUL\\config"])
def test_place_that_is_no_directory_ends_the_start(tmp_path: Path, place: str) -> None:
    """A missing drive, a dead share, a device: exit status 7 with the path, in one sentence."""
    finished = run_command("serve", "--port", "0", config_dir=tmp_path, env={"TASKFLOW_CONFIG_DIR": place})

    assert finished.returncode == 7, finished.stderr
    last = finished.stderr.strip().splitlines()[-1]
    assert place.split("\\")[-2 if "\\" in place else -1].upper() in last.upper()
    assert last.startswith("taskflow-sidecar: The config directory ")


def test_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """Wine shows the modes of Linux as a list, in which everybody has full control here."""
    directory = tmp_path / "config"
    directory.mkdir()
    directory.chmod(0o777)

    finished = run_command("serve", "--port", "0", config_dir=directory)

    assert finished.returncode == 7, finished.stderr
    assert "may be written by other users" in finished.stderr


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
