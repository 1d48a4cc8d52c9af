"""A team's server that hiccups and clocks that differ: calls go on, and the database's time counts."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.owners import error_of
from tests.support.sidecar import Sidecar, run_command
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import SidecarFactory
    from tests.support.databases import Database

SERVERS = Path(__file__).parents[2] / "backend" / "docs" / "servers.md"
LOCK_WAIT_S = 5
TASK = {"title": "x", "status": "To Do", "priority": "Low"}
END_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
LOG_ENDS = (
    "CREATE OR REPLACE FUNCTION public.pg_current_wal_flush_lsn() RETURNS pg_lsn LANGUAGE plpgsql AS $$BEGIN {} END$$"
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


def test_server_that_takes_no_changes_is_told_and_heals(sidecar: Sidecar, database: Database) -> None:
    """Turned read-only while sessions are open, and back: nobody cuts a session, or presses a button."""
    server = database.server
    server.configure(default_transaction_read_only="on")
    try:
        refused = sidecar.request("POST", "/api/v1/tasks", json=TASK)
        sidecar.wait_for_problem("read-only")
        unhealthy = sidecar.health()
    finally:
        server.configure(default_transaction_read_only="off")
    sidecar.wait_healthy(timeout_s=20)

    assert error_of(refused)[:2] == (503, "read-only")
    assert unhealthy == (503, {"status": "unhealthy", "error": error_of(refused)[2]})
    assert sidecar.request("POST", "/api/v1/tasks", json=TASK).status_code == 201


def test_a_role_that_may_write_again_is_found_out(sidecar: Sidecar, database: Database) -> None:
    """A session keeps the setting that it began with, so the next look needs a new one."""
    role = f"ALTER ROLE {database.username} SET default_transaction_read_only"
    database.execute(f"{role} = on")
    database.query(END_ALL)
    sidecar.request("GET", "/api/v1/tasks")
    sidecar.wait_for_problem("read-only")

    database.execute(f"{role} = off")
    sidecar.wait_healthy(timeout_s=20)

    assert sidecar.request("POST", "/api/v1/tasks", json=TASK).status_code == 201


def test_somebody_elses_lock_is_told_and_holds_up_nobody_else(sidecar: Sidecar, database: Database) -> None:
    """A write that waits for it for five seconds is refused with its own code; all else goes on, and health is 200."""
    begun_at = time.monotonic()
    with database.server.connect(database.name) as holder:
        holder.autocommit = False
        holder.cursor().execute("LOCK TABLE tasks IN EXCLUSIVE MODE")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(sidecar.request, "POST", "/api/v1/tasks", json=TASK)
            while not waiting.done():
                assert sidecar.request("GET", "/api/v1/tasks").json() == []
                assert sidecar.health()[0] == 200
            refused = waiting.result()
        took_s = time.monotonic() - begun_at
        holder.rollback()

    assert error_of(refused)[:2] == (503, "locked")
    assert took_s >= LOCK_WAIT_S
    assert sidecar.request("POST", "/api/v1/tasks", json=TASK).status_code == 201


def test_several_hosts_are_tried_until_one_is_promoted(database: Database, sidecar_factory: SidecarFactory) -> None:
    """None takes changes at first: told as what passes by itself, and left as soon as one does."""
    port = database.server.port
    several = {"host": "127.0.0.1,127.0.0.1", "port": f"{port},{port}", "target_session_attrs": "read-write"}
    role = f"ALTER ROLE {database.username} SET default_transaction_read_only"
    database.execute(f"{role} = on")
    sidecar = sidecar_factory(env={"TASKFLOW_EMBEDDED": "0"})
    sidecar.save_connection({**database.fields(), **several})

    problem = sidecar.wait_for_problem("read-only")
    state = sidecar.status()["state"]
    database.execute(f"{role} = off")
    sidecar.wait_healthy(timeout_s=20)

    assert state != "failed"
    assert problem["retryable"] is True
    assert "None of the hosts" in problem["message"]
    assert "by itself" in problem["remedy"]
    assert sidecar.request("POST", "/api/v1/tasks", json=TASK).status_code == 201


def test_a_history_that_has_gone_back_is_told(sidecar: Sidecar, database: Database) -> None:
    """The server's log ends earlier than it did: status says since when. A server that does not tell it is no worse."""
    before = sidecar.status()["database"]
    database.execute(f"ALTER ROLE {database.username} SET search_path = public, pg_catalog")
    database.execute(LOG_ENDS.format("RETURN pg_catalog.pg_current_wal_flush_lsn() - 1000000;"))
    database.query(END_ALL)

    wait_until(
        lambda: sidecar.status()["database"]["history_lost_at"] is not None, timeout_s=20, what="the lost history"
    )
    database.execute(LOG_ENDS.format("RAISE EXCEPTION 'not here' USING ERRCODE = 'feature_not_supported';"))
    database.query(END_ALL)
    sidecar.request("POST", "/api/v1/settings/retry")
    after = sidecar.wait_healthy().status()["database"]

    assert before["history_lost_at"] is None
    assert after["clock_offset_s"] is not None


def test_the_documented_rights_suffice(sidecar: Sidecar, database: Database, sidecar_factory: SidecarFactory) -> None:
    """The statements of `backend/docs/servers.md` make a role that can do everything but change the schema."""
    sidecar.wait_for(lambda document: document["vault"]["state"] == "unlocked")  # so the vault is this one's
    role, password = f"{database.name}_app", secrets.token_hex(16)
    statements = SERVERS.read_text().partition("```sql\n")[2].partition("```")[0]
    for statement in statements.replace("team_app", role).replace("choose one", password).splitlines():
        database.execute(statement)
    try:
        url = f"postgresql://{role}:{password}@127.0.0.1:{database.server.port}/{database.name}"
        one = sidecar_factory(config_dir=sidecar.config_dir.parent / "other", env={"TASKFLOW_DATABASE_URL": url})
        one.wait_healthy().wait_for(lambda document: document["vault"]["state"] == "locked")
        created = one.request("POST", "/api/v1/tasks", json=TASK)
        seen = sidecar.request("GET", f"/api/v1/tasks/{created.json()['id']}")
        deleted = one.request("DELETE", f"/api/v1/tasks/{created.json()['id']}")
        asked = one.request("POST", "/api/v1/vault/devices", json={"label": "newcomer"})
        one.stop()
    finally:
        database.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")

    assert [answer.status_code for answer in (created, seen, deleted, asked)] == [201, 200, 204, 201]


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
