"""Sub-tasks: every line of what the resource promises, on both databases."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.work import CHANGED_MEANWHILE, UNKNOWN_ID, Work, assert_is_error, race

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.databases import Backend

TASK_NOT_FOUND = "Task not found"
NOT_FOUND = "Sub-task not found"
ENOUGH = "Maximum of 20 sub-tasks per task"
NOT_EACH_ONCE = "sub_task_ids: Input should name each sub-task of the task exactly once"
ROUNDS = 50


@pytest.fixture
def work(any_backend: Backend) -> Work:
    """The team's work on each database, without any of it."""
    return Work(any_backend)


@pytest.fixture
def task(work: Work) -> dict[str, Any]:
    """A task without sub-tasks."""
    return work.add_task()


def path_of(sub_task: dict[str, Any]) -> str:
    """Where one is changed."""
    return f"/tasks/{sub_task['task_id']}/subtasks/{sub_task['id']}"


def titles(work: Work, task: dict[str, Any]) -> list[str]:
    """The titles in their order; the positions have to be what they promise."""
    sub_tasks = work.task(task)["sub_tasks"]
    assert [sub_task["position"] for sub_task in sub_tasks] == list(range(len(sub_tasks)))
    return [sub_task["title"] for sub_task in sub_tasks]


def test_created_sub_task_goes_to_the_end(work: Work, task: dict[str, Any]) -> None:
    """Exactly the promised fields, not completed, and the task moves."""
    created = [work.add_sub_task(task, f"  Step {number} ") for number in range(3)]

    assert set(created[0]) == {"id", "task_id", "title", "completed", "position", "created_at"}
    assert [(one["title"], one["completed"], one["position"]) for one in created] == [
        ("Step 0", False, 0),
        ("Step 1", False, 1),
        ("Step 2", False, 2),
    ]
    assert {one["task_id"] for one in created} == {task["id"]}
    found = work.task(task)
    assert found["sub_tasks"] == created
    assert found["updated_at"] > task["updated_at"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "title: Field required"),
        ({"title": None}, "title: field cannot be null"),
        ({"title": " "}, "title: field cannot be blank"),
        ({"title": "x" * 201}, "title: String should have at most 200 characters"),
        ({"title": 1}, "title: Input should be a valid string"),
    ],
)
def test_rules_of_the_title(work: Work, task: dict[str, Any], body: dict[str, Any], sentence: str) -> None:
    """When adding and when renaming, and before anything is looked up."""
    sub_task = work.add_sub_task(task)

    for method, path in (
        ("POST", f"/tasks/{task['id']}/subtasks"),
        ("POST", f"/tasks/{UNKNOWN_ID}/subtasks"),
        ("PATCH", path_of(sub_task)),
        ("PATCH", f"/tasks/{UNKNOWN_ID}/subtasks/{UNKNOWN_ID}"),
    ):
        assert_is_error(work.call(method, path, body), 400, sentence, "validation")
    assert titles(work, task) == ["Step"]


def test_a_task_has_at_most_twenty(work: Work, task: dict[str, Any]) -> None:
    """The next one is refused until one goes."""
    created = [work.add_sub_task(task, str(number)) for number in range(20)]
    path = f"/tasks/{task['id']}/subtasks"
    before = work.task(task)

    assert_is_error(work.call("POST", path, {"title": "x"}), 400, ENOUGH, "validation")
    assert work.task(task) == before
    work.done("DELETE", path_of(created[4]))
    assert work.add_sub_task(task, "20")["position"] == 19
    assert titles(work, task) == [str(number) for number in range(21) if number != 4]


def test_renamed_sub_task(work: Work, task: dict[str, Any]) -> None:
    """The task moves, unless the title is the same."""
    sub_task = work.add_sub_task(task)
    before = work.task(task)

    same = work.done("PATCH", path_of(sub_task), {"title": " Step ", "completed": True, "position": 7})
    assert same == sub_task
    assert work.task(task) == before
    renamed = work.done("PATCH", path_of(sub_task), {"title": "New"})

    assert renamed == sub_task | {"title": "New"}
    assert work.task(task)["sub_tasks"] == [renamed]
    assert work.task(task)["updated_at"] > before["updated_at"]


@pytest.mark.parametrize("content", [None, b"", b"not json", b'{"completed": false}', b"[1]"])
def test_toggle_ignores_its_body(work: Work, task: dict[str, Any], content: bytes | None) -> None:
    """Whatever it is, each call turns the tick over, and moves the task."""
    sub_task = work.add_sub_task(task)
    path = f"/api/v1{path_of(sub_task)}/toggle"

    for completed in (True, False):
        before = work.task(task)
        answer = work.sidecar.request("PATCH", path, content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()) == (200, sub_task | {"completed": completed})
        assert work.task(task)["updated_at"] > before["updated_at"]


def test_reordered_sub_tasks(work: Work, task: dict[str, Any]) -> None:
    """The answer is all of them in their new order; the order they have moves nothing."""
    created = [work.add_sub_task(task, str(number)) for number in range(5)]
    path = f"/tasks/{task['id']}/subtasks/reorder"
    wanted = [created[number] for number in (4, 0, 3, 2, 1)]
    before = work.task(task)

    same = work.done("PUT", path, {"sub_task_ids": [one["id"] for one in created]})
    assert same == created
    assert work.task(task) == before
    answer = work.done("PUT", path, {"sub_task_ids": [one["id"].upper() for one in wanted]})

    assert answer == [one | {"position": position} for position, one in enumerate(wanted)]
    assert titles(work, task) == ["4", "0", "3", "2", "1"]
    assert work.task(task)["updated_at"] > before["updated_at"]


def test_order_has_to_name_each_exactly_once(work: Work, task: dict[str, Any]) -> None:
    """Not fewer, not more, none twice, none of another task; of none there is nothing to name."""
    first, second = (work.add_sub_task(task, str(number))["id"] for number in range(2))
    foreign = work.add_sub_task(work.add_task())["id"]
    path = f"/tasks/{task['id']}/subtasks/reorder"

    for ids in ([], [first], [first, first], [first, second, second], [first, foreign], [first, second, UNKNOWN_ID]):
        assert_is_error(work.call("PUT", path, {"sub_task_ids": ids}), 400, NOT_EACH_ONCE, "validation")
    for body, sentence in (
        ({}, "sub_task_ids: Field required"),
        ({"sub_task_ids": None}, "sub_task_ids: field cannot be null"),
        ({"sub_task_ids": first}, "sub_task_ids: Input should be a valid list"),
        ({"sub_task_ids": [first, 1]}, "sub_task_ids: Input should be a valid UUID"),
    ):
        assert_is_error(work.call("PUT", path, body), 400, sentence, "validation")
    assert titles(work, task) == ["0", "1"]
    assert work.done("PUT", f"/tasks/{work.add_task()['id']}/subtasks/reorder", {"sub_task_ids": []}) == []


@pytest.mark.parametrize("which", [0, 2, 4])
def test_those_behind_a_deleted_one_close_up(work: Work, task: dict[str, Any], which: int) -> None:
    """204 without a body; the order stays, and the task moves."""
    created = [work.add_sub_task(task, str(number)) for number in range(5)]
    before = work.task(task)

    answer = work.call("DELETE", path_of(created[which]))

    assert (answer.status_code, answer.content) == (204, b"")
    assert titles(work, task) == [str(number) for number in range(5) if number != which]
    assert work.task(task)["updated_at"] > before["updated_at"]
    assert_is_error(work.call("DELETE", path_of(created[which])), 404, NOT_FOUND, "not-found")


def test_unknown_task_is_told_before_an_unknown_sub_task(work: Work, task: dict[str, Any]) -> None:
    """Also a sub-task of another task is unknown."""
    sub_task = work.add_sub_task(task)
    other = work.add_task()

    for task_id, sub_task_id, sentence in (
        (UNKNOWN_ID, sub_task["id"], TASK_NOT_FOUND),
        (other["id"], sub_task["id"], NOT_FOUND),
        (task["id"], UNKNOWN_ID, NOT_FOUND),
    ):
        path = f"/tasks/{task_id}/subtasks/{sub_task_id}"
        for method, wanted, body in (("PATCH", path, {"title": "x"}), ("PATCH", f"{path}/toggle", None)):
            assert_is_error(work.call(method, wanted, body, '"x"'), 404, sentence, "not-found")
        assert_is_error(work.call("DELETE", path), 404, sentence, "not-found")
    path = f"/tasks/{UNKNOWN_ID}/subtasks"
    assert_is_error(work.call("POST", path, {"title": "x"}), 404, TASK_NOT_FOUND, "not-found")
    assert_is_error(work.call("PUT", f"{path}/reorder", {"sub_task_ids": []}), 404, TASK_NOT_FOUND, "not-found")
    assert work.task(task)["sub_tasks"] == [sub_task]


def test_what_is_no_identifier(work: Work, task: dict[str, Any]) -> None:
    """400, the task's first."""
    for path, name in ((f"/tasks/1/subtasks/{UNKNOWN_ID}", "task_id"), (f"/tasks/{task['id']}/subtasks/1", "sid")):
        answer = work.call("PATCH", path, {"title": ""})
        assert_is_error(answer, 400, f"path.{name}: Input should be a valid UUID", "validation")


def test_versions_of_sub_tasks(work: Work, task: dict[str, Any]) -> None:
    """ETag on each answer of one; If-Match wherever one is changed or deleted."""
    created = work.call("POST", f"/tasks/{task['id']}/subtasks", {"title": "Step"})
    path, old = path_of(created.json()), created.headers["ETag"]
    assert work.call("PATCH", path, {"title": "Step"}, old).headers["ETag"] == old
    toggled = work.call("PATCH", f"{path}/toggle", if_match=old)
    assert toggled.status_code == 200
    assert toggled.headers["ETag"] != old

    for method, changed, body in (
        ("PATCH", path, {"title": "New"}),
        ("PATCH", f"{path}/toggle", None),
        ("DELETE", path, None),
    ):
        assert_is_error(work.call(method, changed, body, old), 412, CHANGED_MEANWHILE, "precondition-failed")
    assert work.task(task)["sub_tasks"] == [toggled.json()]
    assert work.call("DELETE", path, if_match=toggled.headers["ETag"]).status_code == 204


# Many at once


def test_of_twenty_five_concurrent_creations_twenty_succeed(work: Work, task: dict[str, Any]) -> None:
    """With positions 0 to 19, and the others are told why."""
    path = f"/tasks/{task['id']}/subtasks"

    answers = race([partial(work.call, "POST", path, {"title": str(number)}) for number in range(25)])

    assert sorted(answer.status_code for answer in answers) == [201] * 20 + [400] * 5
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {ENOUGH}
    created = [answer.json() for answer in answers if answer.status_code == 201]
    assert sorted(one["position"] for one in created) == list(range(20))
    assert work.task(task)["sub_tasks"] == sorted(created, key=lambda one: one["position"])


def test_concurrent_toggles_are_all_done(work: Work, task: dict[str, Any]) -> None:
    """None is lost: an odd number of them ticks."""
    sub_task = work.add_sub_task(task)

    answers = race([partial(work.call, "PATCH", f"{path_of(sub_task)}/toggle")] * 7)

    assert sorted(answer.json()["completed"] for answer in answers) == [False] * 3 + [True] * 4
    assert work.task(task)["sub_tasks"][0]["completed"] is True


def test_positions_survive_everything_at_once(work: Work, task: dict[str, Any]) -> None:
    """Reordered, deleted and added in parallel, round after round: 0 to n-1, each answer sound."""
    dice = random.Random(6)
    for number in range(8):
        work.add_sub_task(task, f"first {number}")
    path = f"/tasks/{task['id']}/subtasks"
    reordered = 0
    for number in range(ROUNDS):
        ids = [one["id"] for one in work.task(task)["sub_tasks"]]
        orders = [dice.sample(ids, len(ids)) for _ in range(2)]
        doomed = dice.sample(ids, 2)
        actions: list[Callable[[], httpx.Response]] = [
            *(partial(work.call, "PUT", f"{path}/reorder", {"sub_task_ids": order}) for order in orders),
            *(partial(work.call, "DELETE", f"{path}/{one}") for one in doomed[: dice.randint(1, 2)]),
            *(partial(work.call, "POST", path, {"title": f"{number}"}) for _ in range(dice.randint(1, 3))),
            partial(work.call, "PATCH", f"{path}/{dice.choice(ids)}/toggle"),
        ]
        dice.shuffle(actions)

        answers = race(actions)

        assert {answer.status_code for answer in answers} <= {200, 201, 204, 400, 404}
        errors = {answer.json()["error"] for answer in answers if answer.status_code >= 400}
        assert errors <= {NOT_EACH_ONCE, NOT_FOUND, ENOUGH}
        for answer in answers:
            if answer.status_code == 200 and isinstance(answer.json(), list):
                reordered += 1
                assert [one["position"] for one in answer.json()] == list(range(len(answer.json())))
        found = titles(work, task)
        while len(found) < 5:
            work.add_sub_task(task)
            found.append("")
    assert reordered
