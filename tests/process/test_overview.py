"""What tells a team lead how the work stands: fields, filters, counts, updates across tasks, and passing work on."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.support.events import EventStream
from tests.support.work import UNKNOWN_ID, Work, assert_is_error, race

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Backend

    Passes = Callable[[dict[str, Any]], bool]

STATUSES = ("To Do", "In Progress", "Blocked", "Done")
PRIORITIES = ("High", "Medium", "Low")
INACTIVE = "Assignee is inactive"
NO_INSTANT = "Input should be a date and time with its zone, such as 2026-11-29T08:00:00Z"


@pytest.fixture
def work(any_backend: Backend) -> Work:
    """The team's work on each database, without any of it."""
    return Work(any_backend)


def retire(work: Work, member: dict[str, Any]) -> None:
    """Let a member be inactive from now on."""
    work.done("PATCH", f"/members/{member['id']}", {"active": False})


def pages(work: Work, path: str) -> list[dict[str, Any]]:
    """Read a list page by page."""
    found: list[dict[str, Any]] = []
    while path:
        answer = work.sidecar.request("GET", path)
        assert answer.status_code == 200, answer.text
        found += answer.json()
        path = answer.headers.get("Link", "").removeprefix("<").removesuffix('>; rel="next"')
    return found


# What a task tells


def test_blocked_since_is_when_it_became_blocked(work: Work) -> None:
    """Kept while only the reason or something else changes, gone with the state, new when it comes back."""
    task = work.add_task()
    path = f"/tasks/{task['id']}"

    blocked = work.done("PATCH", path, {"status": "Blocked", "blocking_reason": "Parts"})
    other = work.done("PATCH", path, {"blocking_reason": "Tools", "title": "New"})
    again = work.done("PATCH", path, {"status": "Blocked"})
    freed = work.done("PATCH", path, {"status": "Done"})
    back = work.done("PATCH", path, {"status": "Blocked", "blocking_reason": "Again"})
    born = work.add_task(status="Blocked", blocking_reason="Parts")

    assert task["blocked_since"] is None
    assert blocked["blocked_since"] == blocked["updated_at"]
    assert other["blocked_since"] == again["blocked_since"] == blocked["blocked_since"]
    assert freed["blocked_since"] is None
    assert back["blocked_since"] == back["updated_at"] > blocked["blocked_since"]
    assert born["blocked_since"] == born["created_at"]
    assert work.tasks("?sort=created") == [born, back]


def test_latest_update_is_shown_in_lists(work: Work) -> None:
    """The newest one, by its author's present name; what is deleted makes room for the one before."""
    ada, eve = work.add_member("Ada"), work.add_member("Eve")
    task = work.add_task()
    first, second = work.add_update(task, ada, 'One "quoted"'), work.add_update(task, eve, "Two")
    work.done("PATCH", f"/members/{eve['id']}", {"name": "Eva"})

    shown = {name: second[name] for name in ("id", "content", "created_at")} | {"author_name": "Eva"}
    assert work.tasks()[0]["latest_update"] == work.task(task)["latest_update"] == shown
    work.done("DELETE", f"/tasks/{task['id']}/updates/{second['id']}")
    shown = {name: first[name] for name in ("id", "content", "created_at", "author_name")}
    assert work.tasks()[0]["latest_update"] == shown
    assert work.tasks()[0]["daily_updates"] == []


def test_daily_update_moves_its_task(work: Work) -> None:
    """Added, really edited, deleted: the task is the newest then, and is announced; anything less does nothing."""
    ada = work.add_member()
    task, other = work.add_task(), work.add_task()
    times = [task["updated_at"]]
    with EventStream(work.sidecar) as stream:
        update = work.add_update(task, ada, "Done.")
        path = f"/tasks/{task['id']}/updates/{update['id']}"
        times.append(work.task(task)["updated_at"])
        work.done("PATCH", path, {"content": " Done. "})
        assert work.task(task)["updated_at"] == times[-1]
        work.done("PATCH", path, {"content": "Not done."})
        times.append(work.task(task)["updated_at"])
        work.done("DELETE", path)
        times.append(work.task(task)["updated_at"])
        told = {"resource": "task", "id": task["id"], "change": "updated"}
        stream.wait(lambda: stream.events.count(told) == 3, "three changes of the task")

    assert times == sorted(set(times))
    assert [each["id"] for each in work.tasks()] == [task["id"], other["id"]]


def test_inactive_members_get_no_work(work: Work) -> None:
    """Neither a task nor a daily update; what they have they keep, also when it is sent again."""
    ada, eve = work.add_member("Ada"), work.add_member("Eve")
    task, free = work.add_task(assignee_id=ada["id"]), work.add_task()
    update = work.add_update(task, ada)
    assert task["assignee_active"] is True
    retire(work, ada)
    body = {"title": "x", "status": "To Do", "priority": "Low", "assignee_id": ada["id"]}

    for answer in (
        work.call("POST", "/tasks", body),
        work.call("PATCH", f"/tasks/{free['id']}", {"assignee_id": ada["id"], "title": "New"}),
    ):
        assert_is_error(answer, 400, INACTIVE, "validation")
    for task_id in (task["id"], UNKNOWN_ID):
        answer = work.call("POST", f"/tasks/{task_id}/updates", {"author_id": ada["id"], "content": "x"})
        assert_is_error(answer, 400, "Author is inactive", "validation")
    kept = work.done("PATCH", f"/tasks/{task['id']}", {"assignee_id": ada["id"].upper(), "title": "New"})
    edited = work.done("PATCH", f"/tasks/{task['id']}/updates/{update['id']}", {"content": "Edited."})

    assert (kept["title"], kept["assignee_id"], kept["assignee_active"]) == ("New", ada["id"], False)
    assert edited["author_id"] == ada["id"]
    assert work.task(free) == free
    work.done("PATCH", f"/tasks/{task['id']}", {"assignee_id": eve["id"]})
    answer = work.call("PATCH", f"/tasks/{task['id']}", {"assignee_id": ada["id"]})
    assert_is_error(answer, 400, INACTIVE, "validation")


# Filters and counts


def filled(work: Work) -> list[dict[str, Any]]:
    """Tasks of every kind, in the order of creation."""
    ada, eve = work.add_member("Ada"), work.add_member("Eve")
    kinds = itertools.product(STATUSES, PRIORITIES, (None, ada["id"], eve["id"]))
    return [
        work.add_task(
            title=f"Task {number}",
            status=status,
            priority=priority,
            assignee_id=assignee,
            blocking_reason="Parts" if status == "Blocked" else None,
            gear_id=None if number % 3 else f"{number % 5:04}",
        )
        for number, (status, priority, assignee) in enumerate(kinds)
    ]


def counted(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """What the counts of these tasks should be."""
    return {
        "total": len(tasks),
        "status": {word: sum(task["status"] == word for task in tasks) for word in STATUSES},
        "priority": {word: sum(task["priority"] == word for task in tasks) for word in PRIORITIES},
        "unassigned": sum(task["assignee_id"] is None for task in tasks),
    }


def one_of(field: str, *values: object) -> Passes:
    """What a filter asks for."""
    return lambda task: task[field] in values


def test_filters_and_counts_agree(work: Work) -> None:
    """Repeated ones mean any of them, in whole and in pages; the counts are those of the list."""
    tasks = filled(work)
    somebody = next(task["assignee_id"] for task in tasks if task["assignee_id"])
    moment = tasks[20]["updated_at"]

    def later(task: dict[str, Any]) -> bool:
        return bool(task["updated_at"] >= moment)

    def named(task: dict[str, Any]) -> bool:
        return "Task 1" in task["title"]

    cases: list[tuple[str, list[Passes]]] = [
        ("", []),
        ("status=Done", [one_of("status", "Done")]),
        ("status=Done&status=To+Do&status=Done", [one_of("status", "Done", "To Do")]),
        ("&".join(f"status={quote(word)}" for word in STATUSES), []),
        ("priority=High&priority=Low", [one_of("priority", "High", "Low")]),
        (f"assignee=unassigned&assignee={somebody.upper()}", [one_of("assignee_id", None, somebody)]),
        (f"assignee={UNKNOWN_ID}&assignee=unassigned", [one_of("assignee_id", None)]),
        (
            f"assignee={somebody}&status=Done&status=Blocked&priority=Low&priority=High",
            [
                one_of("assignee_id", somebody),
                one_of("status", "Done", "Blocked"),
                one_of("priority", "Low", "High"),
            ],
        ),
        ("&".join(f"assignee={UNKNOWN_ID[:-2]}{number}" for number in range(10, 40)), [one_of("assignee_id")]),
        ("gear_id=0003", [one_of("gear_id", "0003")]),
        (
            "gear_id=0000&status=Done&status=Blocked",
            [one_of("gear_id", "0000"), one_of("status", "Done", "Blocked")],
        ),
        (f"updated_since={moment}", [later]),
        (f"updated_since={moment}&status=Done&status=Blocked", [later, one_of("status", "Done", "Blocked")]),
        ("search=TASK+1", [named]),
        ("search=task+1&status=To+Do&status=Done", [named, one_of("status", "To Do", "Done")]),
        ("search=nothing", [lambda _: False]),
    ]
    for query, filters in cases:
        expected = [task for task in tasks if all(passes(task) for passes in filters)]
        assert work.done("GET", f"/tasks/counts?{query}") == counted(expected), query
        for sort in ("created", "updated", "priority", "status"):
            listed = work.tasks(f"?{query}&sort={sort}")
            assert sorted(task["id"] for task in listed) == sorted(task["id"] for task in expected), query
            assert pages(work, f"/api/v1/tasks?{query}&sort={sort}&limit=5") == listed, (query, sort)


def test_counts_follow_every_change(work: Work) -> None:
    """By calls, in bulk, by somebody's own SQL, and after a deletion."""
    tasks = filled(work)
    work.done("PATCH", f"/tasks/{tasks[0]['id']}", {"status": "Done", "priority": "Low"})
    work.done("PATCH", f"/tasks/{tasks[1]['id']}", {"assignee_id": None})
    work.done("DELETE", f"/tasks/{tasks[2]['id']}")
    assert work.done("GET", "/tasks/counts") == counted(work.tasks())

    work.backend.database.execute("UPDATE tasks SET status = 'Done', status_rank = 3 WHERE priority = 'High'")
    work.backend.database.execute("DELETE FROM tasks WHERE status = 'In Progress'")
    found = work.tasks()
    assert found
    assert work.done("GET", "/tasks/counts") == counted(found)
    for name, value in (("sort", "created"), ("limit", "5"), ("cursor", "A" * 48)):
        answer = work.call("GET", f"/tasks/counts?{name}={value}")
        assert_is_error(answer, 400, f"query.{name}: Unknown parameter", "validation")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("gear_id=12", "GEAR ID must be exactly 4 digits"),
        ("gear_id=", "GEAR ID must be exactly 4 digits"),
        ("status=Done&status=done", "query.status: Input should be 'To Do', 'In Progress', 'Blocked' or 'Done'"),
        ("priority=", "query.priority: Input should be 'High', 'Medium' or 'Low'"),
        ("assignee=unassigned&assignee=me", "Assignee filter must be a UUID or 'unassigned'"),
        ("updated_since=", f"query.updated_since: {NO_INSTANT}"),
        ("updated_since=2026-11-29", f"query.updated_since: {NO_INSTANT}"),
        ("updated_since=2026-11-29T08:00:00", f"query.updated_since: {NO_INSTANT}"),
        ("updated_since=2026-13-01T00:00:00Z", f"query.updated_since: {NO_INSTANT}"),
        ("updated_since=0001-01-01T00:00:00%2B14:00", f"query.updated_since: {NO_INSTANT}"),
    ],
)
def test_rules_of_the_filters(work: Work, query: str, sentence: str) -> None:
    """Each breach is told, by the list and by the counts."""
    for path in ("/tasks", "/tasks/counts"):
        assert_is_error(work.call("GET", f"{path}?{query}"), 400, sentence, "validation")


DOUBLED = {"tasks": "sort=created&sort=created", "updates": "limit=5&limit=6", "audit": "limit=5&limit=5"}


@pytest.mark.parametrize(
    "path",
    [
        *("members", "tasks", "tasks/counts", "updates", "audit", "usage", "servers", "cameras", "alert-rules"),
        *("tenants", "settings/ai-keys", "status", f"tasks/{UNKNOWN_ID}"),
    ],
)
def test_unknown_parameters_are_refused(work: Work, path: str) -> None:
    """A filter that is silently ignored misleads: a word misspelt, one doubled, a name of no filter."""
    assert (work.call("GET", f"/{path}").status_code == 200) is (UNKNOWN_ID not in path)
    queries = ["statsu=Done", "=x", "id=1", "a%0Ab=1", "x" * 100 + "=1", *([DOUBLED[path]] if path in DOUBLED else [])]
    for query in queries:
        name = query.split("=")[0]
        told = f"query.{name}" if name.isidentifier() and len(name) <= 40 else "query"
        answer = work.call("GET", f"/{path}?{query}")
        assert_is_error(answer, 400, f"{told}: Unknown parameter", "validation")


# Daily updates across tasks


def test_updates_across_tasks(work: Work) -> None:
    """Newest first, in pages without gaps, by author, task and time; both instants are included."""
    ada, eve = work.add_member("Ada"), work.add_member("Eve")
    tasks = [work.add_task(title=f'Task {number} "q"', status="In Progress") for number in range(3)]
    updates = [
        work.add_update(task, author, f"{number}")
        for number, (task, author) in enumerate(itertools.product(tasks, (ada, eve, ada)))
    ]
    titles = {task["id"]: task["title"] for task in tasks}
    expected = [
        update | {"task_title": titles[update["task_id"]], "task_status": "In Progress"} for update in updates[::-1]
    ]
    times = [update["created_at"] for update in updates]

    cases: list[tuple[str, Passes]] = [
        ("", lambda _: True),
        (f"author={eve['id'].upper()}", one_of("author_id", eve["id"])),
        (f"task={tasks[1]['id']}", one_of("task_id", tasks[1]["id"])),
        (f"task={UNKNOWN_ID}", lambda _: False),
        (f"since={times[4]}", lambda update: update["created_at"] >= times[4]),
        (f"until={times[4]}", lambda update: update["created_at"] <= times[4]),
        (
            f"author={ada['id']}&since={times[2]}&until={times[6]}",
            lambda update: update["author_id"] == ada["id"] and times[2] <= update["created_at"] <= times[6],
        ),
    ]
    for query, passes in cases:
        wanted = [update for update in expected if passes(update)]
        assert work.done("GET", f"/updates?{query}") == wanted, query
        for limit in (1, 2, 9):
            assert pages(work, f"/api/v1/updates?{query}&limit={limit}") == wanted, (query, limit)
    work.backend.database.execute(f"UPDATE daily_updates SET created_at = '{times[0]}'")
    found = pages(work, "/api/v1/updates?limit=4")
    assert [update["id"] for update in found] == sorted(update["id"] for update in updates)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("author=ada", "query.author: Input should be a valid UUID"),
        ("task=1", "query.task: Input should be a valid UUID"),
        ("since=1", f"query.since: {NO_INSTANT}"),
        ("until=1", f"query.until: {NO_INSTANT}"),
        ("limit=0", "query.limit: Input should be greater than or equal to 1"),
        ("limit=501", "query.limit: Input should be less than or equal to 500"),
        ("cursor=x", "query.cursor: Input should be a cursor from a Link header"),
    ],
)
def test_rules_of_the_list_of_updates(work: Work, query: str, sentence: str) -> None:
    """Each breach is told; whatever looks like a cursor is one, also far from any time."""
    assert_is_error(work.call("GET", f"/updates?{query}"), 400, sentence, "validation")
    for cursor in ("A" * 32, "_" * 32, "f" + "_" * 31):
        assert work.done("GET", f"/updates?cursor={cursor}") == []
    assert work.done("GET", "/updates?since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z") == []


# Members and their work


def test_members_tell_of_their_work(work: Work) -> None:
    """Open tasks are those not done; the newest update counts, edited or not; `active` filters."""
    ada, eve, bob = (work.add_member(name) for name in ("Ada", "Eve", "Bob"))
    tasks = [work.add_task(assignee_id=ada["id"], status=status) for status in ("To Do", "In Progress", "Done")]
    work.add_task(assignee_id=ada["id"], status="Blocked", blocking_reason="Parts")
    work.add_task(assignee_id=eve["id"], status="Done")
    work.add_update(tasks[0], ada, "Old")
    newest = work.add_update(tasks[1], ada, "New")
    work.done("PATCH", f"/tasks/{tasks[1]['id']}/updates/{newest['id']}", {"content": "Newer"})
    retire(work, bob)

    listed = work.done("GET", "/members")

    assert listed == [
        ada | {"open_tasks": 3, "last_update_at": newest["created_at"]},
        bob | {"active": False, "open_tasks": 0, "last_update_at": None},
        eve | {"open_tasks": 0, "last_update_at": None},
    ]
    assert work.done("GET", "/members?active=true") == [listed[0], listed[2]]
    assert work.done("GET", "/members?active=false") == [listed[1]]
    answer = work.call("GET", "/members?active=yes")
    assert_is_error(answer, 400, "query.active: Input should be 'true' or 'false'", "validation")


def test_reassigning_moves_open_tasks(work: Work) -> None:
    """All of them and no others, each with one event; what is done stays whose it was."""
    ada, eve = work.add_member("Ada"), work.add_member("Eve")
    done = work.add_task(assignee_id=ada["id"], status="Done")
    foreign = work.add_task(assignee_id=eve["id"])
    mine = [work.add_task(assignee_id=ada["id"]) for _ in range(3)]
    retire(work, ada)
    with EventStream(work.sidecar) as stream:
        assert work.done("POST", f"/members/{ada['id'].upper()}/reassign", {"to": eve["id"]}) == {"moved": 3}
        assert work.done("POST", f"/members/{ada['id']}/reassign", {"to": eve["id"]}) == {"moved": 0}
        assert work.done("POST", f"/members/{eve['id']}/reassign", {"to": None}) == {"moved": 4}
        stream.wait(lambda: len(stream.events) >= 7, "an event for each")
        told = [event["id"] for event in stream.events]

    assert sorted(told[:3]) == sorted(task["id"] for task in mine)
    assert sorted(told[3:]) == sorted(task["id"] for task in [*mine, foreign])
    now = {task["id"]: task for task in work.tasks()}
    assert now[done["id"]] == done | {"assignee_active": False}
    for task in [*mine, foreign]:
        changed = now[task["id"]]
        assert changed["updated_at"] > task["updated_at"]
        unassigned = {"assignee_id": None, "assignee_name": None, "assignee_active": None}
        assert changed == task | unassigned | {"updated_at": changed["updated_at"]}
    assert work.done("GET", "/tasks/counts") == counted(list(now.values()))


def test_rules_of_reassigning(work: Work) -> None:
    """Whom the work goes to is checked before whose it is; nothing moves."""
    ada, eve = work.add_member("Ada"), work.add_member("Eve")
    task = work.add_task(assignee_id=ada["id"])
    retire(work, eve)

    for member, body, status, sentence, code in (
        (ada["id"], {}, 400, "to: Field required", "validation"),
        (ada["id"], {"to": "eve"}, 400, "to: Input should be a valid UUID", "validation"),
        (ada["id"], {"to": ada["id"]}, 400, "to: Input should be another member", "validation"),
        (ada["id"], {"to": UNKNOWN_ID}, 400, "Assignee not found", "validation"),
        (ada["id"], {"to": eve["id"]}, 400, INACTIVE, "validation"),
        (UNKNOWN_ID[:-1] + "1", {"to": eve["id"]}, 400, INACTIVE, "validation"),
        (UNKNOWN_ID, {"to": None}, 404, "Member not found", "not-found"),
        ("1", {"to": None}, 400, "path.id: Input should be a valid UUID", "validation"),
    ):
        assert_is_error(work.call("POST", f"/members/{member}/reassign", body), status, sentence, code)
    assert work.task(task) == task


def test_reassigning_to_and_fro_at_once(work: Work) -> None:
    """Each call is whole: no task is lost, counted twice, or stuck."""
    ada, eve = work.add_member("Ada"), work.add_member("Eve")
    for _ in range(8):
        work.add_task(assignee_id=ada["id"])
        work.add_task(assignee_id=eve["id"])
    there = partial(work.call, "POST", f"/members/{ada['id']}/reassign", {"to": eve["id"]})
    back = partial(work.call, "POST", f"/members/{eve['id']}/reassign", {"to": ada["id"]})

    answers = race([there, back] * 4)

    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    open_tasks = [member["open_tasks"] for member in work.done("GET", "/members")]
    assert sum(open_tasks) == 16
    assert work.done("GET", "/tasks/counts") == counted(work.tasks())


def test_member_retired_while_tasks_are_given(work: Work) -> None:
    """Whatever comes first: nobody gets a task after they were told to be inactive."""
    for _ in range(5):
        ada = work.add_member()
        body = {"title": "x", "status": "To Do", "priority": "Low", "assignee_id": ada["id"]}
        *given, retired = race(
            [
                *[partial(work.call, "POST", "/tasks", body)] * 3,
                partial(work.call, "PATCH", f"/members/{ada['id']}", {"active": False}),
            ]
        )
        assert retired.status_code == 200
        assert {answer.status_code for answer in given} <= {201, 400}
        assert_is_error(work.call("POST", "/tasks", body), 400, INACTIVE, "validation")
