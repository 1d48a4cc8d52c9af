"""Two halves: the team's work is served as soon as it stands; everything else follows, or its fault is told."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg2
import pytest

from tests.support.databases import fresh_database
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import SidecarFactory
    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer
    from tests.support.sidecar import Sidecar

pytestmark = pytest.mark.cold

STOPPED_S = 4.0

HELD = """
import importlib.machinery, pathlib, sys, time

class Holder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "app.parts.secrets":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        load = spec.loader.exec_module

        def load_when_told(module):  # not while it is looked for: that holds the lock of all imports
            while not pathlib.Path({release!r}).exists():
                time.sleep(0.01)
            if {fails}:
                raise RuntimeError("cannot be loaded")
            load(module)

        spec.loader.exec_module = load_when_told
        return spec

sys.meta_path.insert(0, Holder)
"""
"""Holds the loading of the secrets half until a file is there."""


def held_sidecar(factory: SidecarFactory, folder: Path, *, fails: bool) -> tuple[Sidecar, Path]:
    """Spawn a sidecar whose secrets half loads only when told so."""
    release = folder / "release"
    (folder / "sitecustomize.py").write_text(HELD.format(release=str(release), fails=fails), encoding="utf-8")
    return factory(stdio=True, env={"PYTHONPATH": str(folder)}), release


def test_work_is_served_while_the_rest_still_loads(sidecar_factory: SidecarFactory, tmp_path: Path) -> None:
    """Members are there before the vault; a call for the vault that comes too early waits, and succeeds."""
    sidecar, release = held_sidecar(sidecar_factory, tmp_path, fails=False)
    sidecar.wait_healthy()

    created = sidecar.request("POST", "/api/v1/members", json={"name": "Ann", "email": "ann@example.com"})
    listed = sidecar.request("GET", "/api/v1/members")
    early = sidecar.status_at_once()
    with ThreadPoolExecutor(1) as caller:
        waiting = caller.submit(sidecar.request, "GET", "/api/v1/vault")
        release.touch()
        vault = waiting.result()
    schema = sidecar.request("GET", "/schema").json()

    assert created.status_code == 201
    assert [member["name"] for member in listed.json()] == ["Ann"]
    assert early["vault"]["state"] == "unavailable"
    assert vault.status_code == 200
    assert {"/api/v1/members", "/api/v1/vault"} <= set(schema["paths"])
    assert sidecar.request("GET", "/api/v1/status").json()["vault"]["state"] == "unlocked"


def test_the_rest_lets_others_go_first_where_many_start_at_once(sidecar_factory: SidecarFactory) -> None:
    """A process that had to wait while it loaded puts off what nobody has called for; a call ends that."""
    sidecar = sidecar_factory(stdio=True).wait_for_listening()
    sidecar.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    sidecar.send_signal(signal.SIGCONT)

    members = sidecar.request("GET", "/api/v1/members")
    time.sleep(STOPPED_S / 4)
    early = sidecar.status_at_once()
    vault = sidecar.request("GET", "/api/v1/vault")

    assert (members.status_code, vault.status_code) == (200, 200)
    assert early["vault"]["state"] == "unavailable"
    assert sidecar.status()["vault"]["state"] == "unlocked"


def test_status_waits_for_a_look_at_the_vault(postgres: PostgresServer, sidecar_factory: SidecarFactory) -> None:
    """Ready means that the database can be used: what is told of its vault then was looked at; for two seconds."""
    with fresh_database(postgres, with_tables=True) as database, ThreadPoolExecutor(1) as caller:
        sidecar = sidecar_factory(env={"TASKFLOW_DATABASE_URL": database.url})
        sidecar.wait_healthy()
        assert sidecar.request("PUT", "/api/v1/settings/ai-keys", json={"openai": "sk-live-0000"}).status_code == 200
        for keeps_locked in (False, True):
            sidecar.stop()
            with psycopg2.connect(database.url) as connection, connection.cursor() as cursor:
                cursor.execute("LOCK TABLE vaults IN ACCESS EXCLUSIVE MODE")
                sidecar.start().wait_healthy()
                status = caller.submit(sidecar.status)
                wait_until(lambda: _is_awaited(database), timeout_s=20, what="the look at the vault")
                time.sleep(0.3)
                assert not status.done()
                if keeps_locked:
                    assert status.result(10)["vault"]["state"] == "unavailable"
                connection.rollback()
            if not keeps_locked:
                assert status.result(10)["vault"]["state"] == "unlocked"


def _is_awaited(database: Database) -> bool:
    return database.query("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'vaults'::regclass") != [(0,)]


def test_fault_of_the_rest_is_told_and_ends_the_process(sidecar_factory: SidecarFactory, tmp_path: Path) -> None:
    """The work half answers until then; the fault shows as a problem and in the exit code."""
    sidecar, release = held_sidecar(sidecar_factory, tmp_path, fails=True)
    sidecar.wait_healthy()
    assert sidecar.request("GET", "/api/v1/members").status_code == 200

    release.touch()
    status = sidecar.wait_for_exit()

    assert status == 70
    events = sidecar.events
    assert [event["problem"]["code"] for event in events if event.get("problem")] == ["internal"]
    assert events[-1] == {"event": "exit", "code": "internal"}
