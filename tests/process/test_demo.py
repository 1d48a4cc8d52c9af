"""`taskflow-sidecar demo`: an empty database gets a believable team, any other is left alone."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.databases import fresh_database
from tests.support.events import EventStream
from tests.support.sidecar import Sidecar, run_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgres import PostgresServer

REFUSED = "taskflow-sidecar: The database holds members or tasks already; a made-up team goes into an empty one only.\n"


def listed(sidecar: Sidecar, path: str) -> list[dict[str, Any]]:
    """All of a resource."""
    answer = sidecar.request("GET", f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def whole(sidecar: Sidecar) -> list[dict[str, Any]]:
    """All tasks with their daily updates."""
    return [sidecar.request("GET", f"/api/v1/tasks/{task['id']}").json() for task in listed(sidecar, "tasks")]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sidecar]:
    """A running sidecar, by hand, on an empty database of each kind."""
    with Sidecar(config_dir=tmp_path / "config") as sidecar:
        sidecar.wait_healthy()
        if request.param == "sqlite":
            yield sidecar
            return
        with fresh_database(request.getfixturevalue("postgres"), with_tables=True) as database:
            sidecar.save_connection(database.fields())
            sidecar.wait_for(lambda status: status["mode"] == "postgresql" and status["state"] == "ready")
            yield sidecar
            sidecar.stop()


def instant(text: str) -> dt.datetime:
    """Read a time stamp."""
    return dt.datetime.fromisoformat(text)


def test_newcomer_sees_a_team_at_work(empty: Sidecar) -> None:
    """All states and priorities, steps half done, updates over weeks up to now, and open windows show it at once."""
    with EventStream(empty) as stream:
        done = run_command("demo", config_dir=empty.config_dir)
        assert (done.returncode, done.stderr) == (0, "")
        stream.wait(lambda: len(stream.events) > 100, "the events of the team")

    members, tasks = listed(empty, "members"), whole(empty)
    updates = [update for task in tasks for update in task["daily_updates"]]
    steps = [step for task in tasks for step in task["sub_tasks"]]
    assert done.stdout == (
        f"Added {len(members)} members, {len(tasks)} tasks, {len(steps)} sub-tasks and {len(updates)} daily updates.\n"
    )
    assert {member["active"] for member in members} == {True, False}
    assert {task["status"] for task in tasks} == {"To Do", "In Progress", "Blocked", "Done"}
    assert {task["priority"] for task in tasks} == {"High", "Medium", "Low"}
    assert all(bool(task["blocking_reason"]) is (task["status"] == "Blocked") for task in tasks)
    assert {task["assignee_id"] is None for task in tasks} == {True, False}
    assert all((task["blocked_since"] is None) is (task["status"] != "Blocked") for task in tasks)
    assert {task["latest_update"] is None for task in tasks} == {True, False}
    assert {task["assignee_active"] for task in tasks} >= {True, None}
    assert {member["open_tasks"] > 0 for member in members} == {True, False}
    assert all(member["last_update_at"] for member in members)
    assert sum(member["open_tasks"] for member in members) > 5
    assert {task["gear_id"] is None for task in tasks} == {True, False}
    assert {step["completed"] for step in steps} == {True, False}
    assert all(step["completed"] for task in tasks if task["status"] == "Done" for step in task["sub_tasks"])


@pytest.mark.in_turn
def test_what_happened_is_spread_over_time(empty: Sidecar) -> None:
    """In an order that makes sense, nothing in the future, and something that can still be edited."""
    run_command("demo", config_dir=empty.config_dir)

    tasks, now = whole(empty), dt.datetime.now(dt.UTC)
    created = [instant(task["created_at"]) for task in tasks]
    assert max(created) - min(created) > dt.timedelta(days=14)
    assert len({moment.date() for moment in created}) > 7
    for task in tasks:
        told = [instant(update["created_at"]) for update in reversed(task["daily_updates"])]
        times = [instant(task["created_at"]), *told, now]
        assert times == sorted(times), task["title"]
        assert times[0] <= instant(task["updated_at"]) <= now
        assert all(instant(step["created_at"]) >= times[0] for step in task["sub_tasks"])
    newest = max((update for task in tasks for update in task["daily_updates"]), key=lambda each: each["created_at"])
    path = f"/api/v1/tasks/{newest['task_id']}/updates/{newest['id']}"
    assert empty.request("PATCH", path, json={"content": "Changed"}).status_code == 200


@pytest.mark.in_turn
def test_everything_keeps_to_the_rules(empty: Sidecar) -> None:
    """What a client could not have written is not there: sent again, each is accepted and changes nothing."""
    run_command("demo", config_dir=empty.config_dir)

    for path, fields in (
        ("members", ("name", "email", "active")),
        ("tasks", ("title", "description", "status", "priority", "assignee_id", "gear_id", "blocking_reason")),
    ):
        for found in listed(empty, path):
            answer = empty.request(
                "PATCH", f"/api/v1/{path}/{found['id']}", json={name: found[name] for name in fields}
            )
            assert (answer.status_code, answer.json().get("updated_at")) == (200, found.get("updated_at")), answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("members", {"name": "Ada", "email": "ada@example.com"}),
        ("tasks", {"title": "Build", "status": "Done", "priority": "Low"}),
    ],
)
@pytest.mark.in_turn
def test_work_of_others_is_left_alone(empty: Sidecar, path: str, body: dict[str, str]) -> None:
    """One member or one task is enough; the command says so and changes nothing, beside a stopped sidecar too."""
    assert empty.request("POST", f"/api/v1/{path}", json=body).status_code == 201
    before = listed(empty, "members"), listed(empty, "tasks")

    refused = run_command("demo", config_dir=empty.config_dir)
    assert (listed(empty, "members"), listed(empty, "tasks")) == before
    empty.stop()
    again = run_command("demo", "--json", config_dir=empty.config_dir)

    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", REFUSED)
    assert (again.returncode, again.stdout, again.stderr) == (1, "", REFUSED)


def test_only_one_of_several_at_once_fills(empty: Sidecar) -> None:
    """Two newcomers have the same idea."""
    with ThreadPoolExecutor(2) as threads:
        runs = list(threads.map(lambda _: run_command("demo", config_dir=empty.config_dir), range(2)))

    assert sorted(run.returncode for run in runs) == [0, 1], [run.stderr for run in runs]
    assert {run.stderr for run in runs} == {"", REFUSED}
    assert len(listed(empty, "members")) == 8


def test_new_installation_is_filled_before_its_first_start(tmp_path: Path) -> None:
    """The database is made on the way; the sidecar then starts on it."""
    config_dir = tmp_path / "config"

    done = run_command("demo", "--json", config_dir=config_dir)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"members": 8, "tasks": 20, "sub_tasks": 44, "daily_updates": 25}
    with Sidecar(config_dir=config_dir) as sidecar:
        sidecar.wait_healthy()
        assert len(listed(sidecar, "tasks")) == 20


def test_database_that_cannot_be_used_is_told(tmp_path: Path, postgres: PostgresServer) -> None:
    """Away, or with a schema of another version."""
    away = run_command(
        "demo", config_dir=tmp_path, env={"TASKFLOW_DATABASE_URL": "postgresql://lead:secret@127.0.0.1:9/team"}
    )
    assert away.returncode == 1
    assert "refused" in away.stderr
    assert "secret" not in away.stderr

    with fresh_database(postgres) as database:
        env = {"TASKFLOW_DATABASE_URL": database.url}
        run_command("migrations", "upgrade", config_dir=tmp_path, env=env)
        database.execute("UPDATE alembic_version SET version_num = '0001'")

        older = run_command("demo", config_dir=tmp_path, env=env)

        assert older.returncode == 1
        assert older.stderr.startswith("taskflow-sidecar: The database has the schema of an earlier version.")
        assert database.query("SELECT count(*) FROM members") == [(0,)]
