"""What other Windows programs do to the files of a sidecar: it waits, says so, and takes nothing for damage."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from psycopg2 import sql

from app.core.security import CREDENTIALS_FILE, KEY_FILE
from tests.support.databases import fresh_database
from tests.support.sidecar import Sidecar, run_command
from tests.support.windows import PATIENCE, Holder, NotHeldError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer

SHORT_S = 0.7
"""As long as a scanner looks at a new file."""
ENOUGH_HOLDS = 5


def files_of(directory: Path) -> dict[str, bytes]:
    """Key, credentials, and everything that is named after them."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name.startswith(("fernet", "db_"))}


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[Database]:
    """A PostgreSQL reached by TCP, with the product's tables."""
    with fresh_database(postgres, with_tables=True) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Sidecar]:
    """A sidecar that uses it, by settings that were saved; a start takes seconds here."""
    with Sidecar(env={"TASKFLOW_EMBEDDED": "0"}) as sidecar:
        sidecar.save_connection(database.fields())
        yield sidecar.wait_healthy()


@pytest.fixture
def ready(running: Sidecar) -> Sidecar:
    """The same; each test leaves it ready, and nothing beside key and credentials."""
    assert running.is_running, "an earlier test ended the shared sidecar"
    return running.wait_healthy()


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


def test_password_beyond_ascii_is_used_and_not_shown(ready: Sidecar, database: Database) -> None:
    """Whatever the C library takes for a space; nor is a part of it told where it is wrong."""
    fields = {**database.fields(), "password": "ssà pass\u00a0wörd"}
    change = sql.SQL("ALTER ROLE {} PASSWORD {}")
    role = sql.Identifier(database.username)
    database.execute(change.format(role, sql.Literal(fields["password"])))
    try:
        tested = ready.test_connection(fields)
        refused = ready.test_connection({**fields, "password": "VELLUM7à pass"})
        ready.save_connection(fields)
        ready.request("POST", "/api/v1/settings/retry").raise_for_status()
        ready.wait_healthy()
    finally:
        database.execute(change.format(role, sql.Literal(database.password)))
        ready.save_connection(database.fields())

    assert tested.status_code == 200, tested.text
    assert refused.status_code == 400
    assert "VELLUM7" not in refused.text + ready.stderr_text() + ready.log_text()


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
        until = time.monotonic() + 30 * PATIENCE
        while held < ENOUGH_HOLDS and time.monotonic() < until:
            ready.save_connection(database.fields())
    finally:
        stop.set()
        scanner.join()

    key = Fernet((ready.config_dir / KEY_FILE).read_bytes())
    assert json.loads(key.decrypt((ready.config_dir / CREDENTIALS_FILE).read_bytes()))["host"] == "127.0.0.1"
    assert files_of(ready.config_dir).keys() == {KEY_FILE, CREDENTIALS_FILE}
    assert held >= ENOUGH_HOLDS
    ready.wait_healthy()


def test_doctor_tells_what_it_read(ready: Sidecar) -> None:
    """Owner and list of the directory and its files, read through the system's API."""
    finished = run_command("doctor", "--json", config_dir=ready.config_dir)

    checks = {check["name"]: check for check in json.loads(finished.stdout)}
    assert checks["key"]["ok"]
    assert checks["credentials"]["ok"]
    assert "read" in checks["config directory"]["message"] or checks["config directory"]["ok"]
