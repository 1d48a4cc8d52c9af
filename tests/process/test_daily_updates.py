"""Daily updates: every line of what the resource promises, on both databases."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.work import CHANGED_MEANWHILE, UNKNOWN_ID, Work, assert_is_error, race

if TYPE_CHECKING:
    from tests.support.databases import Backend

NOT_FOUND = "Daily update not found"
TASK_NOT_FOUND = "Task not found"


@pytest.fixture
def work(any_backend: Backend) -> Work:
    """The team's work on each database, without any of it."""
    return Work(any_backend)


@pytest.fixture
def ada(work: Work) -> dict[str, Any]:
    """A member."""
    return work.add_member("Ada")


@pytest.fixture
def task(work: Work) -> dict[str, Any]:
    """A task without updates."""
    return work.add_task()


def path_of(update: dict[str, Any]) -> str:
    """Where one is changed."""
    return f"/tasks/{update['task_id']}/updates/{update['id']}"


def test_created_update_is_answered_whole(work: Work, task: dict[str, Any], ada: dict[str, Any]) -> None:
    """Exactly the promised fields; the author is resolved by the server."""
    body = {"author_id": ada["id"].upper(), "content": "  Half done. \n", "edited": True}

    created = work.done("POST", f"/tasks/{task['id']}/updates", body)

    assert created == {
        "id": created["id"],
        "task_id": task["id"],
        "author_id": ada["id"],
        "author_name": "Ada",
        "content": "Half done.",
        "created_at": created["created_at"],
        "updated_at": created["created_at"],
        "edited": False,
    }
    assert work.task(task)["daily_updates"] == [created]


@pytest.mark.rules
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "author_id: Field required"),
        ({"author_id": None}, "author_id: field cannot be null"),
        ({"author_id": "ada", "content": ""}, "author_id: Input should be a valid UUID"),
        ({"author_id": UNKNOWN_ID}, "content: Field required"),
        ({"author_id": UNKNOWN_ID, "content": None}, "content: field cannot be null"),
        ({"author_id": UNKNOWN_ID, "content": " \n"}, "content: field cannot be blank"),
        ({"author_id": UNKNOWN_ID, "content": "x" * 1001}, "content: String should have at most 1000 characters"),
        ({"author_id": UNKNOWN_ID, "content": "x"}, "Author not found"),
    ],
)
def test_rules_of_the_fields(work: Work, task: dict[str, Any], body: dict[str, Any], sentence: str) -> None:
    """The first broken one is told, an unknown author too, before the task is looked up."""
    for task_id in (task["id"], UNKNOWN_ID):
        assert_is_error(work.call("POST", f"/tasks/{task_id}/updates", body), 400, sentence, "validation")
    assert work.task(task) == task


def test_unknown_task_is_told_before_an_unknown_update(work: Work, task: dict[str, Any], ada: dict[str, Any]) -> None:
    """Also an update of another task is unknown."""
    update = work.add_update(task, ada)
    other = work.add_task()
    body = {"author_id": ada["id"], "content": "x"}

    assert_is_error(work.call("POST", f"/tasks/{UNKNOWN_ID}/updates", body), 404, TASK_NOT_FOUND, "not-found")
    for task_id, update_id, sentence in (
        (UNKNOWN_ID, update["id"], TASK_NOT_FOUND),
        (other["id"], update["id"], NOT_FOUND),
        (task["id"], UNKNOWN_ID, NOT_FOUND),
    ):
        path = f"/tasks/{task_id}/updates/{update_id}"
        assert_is_error(work.call("PATCH", path, {"content": "New"}, '"x"'), 404, sentence, "not-found")
        assert_is_error(work.call("DELETE", path), 404, sentence, "not-found")
        assert_is_error(work.call("PATCH", path, {"content": " "}), 400, "content: field cannot be blank", "validation")
    assert_is_error(
        work.call("DELETE", f"/tasks/{task['id']}/updates/1"),
        400,
        "path.uid: Input should be a valid UUID",
        "validation",
    )
    assert work.task(task)["daily_updates"] == [update]


def test_changed_update_is_edited(work: Work, task: dict[str, Any], ada: dict[str, Any]) -> None:
    """Only content, time of change and the mark differ; the author stays whoever it is."""
    update = work.add_update(task, ada)
    eve = work.add_member("Eve")

    changed = work.done("PATCH", path_of(update), {"content": " All done. ", "author_id": eve["id"]})

    assert changed == update | {"content": "All done.", "edited": True, "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > update["updated_at"]
    assert work.task(task)["daily_updates"] == [changed]
    again = work.done("PATCH", path_of(update), {"content": "Done."})
    assert again["edited"] is True


def test_identical_content_moves_nothing(work: Work, task: dict[str, Any], ada: dict[str, Any]) -> None:
    """Not the mark, not the time, not the version."""
    update = work.add_update(task, ada, "Done.")
    before = work.call("GET", f"/tasks/{task['id']}")

    assert work.done("PATCH", path_of(update), {"content": " Done. "}) == update
    after = work.call("GET", f"/tasks/{task['id']}")
    assert (after.json(), after.headers["ETag"]) == (before.json(), before.headers["ETag"])


def test_deleted_update_is_gone(work: Work, task: dict[str, Any], ada: dict[str, Any]) -> None:
    """204 without a body."""
    kept, gone = work.add_update(task, ada, "Kept."), work.add_update(task, ada, "Gone.")

    answer = work.call("DELETE", path_of(gone))

    assert (answer.status_code, answer.content) == (204, b"")
    assert work.task(task)["daily_updates"] == [kept]
    assert_is_error(work.call("DELETE", path_of(gone)), 404, NOT_FOUND, "not-found")


def test_update_older_than_a_day_stays_as_it_is(work: Work, task: dict[str, Any], ada: dict[str, Any]) -> None:
    """403, whatever is sent and whatever version is meant; what is too old for one is too old for the other."""
    update = work.add_update(task, ada)
    created_at = dt.datetime.fromisoformat(update["created_at"])
    yesterday = (created_at - dt.timedelta(hours=24)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    work.backend.database.execute(f"UPDATE daily_updates SET created_at = '{yesterday}'")

    for body in ({"content": "New"}, {"content": update["content"]}):
        answer = work.call("PATCH", path_of(update), body, '"x"')
        assert_is_error(answer, 403, "Updates can only be edited within 24 hours.", "forbidden")
    answer = work.call("DELETE", path_of(update))
    assert_is_error(answer, 403, "Updates can only be deleted within 24 hours.", "forbidden")
    assert work.task(task)["daily_updates"] == [update | {"created_at": yesterday}]
    assert work.call("DELETE", f"/tasks/{task['id']}").status_code == 204


def test_updates_are_newest_first(work: Work, task: dict[str, Any], ada: dict[str, Any]) -> None:
    """Those of one moment by id."""
    updates = [work.add_update(task, ada, f"Day {number}") for number in range(4)]
    assert work.task(task)["daily_updates"] == updates[::-1]

    moment = updates[0]["created_at"]
    work.backend.database.execute(f"UPDATE daily_updates SET created_at = '{moment}'")

    found = [update["id"] for update in work.task(task)["daily_updates"]]
    assert found == sorted(update["id"] for update in updates)


def test_versions_of_updates(work: Work, task: dict[str, Any], ada: dict[str, Any]) -> None:
    """ETag on each answer of one; If-Match where one is changed or deleted."""
    body = {"author_id": ada["id"], "content": "Done."}
    created = work.call("POST", f"/tasks/{task['id']}/updates", body)
    path, old = path_of(created.json()), created.headers["ETag"]
    changed = work.call("PATCH", path, {"content": "New"}, old)
    assert changed.status_code == 200

    for answer in (work.call("PATCH", path, {"content": "x"}, old), work.call("DELETE", path, if_match=old)):
        assert_is_error(answer, 412, CHANGED_MEANWHILE, "precondition-failed")
    assert work.task(task)["daily_updates"] == [changed.json()]
    assert work.call("DELETE", path, if_match=changed.headers["ETag"]).status_code == 204


def test_task_deleted_while_updates_are_written(work: Work, ada: dict[str, Any]) -> None:
    """Each update is either written before, and goes with the task, or told that there is none."""
    for _ in range(10):
        task = work.add_task()
        body = {"author_id": ada["id"], "content": "Done."}

        *others, deleted = race(
            [
                *([partial(work.call, "POST", f"/tasks/{task['id']}/updates", body)] * 3),
                partial(work.call, "POST", f"/tasks/{task['id']}/subtasks", {"title": "Step"}),
                partial(work.call, "DELETE", f"/tasks/{task['id']}"),
            ]
        )

        assert deleted.status_code == 204
        assert {answer.status_code for answer in others} <= {201, 404}
    for table in ("sub_tasks", "daily_updates"):
        assert work.backend.database.query(f"SELECT count(*) FROM {table}") == [(0,)]
