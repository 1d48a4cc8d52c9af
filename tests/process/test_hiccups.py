"""A team's server that hiccups and clocks that differ: calls go on, and the database's time counts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sidecar import Sidecar, run_command
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Database

TASK = {"title": "x", "status": "To Do", "priority": "Low"}
END_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def sidecar(database: Database) -> Iterator[Sidecar]:
    """One on a PostgreSQL database of its own."""
    with Sidecar(env={"TASKFLOW_DATABASE_URL": database.url}) as running:
        yield running.wait_healthy()


def test_no_call_fails_when_all_sessions_are_ended(sidecar: Sidecar, database: Database) -> None:
    """By an administrator, again and again, with several connections in the pool: reads and writes go on."""
    created: list[str] = []
    answers: list[tuple[str, int]] = []

    def call(method: str, path: str, **given: Any) -> Any:
        answer = sidecar.request(method, f"/api/v1/{path}", **given)
        answers.append((f"{method} {path}", answer.status_code))
        return answer.json()

    for number in range(6):
        call("GET", "tasks")
        database.query(END_ALL)
        call("GET", "tasks")
        database.query(END_ALL)
        created.append(call("POST", "tasks", json=TASK).get("id"))
        database.query(END_ALL)
        once = {"Idempotency-Key": f"key {number}"}
        created.append(call("POST", "tasks", json=TASK, headers=once).get("id"))

    assert {status for _, status in answers} == {200, 201}, answers
    assert sorted(task["id"] for task in call("GET", "tasks")) == sorted(created)


def test_the_databases_clock_counts(sidecar: Sidecar, database: Database) -> None:
    """Two hours ahead of this computer: rows bear its time, and status and doctor tell the difference."""
    database.execute(
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS"
        " $$SELECT pg_catalog.clock_timestamp() + interval '2 hours'$$"
    )
    database.execute(f"ALTER ROLE {database.username} SET search_path = public, pg_catalog")
    database.query(END_ALL)
    wait_until(
        lambda: abs(sidecar.status()["database"]["clock_offset_s"] + 7200) < 60, timeout_s=20, what="the other clock"
    )
    member = sidecar.request("POST", "/api/v1/members", json={"name": "Ada", "email": "a@b.co"}).json()

    task = sidecar.request(
        "POST", "/api/v1/tasks", json={**TASK, "status": "Blocked", "blocking_reason": "Parts"}
    ).json()
    update = sidecar.request(
        "POST", f"/api/v1/tasks/{task['id']}/updates", json={"author_id": member["id"], "content": "Done."}
    ).json()
    told = run_command("doctor", config_dir=sidecar.config_dir, env={"TASKFLOW_DATABASE_URL": database.url})

    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    for instant in (task["created_at"], task["updated_at"], task["blocked_since"], update["created_at"]):
        assert abs(dt.datetime.fromisoformat(instant) - ahead) < dt.timedelta(seconds=60)
    assert "It is 120 min" in told.stdout or "It is 119 min" in told.stdout, told.stdout
    assert "behind the database's" in told.stdout
