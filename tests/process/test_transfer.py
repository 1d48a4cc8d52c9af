"""Moving the team's work: out of one database as JSON lines, and into another, all of it or nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.databases import SqliteDatabase, fresh_database
from tests.support.events import EventStream
from tests.support.sidecar import Sidecar, run_command
from tests.support.work import Work, assert_is_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from tests.support.databases import Backend
    from tests.support.postgres import PostgresServer

NOT_EMPTY = "The database holds members or tasks already. Import into an empty one, or with merge=skip."


@pytest.fixture
def work(any_backend: Backend) -> Work:
    """The team's work on each database, without any of it."""
    return Work(any_backend)


def filled(work: Work) -> None:
    """A little of everything."""
    ada, eve = work.add_member("Ada"), work.add_member("Ève \u2028")
    task = work.add_task(assignee_id=ada["id"], description="Größe\n 40", gear_id="0042")
    blocked = work.add_task(status="Blocked", blocking_reason="Parts", assignee_id=eve["id"])
    work.add_task(title="Alone", status="Done")
    for title in ("One", "Two", "Three"):
        work.add_sub_task(task, title)
    steps = work.task(task)["sub_tasks"]
    work.done("PATCH", f"/tasks/{task['id']}/subtasks/{steps[1]['id']}/toggle")
    update = work.add_update(task, eve)
    work.add_update(blocked, ada, "Waiting.")
    work.done("PATCH", f"/tasks/{task['id']}/updates/{update['id']}", {"content": "Edited."})
    work.done("PATCH", f"/members/{eve['id']}", {"active": False})


def state(work: Work) -> tuple[Any, ...]:
    """All that a client can see."""
    tasks = [work.task(task) for task in work.tasks("?sort=created")]
    return work.done("GET", "/members"), tasks, work.done("GET", "/updates"), work.done("GET", "/tasks/counts")


def export(work: Work) -> list[str]:
    """The lines of an export."""
    answer = work.call("GET", "/export")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/x-ndjson")
    return answer.text.removesuffix("\n").split("\n")


def take(work: Work, lines: list[str], query: str = "") -> httpx.Response:
    """Try to import lines."""
    return work.sidecar.request("POST", f"/api/v1/import{query}", content="\n".join(lines).encode())


def counts_of(lines: list[str]) -> dict[str, int]:
    """What an import of a whole export into nothing answers."""
    header = json.loads(lines[0])["lines"]
    return {f"{name}s": count for name, count in header.items()} | {"skipped": 0}


def test_everything_comes_back_as_it_was(work: Work) -> None:
    """Ids, times, order, ticks, marks and names; found by search; and every window is told to read anew."""
    filled(work)
    before, lines = state(work), export(work)
    header = json.loads(lines[0])
    assert (header["version"], header["revision"]) == (
        work.sidecar.status()["version"],
        work.sidecar.status()["database"]["revision"],
    )
    assert header["lines"] == {"member": 2, "task": 3, "sub_task": 3, "daily_update": 2}
    assert len(lines) == 1 + 10
    work.backend.clear()

    with EventStream(work.sidecar) as stream:
        answer = take(work, lines)
        stream.wait_for({"resource": "*", "change": "resync"})
        told = [event for event in stream.events if event["resource"] == "import"]

    assert (answer.status_code, answer.json()) == (200, counts_of(lines))
    assert (told[-1]["change"], told[-1]["done"], told[-1]["of"]) == ("progress", 10, 10)
    assert state(work) == before
    assert len(work.tasks("?search=GRÖSSE")) == 1
    again = export(work)
    assert again[1:] == lines[1:]
    work.add_sub_task(before[1][2], "Four")


def test_import_goes_into_an_empty_database_only(work: Work) -> None:
    """Unless it is told to skip what is there: then only what lacks is added, and nothing is changed."""
    filled(work)
    lines = export(work)
    whole = state(work)
    assert_is_error(take(work, lines), 409, NOT_EMPTY, "not-empty")
    assert take(work, lines, "?merge=skip").json() == dict.fromkeys(counts_of(lines), 0) | {"skipped": 10}
    assert state(work) == whole

    alone = next(task for task in whole[1] if task["title"] == "Alone")
    kept = next(task for task in whole[1] if task["gear_id"] == "0042")
    work.done("DELETE", f"/tasks/{alone['id']}")
    work.done("DELETE", f"/tasks/{kept['id']}/subtasks/{kept['sub_tasks'][0]['id']}")
    work.done("PATCH", f"/tasks/{kept['id']}", {"title": "Changed since"})
    added = take(work, lines, "?merge=skip").json()

    assert added == {"members": 0, "tasks": 1, "sub_tasks": 1, "daily_updates": 0, "skipped": 8}
    assert work.task(alone) == alone
    now = work.task(kept)
    assert now["title"] == "Changed since"
    assert [(step["title"], step["position"]) for step in now["sub_tasks"]] == [("Two", 0), ("Three", 1), ("One", 2)]
    answer = take(work, lines, "?merge=all")
    assert_is_error(answer, 400, "query.merge: Input should be 'skip'", "validation")


def changed(lines: list[str], of: str, **fields: object) -> list[str]:
    """Change fields of the last line of a resource."""
    place = max(number for number, line in enumerate(lines) if json.loads(line).get("resource") == of)
    return [*lines[:place], json.dumps(json.loads(lines[place]) | fields), *lines[place + 1 :]]


UNKNOWN = "00000000-0000-4000-8000-00000000ffff"
DAMAGES: list[tuple[str, Callable[[list[str]], list[str]], str]] = [
    ("nothing", lambda _: [], "line 1: Input should be the header of an export"),
    ("no-header", lambda lines: lines[1:], "line 1: Input should be the header of an export"),
    (
        "newer",
        lambda lines: [json.dumps(json.loads(lines[0]) | {"revision": "9999"}), *lines[1:]],
        "line 1: The export was made by a newer version",
    ),
    ("cut-off", lambda lines: lines[:-1], "body: The export is not complete"),
    ("half-a-line", lambda lines: [*lines[:-1], lines[-1][:20]], "line 11: body: Input should be valid JSON"),
    (
        "unknown-resource",
        lambda lines: changed(lines, "task", resource="tasks"),
        "line 6: resource: Input should be 'member', 'task', 'sub_task' or 'daily_update'",
    ),
    ("rule", lambda lines: changed(lines, "task", title=" "), "line 6: title: field cannot be blank"),
    (
        "no-reason",
        lambda lines: changed(lines, "task", status="Blocked"),
        "line 6: Blocking reason is required when status is Blocked",
    ),
    (
        "no-time",
        lambda lines: changed(lines, "member", created_at="yesterday"),
        "line 3: created_at: Input should be a date and time with its zone, such as 2026-11-29T08:00:00Z",
    ),
    (
        "no-such-assignee",
        lambda lines: changed(lines, "task", assignee_id=UNKNOWN),
        "line 4 and those after it: a task is there twice, or its assignee is not there",
    ),
    (
        "no-such-author",
        lambda lines: changed(lines, "daily_update", author_id=UNKNOWN),
        "line 10 and those after it: a daily update is there twice, or its task or author is not there",
    ),
    (
        "email-twice",
        lambda lines: changed(lines, "member", email=json.loads(lines[1])["email"].upper()),
        "line 2 and those after it: a member is there twice, or another one with this email",
    ),
    ("endless-line", lambda lines: [*lines, "x" * (3 << 20)], "body: A line is longer than 1 MiB"),
]


@pytest.mark.parametrize(("damage", "sentence"), [pytest.param(*case[1:], id=case[0]) for case in DAMAGES])
@pytest.mark.in_turn
def test_damaged_export_adds_nothing(work: Work, damage: Callable[[list[str]], list[str]], sentence: str) -> None:
    """One sentence tells which line; the database stays empty."""
    filled(work)
    lines = export(work)
    work.backend.clear()

    assert_is_error(take(work, damage(lines)), 400, sentence, "validation")
    assert state(work)[:3] == ([], [], [])
    assert take(work, lines).status_code == 200


def test_local_work_moves_to_the_teams_database(tmp_path: Path, postgres: PostgresServer) -> None:
    """By the commands, from the embedded database to PostgreSQL; a file that is there is not overwritten."""
    file = tmp_path / "work.jsonl"
    assert run_command("demo", config_dir=tmp_path / "local").returncode == 0
    assert run_command("work", "export", str(file), config_dir=tmp_path / "local").returncode == 0
    printed = run_command("work", "export", config_dir=tmp_path / "local")
    assert printed.stdout.splitlines()[1:] == file.read_text().splitlines()[1:]
    again = run_command("work", "export", str(file), config_dir=tmp_path / "local")
    assert again.returncode == 2
    assert "exists already" in again.stderr

    with fresh_database(postgres) as database:
        env = {"TASKFLOW_DATABASE_URL": database.url}
        run_command("migrations", "upgrade", config_dir=tmp_path / "team", env=env)
        taken = run_command("work", "import", str(file), config_dir=tmp_path / "team", env=env)
        refused = run_command("work", "import", str(file), config_dir=tmp_path / "team", env=env)
        merged = run_command(
            "work", "import", "--merge-skip", "--json", str(file), config_dir=tmp_path / "team", env=env
        )
        back = run_command("work", "export", config_dir=tmp_path / "team", env=env)

    assert taken.stdout == "Added 8 members, 20 tasks, 44 sub-tasks and 25 daily updates; 0 were there already.\n"
    assert (refused.returncode, refused.stderr) == (1, f"taskflow-sidecar: {NOT_EMPTY}\n")
    assert json.loads(merged.stdout)["skipped"] == 97
    assert back.stdout.splitlines()[1:] == file.read_text().splitlines()[1:]


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Sidecar]:
    """A sidecar with its embedded database."""
    with Sidecar(config_dir=tmp_path / "config") as sidecar:
        yield sidecar.wait_healthy()


def test_upload_that_breaks_off_adds_nothing(embedded: Sidecar) -> None:
    """A client that dies in the midst: what it had sent is forgotten, and others go on."""
    contents = SqliteDatabase(embedded.data_dir)
    line = {"resource": "member", "name": "Ada", "active": True, "created_at": "2026-01-01T00:00:00Z"}

    def pieces() -> Iterator[bytes]:
        header = {"format": "taskflow-export", "revision": "0006", "lines": {"member": 5000}}
        yield json.dumps(header).encode() + b"\n"
        for number in range(3000):
            identifier = f"00000000-0000-4000-8000-{number:012}"
            more = {"id": identifier, "email": f"{number}@b.co", "updated_at": "2026-01-01T00:00:00Z"}
            yield json.dumps(line | more).encode() + b"\n"
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        embedded.request("POST", "/api/v1/import", content=pieces())
    answer = embedded.request("POST", "/api/v1/members", json={"name": "Eve", "email": "eve@b.co"})

    assert answer.status_code == 201, answer.text
    assert contents.query("SELECT count(*) FROM members") == [(1,)]
