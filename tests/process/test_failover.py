"""A real primary that dies, and a standby that had fallen behind.

What was acknowledged and is lost is told, until a person has accepted it.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.process.test_team_vault import join, ok, store
from tests.support.databases import fresh_database
from tests.support.postgres import DEFAULT_HBA, PostgresServer
from tests.support.sidecar import Sidecar, run_command
from tests.support.standby import MAY_FOLLOW, Standby
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import SidecarFactory
    from tests.support.databases import Database

WITHIN_S = 30
TASK = {"title": "x", "status": "To Do", "priority": "Low"}


@pytest.fixture
def pair() -> Iterator[tuple[PostgresServer, Standby, Database]]:
    """A primary, a standby that follows it, and a database."""
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(PostgresServer())
        primary.set_hba((MAY_FOLLOW, *DEFAULT_HBA))
        database = stack.enter_context(fresh_database(primary, with_tables=True))
        yield primary, stack.enter_context(Standby(primary)), database


def lost_at(one: Sidecar) -> Any:
    """Return when a desktop found that the history has gone back."""
    return (one.status()["database"] or {}).get("history_lost_at")


def told(one: Sidecar) -> list[dict[str, Any]]:
    """Return what the audit log tells of lost history, newest first."""
    found: list[dict[str, Any]] = ok(one.request("GET", "/api/v1/audit", params={"action": "history-lost"}))["entries"]
    return found


def test_a_failover_that_lost_entries_is_told_and_accepted(
    pair: tuple[PostgresServer, Standby, Database], sidecar_factory: SidecarFactory, tmp_path: Path
) -> None:
    """In status, audit and doctor of every desktop, also after a restart and on one that was off; verify names it."""
    primary, standby, database = pair
    fields = {
        **database.fields(),
        "host": "127.0.0.1,127.0.0.1",
        "port": f"{primary.port},{standby.port}",
        "target_session_attrs": "read-write",
    }

    def start(name: str) -> Sidecar:
        is_new = not (tmp_path / name / "db_credentials.enc").exists()
        sidecar = sidecar_factory(config_dir=tmp_path / name, env={"TASKFLOW_EMBEDDED": "0"})
        if is_new:
            sidecar.save_connection(fields)
        return sidecar.wait_healthy()

    def command(*arguments: str) -> Any:
        return run_command(*arguments, config_dir=tmp_path / "a", env={"TASKFLOW_EMBEDDED": "0"})

    first, second, third = (start(name) for name in "abc")
    store(first)
    for newcomer in (second, third):
        newcomer.wait_for(lambda document: document["vault"]["state"] == "locked")
        join(newcomer, first)
    third.stop()
    assert ok(first.request("GET", "/api/v1/audit/verify"))["ok"] is True
    standby.wait_caught_up(primary)
    standby.fall_behind()
    for number in range(5):  # acknowledged, and lost
        store(first, f"sk-live-of-the-team-{number:04}")
    lost = ok(first.request("POST", "/api/v1/tasks", json=TASK), 201)["id"]

    primary.kill9()
    standby.promote()
    desktops = [first.wait_healthy(), second.wait_healthy(), start("c")]
    for one in desktops:
        one.wait_for(lambda document: document["database"]["history_lost_at"] is not None)
    assert first.request("GET", f"/api/v1/tasks/{lost}").status_code == 404
    wait_until(lambda: told(first), timeout_s=WITHIN_S, what="the entry of the audit log")
    found = ok(first.request("GET", "/api/v1/audit/verify"))
    doctor = command("doctor")
    first.stop()
    restarted = start("a")
    after_restart = lost_at(restarted)
    shown = command("audit", "verify")

    vault_id = ok(restarted.request("GET", "/api/v1/vault"))["vault_id"]
    ok(restarted.request("POST", "/api/v1/vault/accept", json={"confirm": vault_id}))
    accepted = command("audit", "accept-gap", "--confirm", vault_id, "--json")
    verified = ok(restarted.request("GET", "/api/v1/audit/verify"))

    assert found["ok"] is False
    assert {problem["cause"] for problem in found["problems"]} == {"history-lost"}
    assert "history was found to have gone back" in doctor.stdout
    assert after_restart is not None
    assert "history has gone back" in shown.stdout
    assert accepted.returncode == 0, accepted.stderr
    assert [gap["accepted"] for gap in json.loads(accepted.stdout)] == [False]
    assert verified["ok"] is True, verified
    assert [gap["accepted"] for gap in verified["gaps"]] == [True]
    for one in (restarted, *desktops[1:]):
        one.wait_for(lambda document: document["database"]["history_lost_at"] is None)
    assert restarted.request("POST", "/api/v1/tasks", json=TASK).status_code == 201
