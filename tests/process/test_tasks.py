"""Tasks: every line of what the resource promises, on both databases."""

from __future__ import annotations

import re
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.work import CHANGED_MEANWHILE, UNKNOWN_ID, Work, assert_is_error, race

if TYPE_CHECKING:
    from tests.support.databases import Backend

FIELDS = {
    "id",
    "title",
    "description",
    "status",
    "priority",
    "assignee_id",
    "assignee_name",
    "assignee_active",
    "gear_id",
    "blocking_reason",
    "blocked_since",
    "sub_tasks",
    "daily_updates",
    "latest_update",
    "created_at",
    "updated_at",
}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
NOT_FOUND = "Task not found"
REASON_REQUIRED = "Blocking reason is required when status is Blocked"
WHOLE = {"title": "Build", "status": "To Do", "priority": "High"}
STATUSES = "'To Do', 'In Progress', 'Blocked' or 'Done'"
AWKWARD = "\" \\ \\n / <&> 'é' 日本語 😀 \u2028 \x01 \x7f {} %s :x ]]>"


@pytest.fixture
def work(any_backend: Backend) -> Work:
    """The team's work on each database, without any of it."""
    return Work(any_backend)


# Adding


def test_created_task_is_answered_whole(work: Work) -> None:
    """Exactly the promised fields, whichever call answers."""
    answer = work.call("POST", "/tasks", WHOLE)

    assert answer.status_code == 201
    created = answer.json()
    assert set(created) == FIELDS
    assert str(uuid.UUID(created["id"])) == created["id"]
    assert TIMESTAMP.fullmatch(created["created_at"])
    assert created["updated_at"] == created["created_at"]
    assert {name: created[name] for name in FIELDS - {"id", "created_at", "updated_at"}} == WHOLE | {
        "description": None,
        "assignee_id": None,
        "assignee_name": None,
        "assignee_active": None,
        "gear_id": None,
        "blocking_reason": "",
        "blocked_since": None,
        "sub_tasks": [],
        "daily_updates": [],
        "latest_update": None,
    }
    assert work.task(created) == created
    assert work.tasks() == [created]


def test_every_field_is_kept(work: Work) -> None:
    """Trimmed where strings are trimmed; whatever the characters, JSON stays JSON."""
    ada = work.add_member(f"Ada {AWKWARD}")

    created = work.add_task(
        title=f"  {AWKWARD}\n",
        description=f"  {AWKWARD} ",
        status="Blocked",
        priority="Low",
        assignee_id=ada["id"].upper(),
        gear_id="0042",
        blocking_reason=f" {AWKWARD} ",
    )

    assert created["title"] == created["blocking_reason"] == AWKWARD
    assert created["description"] == f"  {AWKWARD} "
    assert (created["status"], created["priority"], created["gear_id"]) == ("Blocked", "Low", "0042")
    assert (created["assignee_id"], created["assignee_name"]) == (ada["id"], ada["name"])
    assert work.task(created) == created
    assert work.tasks() == [created]


def test_what_the_client_may_not_set_is_ignored(work: Work) -> None:
    """Id, name and times are the server's; fields nobody knows are dropped."""
    created = work.add_task(id=UNKNOWN_ID, assignee_name="Eve", created_at="1970-01-01T00:00:00Z", sub_tasks=[1], x=1)

    assert created["id"] != UNKNOWN_ID
    assert created["assignee_name"] is None
    assert created["created_at"] > "2026"
    assert created["sub_tasks"] == []


@pytest.mark.rules
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "title: Field required"),
        ({"title": None}, "title: field cannot be null"),
        ({"title": " \t"}, "title: field cannot be blank"),
        ({"title": 7}, "title: Input should be a valid string"),
        ({"title": "x" * 201}, "title: String should have at most 200 characters"),
        ({"title": "a\x00"}, "title: Input should not contain NUL characters"),
        ({"title": "x"}, "status: Field required"),
        ({"title": "x", "status": "todo"}, f"status: Input should be {STATUSES}"),
        ({"title": "x", "status": None}, "status: field cannot be null"),
        ({"title": "x", "status": "Done"}, "priority: Field required"),
        ({"title": "x", "status": "Done", "priority": "high"}, "priority: Input should be 'High', 'Medium' or 'Low'"),
        (WHOLE | {"description": "x" * 2001}, "description: String should have at most 2000 characters"),
        (WHOLE | {"description": 1}, "description: Input should be a valid string"),
        (WHOLE | {"assignee_id": "ada"}, "assignee_id: Input should be a valid UUID"),
        (WHOLE | {"assignee_id": UNKNOWN_ID}, "Assignee not found"),
        (WHOLE | {"gear_id": "123"}, "GEAR ID must be exactly 4 digits"),
        (WHOLE | {"gear_id": "12345"}, "GEAR ID must be exactly 4 digits"),
        (WHOLE | {"gear_id": " 123"}, "GEAR ID must be exactly 4 digits"),
        (WHOLE | {"gear_id": "1234\n"}, "GEAR ID must be exactly 4 digits"),
        (WHOLE | {"gear_id": "١٢٣٤"}, "GEAR ID must be exactly 4 digits"),
        (WHOLE | {"gear_id": "²²²²"}, "GEAR ID must be exactly 4 digits"),
        (WHOLE | {"gear_id": ""}, "GEAR ID must be exactly 4 digits"),
        (WHOLE | {"gear_id": 1234}, "GEAR ID must be exactly 4 digits"),
        (WHOLE | {"status": "Blocked"}, REASON_REQUIRED),
        (WHOLE | {"status": "Blocked", "blocking_reason": None}, REASON_REQUIRED),
        (WHOLE | {"status": "Blocked", "blocking_reason": " \n"}, REASON_REQUIRED),
        (WHOLE | {"status": "Blocked", "assignee_id": UNKNOWN_ID}, REASON_REQUIRED),
        (WHOLE | {"blocking_reason": "x" * 1001}, "blocking_reason: String should have at most 1000 characters"),
        (WHOLE | {"gear_id": "x", "blocking_reason": 1}, "GEAR ID must be exactly 4 digits"),
    ],
)
def test_rules_of_the_fields(work: Work, body: dict[str, Any], sentence: str) -> None:
    """The first broken one is told, and nothing is written."""
    assert_is_error(work.call("POST", "/tasks", body), 400, sentence, "validation")
    assert work.tasks() == []


def test_longest_values_fit(work: Work) -> None:
    """Lengths count characters, after trimming; the search's index takes them too."""
    created = work.add_task(
        title=f" {'ΐ' * 200} ",
        description="😀" * 2000,
        status="Blocked",
        blocking_reason=f" {'x' * 1000} ",
        gear_id="0000",
    )

    assert (len(created["title"]), len(created["description"]), len(created["blocking_reason"])) == (200, 2000, 1000)
    assert work.tasks("?search=😀😀") == [created]


def test_empty_description_is_not_null(work: Work) -> None:
    """It is not trimmed, so whatever was sent is kept."""
    assert work.add_task(description="")["description"] == ""
    assert work.add_task(description="  ")["description"] == "  "
    assert work.add_task(description=None)["description"] is None


def test_reason_of_what_is_not_blocked_is_dropped(work: Work) -> None:
    """And so is a blank one."""
    assert work.add_task(blocking_reason="No parts")["blocking_reason"] == ""
    assert work.add_task(blocking_reason=" ")["blocking_reason"] == ""


# Reading


def test_task_holds_its_children(work: Work) -> None:
    """Sub-tasks in their order, daily updates newest first; a list leaves the latter out."""
    ada = work.add_member()
    task, other = work.add_task(), work.add_task(title="Other")
    sub_tasks = [work.add_sub_task(task, f"Step {number}") for number in range(3)]
    updates = [work.add_update(task, ada, f"Day {number}") for number in range(3)]
    work.add_sub_task(other)

    found = work.task(task)

    assert found["sub_tasks"] == sub_tasks
    assert found["daily_updates"] == updates[::-1]
    assert found | {"daily_updates": []} in work.tasks()


def test_names_are_those_that_members_have_now(work: Work) -> None:
    """Nothing is copied."""
    ada = work.add_member("Ada")
    task = work.add_task(assignee_id=ada["id"])
    work.add_update(task, ada)

    work.done("PATCH", f"/members/{ada['id']}", {"name": "Grace"})

    found = work.task(task)
    assert found["assignee_name"] == found["daily_updates"][0]["author_name"] == "Grace"
    assert work.tasks()[0]["assignee_name"] == "Grace"


def test_identifier_is_read_in_any_case(work: Work) -> None:
    """And answered canonical."""
    task = work.add_task()

    assert work.done("GET", f"/tasks/{task['id'].upper()}") == task
    assert work.done("PATCH", f"/tasks/{task['id'].upper()}", {}) == task


def test_unknown_task(work: Work) -> None:
    """404, after validation and before everything else."""
    path = f"/tasks/{UNKNOWN_ID}"

    assert_is_error(work.call("GET", path), 404, NOT_FOUND, "not-found")
    assert_is_error(work.call("PATCH", path, {"title": "x"}, '"x"'), 404, NOT_FOUND, "not-found")
    assert_is_error(work.call("DELETE", path, if_match='"x"'), 404, NOT_FOUND, "not-found")
    assert_is_error(work.call("PATCH", path, {"title": 1}), 400, "title: Input should be a valid string", "validation")
    assert_is_error(work.call("GET", "/tasks/1"), 400, "path.id: Input should be a valid UUID", "validation")


# Changing


@pytest.mark.parametrize(
    "change",
    [
        {"title": " New "},
        {"description": "New"},
        {"description": None},
        {"priority": "High"},
        {"status": "Done"},
        {"gear_id": "0001"},
        {"gear_id": None},
        {"assignee_id": None},
        {"title": "New", "status": "In Progress", "priority": "High", "description": None, "gear_id": "9999"},
    ],
)
def test_change_touches_only_what_is_present(work: Work, change: dict[str, Any]) -> None:
    """The answer is the whole task as it is now, children included."""
    ada = work.add_member()
    task = work.add_task(assignee_id=ada["id"], description="Old", gear_id="1234")
    work.add_sub_task(task)
    work.add_update(task, ada)
    before = work.task(task)

    changed = work.done("PATCH", f"/tasks/{task['id']}", change)

    expected = before | change | {"updated_at": changed["updated_at"]}
    expected["title"] = expected["title"].strip()
    if expected["assignee_id"] is None:
        expected |= {"assignee_name": None, "assignee_active": None}
    assert changed == expected
    assert changed["updated_at"] > before["updated_at"]
    assert work.task(task) == changed


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"unknown": 1},
        {"title": " Build "},
        {"blocking_reason": "Not blocked"},
        {"blocking_reason": None},
        {"title": "Build", "status": "To Do", "priority": "Medium", "description": None, "gear_id": None},
    ],
)
def test_change_that_changes_nothing_moves_nothing(work: Work, change: dict[str, Any]) -> None:
    """`updated_at` stays, and so does the version."""
    created = work.call("POST", "/tasks", {"title": "Build", "status": "To Do", "priority": "Medium"})

    answer = work.call("PATCH", f"/tasks/{created.json()['id']}", change)

    assert answer.json() == created.json()
    assert answer.headers["ETag"] == created.headers["ETag"]


@pytest.mark.rules
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"title": None}, "title: field cannot be null"),
        ({"status": None}, "status: field cannot be null"),
        ({"priority": None}, "priority: field cannot be null"),
        ({"description": "x" * 2001}, "description: String should have at most 2000 characters"),
        ({"assignee_id": UNKNOWN_ID}, "Assignee not found"),
        ({"gear_id": "x"}, "GEAR ID must be exactly 4 digits"),
        ({"status": "Blocked"}, REASON_REQUIRED),
        ({"status": "Blocked", "blocking_reason": " "}, REASON_REQUIRED),
        ({"title": "New", "assignee_id": UNKNOWN_ID}, "Assignee not found"),
    ],
)
def test_refused_change_changes_nothing(work: Work, change: dict[str, Any], sentence: str) -> None:
    """Nothing is changed by halves."""
    task = work.add_task()

    assert_is_error(work.call("PATCH", f"/tasks/{task['id']}", change), 400, sentence, "validation")
    assert work.task(task) == task


def test_blocked_task_has_a_reason_as_long_as_it_is_blocked(work: Work) -> None:
    """A stored one counts, taking it away is refused, leaving Blocked clears it."""
    task = work.add_task(status="Blocked", blocking_reason="No parts")
    path = f"/tasks/{task['id']}"

    assert work.done("PATCH", path, {"status": "Blocked", "title": "New"})["blocking_reason"] == "No parts"
    for nothing in (None, "", " "):
        answer = work.call("PATCH", path, {"blocking_reason": nothing})
        assert_is_error(answer, 400, REASON_REQUIRED, "validation")
    assert work.done("PATCH", path, {"blocking_reason": " Strike "})["blocking_reason"] == "Strike"
    assert work.done("PATCH", path, {"status": "Done", "blocking_reason": "Late"})["blocking_reason"] == ""
    assert_is_error(work.call("PATCH", path, {"status": "Blocked"}), 400, REASON_REQUIRED, "validation")
    assert work.done("PATCH", path, {"status": "Blocked", "blocking_reason": "Again"})["blocking_reason"] == "Again"


def test_concurrent_changes_of_different_fields_are_all_kept(work: Work) -> None:
    """None writes back what it read before another."""
    task = work.add_task()
    changes = [{"title": "New"}, {"description": "New"}, {"priority": "Low"}, {"status": "Done"}, {"gear_id": "1111"}]

    race([partial(work.call, "PATCH", f"/tasks/{task['id']}", change) for change in changes])

    found = work.task(task)
    assert all(found.items() >= change.items() for change in changes)


# Deleting


def test_deleted_task_is_gone_with_its_children(work: Work) -> None:
    """204 without a body; nothing of it stays behind, not in the search either."""
    ada = work.add_member()
    task, other = work.add_task(title="Gone"), work.add_task(title="Kept")
    sub_task, update = work.add_sub_task(task), work.add_update(task, ada)

    answer = work.call("DELETE", f"/tasks/{task['id']}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert work.tasks() == [other]
    assert work.tasks("?search=gone") == []
    for method, path in (
        ("DELETE", f"/tasks/{task['id']}"),
        ("PATCH", f"/tasks/{task['id']}/subtasks/{sub_task['id']}/toggle"),
        ("DELETE", f"/tasks/{task['id']}/updates/{update['id']}"),
    ):
        assert_is_error(work.call(method, path), 404, NOT_FOUND, "not-found")
    assert_is_error(
        work.call("DELETE", f"/tasks/{other['id']}/subtasks/{sub_task['id']}"), 404, "Sub-task not found", "not-found"
    )
    assert work.call("DELETE", f"/members/{ada['id']}").status_code == 204
    for table in ("sub_tasks", "daily_updates"):
        assert work.backend.database.query(f"SELECT count(*) FROM {table}") == [(0,)]
    assert work.backend.database.query("SELECT count(*) FROM task_grams") == [(1,)]


def test_of_concurrent_deletions_exactly_one_succeeds(work: Work) -> None:
    """The others find nothing."""
    task = work.add_task()

    answers = race([partial(work.call, "DELETE", f"/tasks/{task['id']}")] * 8)

    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 7


# Members at work


def test_member_with_work_stays(work: Work) -> None:
    """Tasks are told first, then daily updates; without either the member goes."""
    ada, eve = work.add_member("Ada"), work.add_member("Eve")
    tasks = [work.add_task(assignee_id=ada["id"]) for _ in range(2)]
    updates = [work.add_update(tasks[0], ada, f"Day {number}") for number in range(3)]
    path = f"/members/{ada['id']}"

    assert_is_error(
        work.call("DELETE", path),
        409,
        "Cannot delete member with 2 assigned task(s). Reassign them first.",
        "conflict",
    )
    work.done("PATCH", f"/tasks/{tasks[0]['id']}", {"assignee_id": eve["id"]})
    work.done("PATCH", f"/tasks/{tasks[1]['id']}", {"assignee_id": None})
    assert_is_error(
        work.call("DELETE", path),
        409,
        "Cannot delete member with 3 authored daily update(s). Delete those updates first.",
        "conflict",
    )
    for update in updates:
        work.done("DELETE", f"/tasks/{tasks[0]['id']}/updates/{update['id']}")
    assert work.call("DELETE", path).status_code == 204
    assert work.done("GET", "/members") == [eve | {"open_tasks": 1, "last_update_at": None}]


def test_precondition_is_judged_before_the_work(work: Work) -> None:
    """404, then 412, then 409, as for every other conflict of a member."""
    ada = work.add_member()
    work.add_task(assignee_id=ada["id"])

    answer = work.call("DELETE", f"/members/{ada['id']}", if_match='"stale"')

    assert_is_error(answer, 412, CHANGED_MEANWHILE, "precondition-failed")


def test_member_deleted_while_work_is_assigned(work: Work) -> None:
    """Either the member is gone and nothing refers to them, or the work is there and the member too."""
    for number in range(15):
        ada, eve = work.add_member(f"Ada {number}"), work.add_member("Eve")
        task = work.add_task(assignee_id=eve["id"])
        body = {"author_id": ada["id"], "content": "Done."}

        *others, deleted = race(
            [
                partial(work.call, "POST", "/tasks", WHOLE | {"assignee_id": ada["id"]}),
                partial(work.call, "PATCH", f"/tasks/{task['id']}", {"assignee_id": ada["id"]}),
                partial(work.call, "POST", f"/tasks/{task['id']}/updates", body),
                partial(work.call, "DELETE", f"/members/{ada['id']}"),
            ]
        )

        sentences = {answer.json()["error"] for answer in others if answer.status_code == 400}
        assert sentences <= {"Assignee not found", "Author not found"}
        assert {answer.status_code for answer in others} <= {200, 201, 400}
        assert deleted.status_code == (204 if all(answer.status_code == 400 for answer in others) else 409)
        member_ids = {member["id"] for member in work.done("GET", "/members")}
        for found in [*work.tasks(), work.task(task)]:
            assert (found["assignee_id"] is None) is (found["assignee_name"] is None)
            assert found["assignee_id"] in {None, *member_ids}
            assert all(update["author_id"] in member_ids for update in found["daily_updates"])


# Versions


def test_etag_is_that_of_the_present_version(work: Work) -> None:
    """The same whichever call answers, another one after each change, those of children and names included."""
    ada = work.add_member()
    created = work.call("POST", "/tasks", WHOLE | {"assignee_id": ada["id"]})
    path = f"/tasks/{created.json()['id']}"
    seen = [created.headers["ETag"]]
    assert work.call("GET", path).headers["ETag"] == seen[0]
    assert work.call("PATCH", path, {}).headers["ETag"] == seen[0]

    for method, changed, body in (
        ("PATCH", path, {"title": "New"}),
        ("POST", f"{path}/subtasks", {"title": "Step"}),
        ("POST", f"{path}/updates", {"author_id": ada["id"], "content": "Done."}),
        ("PATCH", f"/members/{ada['id']}", {"name": "Grace"}),
    ):
        work.done(method, changed, body)
        seen.append(work.call("GET", path).headers["ETag"])

    assert len(set(seen)) == len(seen)
    assert all(re.fullmatch(r'"[0-9a-f]+"', etag) for etag in seen)


def test_change_and_deletion_of_the_version_that_is_meant(work: Work) -> None:
    """Another one is left alone, whoever changed it and whatever of it."""
    task = work.add_task()
    path = f"/tasks/{task['id']}"
    etag = work.call("GET", path).headers["ETag"]
    assert work.call("PATCH", path, {"title": "New"}, etag).status_code == 200

    for answer in (work.call("PATCH", path, {"title": "Newer"}, etag), work.call("DELETE", path, if_match=etag)):
        assert_is_error(answer, 412, CHANGED_MEANWHILE, "precondition-failed")
    etag = work.call("GET", path).headers["ETag"]
    work.add_sub_task(task)
    assert work.call("PATCH", path, {"title": "Newer"}, etag).status_code == 412
    assert work.task(task)["title"] == "New"
    assert work.call("PATCH", path, {"title": "Newer"}, "*").status_code == 200
    etag = work.call("GET", path).headers["ETag"]
    assert work.call("DELETE", path, if_match=f'"other", {etag}').status_code == 204


def test_of_concurrent_changes_of_one_version_exactly_one_succeeds(work: Work) -> None:
    """That is what If-Match is for."""
    created = work.call("POST", "/tasks", WHOLE)
    path, etag = f"/tasks/{created.json()['id']}", created.headers["ETag"]

    answers = race([partial(work.call, "PATCH", path, {"title": f"New {number}"}, etag) for number in range(8)])

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
