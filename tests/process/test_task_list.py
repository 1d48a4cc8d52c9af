"""The list of tasks: filters, search, orders and pages, on both databases, beside a plain reckoning of the same."""

from __future__ import annotations

import itertools
import random
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from tests.support.work import UNKNOWN_ID, Work, assert_is_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Backend

STATUSES = ["To Do", "In Progress", "Blocked", "Done"]
PRIORITIES = ["High", "Medium", "Low"]
SORTS = ["updated", "created", "priority", "status"]
ASSIGNEE_SENTENCE = "Assignee filter must be a UUID or 'unassigned'"


@pytest.fixture
def work(any_backend: Backend) -> Work:
    """The team's work on each database, without any of it."""
    return Work(any_backend)


def fill(work: Work, count: int = 40) -> list[dict[str, Any]]:
    """Add tasks of every kind, change some, and return all of them as they are now."""
    dice = random.Random(5)
    members: list[str | None] = [work.add_member(name)["id"] for name in ("Ada", "Eve")]
    created = [
        work.add_task(
            title=f"Task {number}",
            status=dice.choice(STATUSES),
            priority=dice.choice(PRIORITIES),
            assignee_id=dice.choice([*members, None]),
            blocking_reason="Why not",
        )
        for number in range(count)
    ]
    for task in dice.sample(created, count // 3):
        work.add_sub_task(task)
    return [work.task(task) for task in created]


def moment(timestamp: str) -> int:
    """Digits of a timestamp as a number."""
    return int(re.sub(r"\D", "", timestamp))


ORDERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "updated": lambda task: -moment(task["updated_at"]),
    "created": lambda task: -moment(task["created_at"]),
    "priority": lambda task: PRIORITIES.index(task["priority"]),
    "status": lambda task: STATUSES.index(task["status"]),
}


def ordered(tasks: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    """What the order has to be; ties newest first, then by id."""
    return sorted(tasks, key=lambda task: (ORDERS[sort](task), -moment(task["created_at"]), task["id"]))


def pages(work: Work, query: str) -> list[list[dict[str, Any]]]:
    """Follow the links from page to page."""
    found, path = [], f"/api/v1/tasks?{query}"
    while True:
        answer = work.sidecar.request("GET", path)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        if "Link" not in answer.headers:
            return found
        link = re.fullmatch(r'<(/api/v1/tasks\?[\x21-\x7e]+)>; rel="next"', answer.headers["Link"])
        assert link, answer.headers["Link"]
        path = link[1]


# Orders


def test_orders(work: Work) -> None:
    """By what is named, then newest first; `updated` unless told otherwise."""
    tasks = fill(work)

    for sort in SORTS:
        assert work.tasks(f"?sort={sort}") == ordered(tasks, sort), sort
    assert work.tasks() == ordered(tasks, "updated")


def test_ties_are_ordered_by_id(work: Work) -> None:
    """Tasks of one moment, with and without pages."""
    tasks = [work.add_task() for _ in range(7)]
    first = tasks[0]
    columns = "created_at, created_order, updated_at, updated_order"
    assignments = ", ".join(
        f"{name} = (SELECT t.{name} FROM tasks t WHERE t.id = '{first['id']}')" for name in columns.split(", ")
    )
    work.backend.database.execute(f"UPDATE tasks SET {assignments}")
    expected = sorted(task["id"] for task in tasks)

    for sort in SORTS:
        assert [task["id"] for task in work.tasks(f"?sort={sort}")] == expected
        found = pages(work, f"sort={sort}&limit=2")
        assert [task["id"] for page in found for task in page] == expected


def test_changed_task_moves_to_the_front(work: Work) -> None:
    """Also by a change of a sub-task; its place by creation stays."""
    first, second, third = (work.add_task(title=str(number)) for number in range(3))

    work.done("PATCH", f"/tasks/{first['id']}", {"priority": "Low"})
    work.add_sub_task(second)

    assert [task["title"] for task in work.tasks()] == ["1", "0", "2"]
    assert [task["title"] for task in work.tasks("?sort=created")] == ["2", "1", "0"]
    assert third["id"] == work.tasks()[-1]["id"]


# Filters


def test_filters_are_anded(work: Work) -> None:
    """Every combination, in every order."""
    tasks = fill(work)
    ada = next(task["assignee_id"] for task in tasks if task["assignee_name"] == "Ada")

    for status, priority, assignee, sort in itertools.product(
        [None, "Blocked", "Done"], [None, "High"], [None, "unassigned", ada.upper()], SORTS
    ):
        wanted = {"status": status, "priority": priority, "assignee": assignee, "sort": sort}
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        expected = [
            task
            for task in tasks
            if (status is None or task["status"] == status)
            and (priority is None or task["priority"] == priority)
            and (assignee is None or (task["assignee_id"] or "unassigned") == assignee.lower())
        ]
        assert work.tasks(f"?{query}") == ordered(expected, sort), query
        paged = pages(work, f"{query}&limit=3&search=task")
        assert [task for page in paged for task in page] == ordered(expected, sort), query


def test_member_without_tasks_and_unknown_member(work: Work) -> None:
    """Filters by what is not there find nothing."""
    work.add_task()

    assert work.tasks(f"?assignee={work.add_member()['id']}") == []
    assert work.tasks(f"?assignee={UNKNOWN_ID}") == []
    assert work.tasks("?status=Done") == []


@pytest.mark.rules
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("status=done", "query.status: Input should be 'To Do', 'In Progress', 'Blocked' or 'Done'"),
        ("status=", "query.status: Input should be 'To Do', 'In Progress', 'Blocked' or 'Done'"),
        ("priority=high", "query.priority: Input should be 'High', 'Medium' or 'Low'"),
        ("assignee=ada", ASSIGNEE_SENTENCE),
        ("assignee=", ASSIGNEE_SENTENCE),
        ("assignee=Unassigned", ASSIGNEE_SENTENCE),
        (f"assignee={UNKNOWN_ID.replace('-', '')}", ASSIGNEE_SENTENCE),
        ("search=%00", "query.search: Input should not contain NUL characters"),
        ("sort=title", "query.sort: Input should be 'updated', 'created', 'priority' or 'status'"),
        ("limit=0", "query.limit: Input should be greater than or equal to 1"),
        ("limit=501", "query.limit: Input should be less than or equal to 500"),
        ("limit=x", "query.limit: Input should be a valid integer"),
        ("limit=", "query.limit: Input should be a valid integer"),
        ("cursor=", "query.cursor: Input should be a cursor from a Link header"),
        (f"cursor={'A' * 47}", "query.cursor: Input should be a cursor from a Link header"),
        (f"cursor={'A' * 47}!", "query.cursor: Input should be a cursor from a Link header"),
        (f"cursor={'A' * 47}%3D", "query.cursor: Input should be a cursor from a Link header"),
        ("cursor=x&limit=0&assignee=x&priority=x", "query.priority: Input should be 'High', 'Medium' or 'Low'"),
        ("cursor=x&limit=0&assignee=x", ASSIGNEE_SENTENCE),
    ],
)
def test_rules_of_the_query(work: Work, query: str, sentence: str) -> None:
    """The first broken one is told, and nothing that was sent is repeated."""
    assert_is_error(work.call("GET", f"/tasks?{query}"), 400, sentence, "validation")


# Search

HAYSTACK: list[dict[str, Any]] = [
    {"title": "Straße nach Ürümqi"},
    {"title": "100% done", "description": "under_score and back\\slash"},
    {"title": "100 percent", "description": "a\nline break, a \"quote\" and 'another'"},
    {"title": "İstanbul", "description": "ΣΊΣΥΦΟΣ ﬁnds 日本語"},
    {"title": "ab", "description": "cd", "gear_id": "0420"},
    {"title": "x😀y", "description": None, "gear_id": "9999"},
    {"title": "AND OR NOT near(a, b)", "description": 'NONE ANY * - ^ : " ;'},
    {"title": "tail", "description": "ends with zq"},
    {"title": "Q", "description": ""},
]
NEEDLES = [
    *("straße", "STRASSE", "strasse", "SSE", "ß", "ss", "ürümqi", "ÜRÜMQI", "urumqi", "%", "0%", "100", "_", "r_s"),
    *("\\", "k\\s", "\n", "a\nl", '"', "'", '"quote"', "i̇stanbul", "istanbul", "σίσυφος", "ς", "ﬁ", "fi", "finds"),
    *("日", "日本", "日本語", "本語", "語 ", "abcd", "abc", "bc", "0420", "042", "9999", "😀", "x😀y", "😀y"),
    *("AND", "OR", "near(", "none", "ANY", "*", "-", "^", ":", ";", "zq", "q", "z", "aa", "AA", "A", "nothing at all"),
    *(
        "tail",
        "l ends",
        "lends",
        "  strasse\t",
        "st  rasse",
        "\u0301",
        "a\u0301",
        "..",
        "%%",
        "[a-z]",
        "(?i)",
        "",
        "  ",
    ),
]


@pytest.mark.parametrize("limit", ["", "&limit=3"])
def test_search_finds_case_folded_text_in_three_fields(work: Work, limit: str) -> None:
    """Whatever its length and its characters, none of which has a special meaning; never across two fields."""
    tasks = [work.add_task(**fields) for fields in HAYSTACK]

    for needle in NEEDLES:
        wanted = needle.strip().casefold()
        expected = [
            task["title"]
            for task in tasks[::-1]
            if any(wanted in (task[field] or "").casefold() for field in ("title", "description", "gear_id"))
        ]
        found = pages(work, f"search={quote(needle)}{limit}")
        assert [task["title"] for page in found for task in page] == expected, repr(needle)


def test_search_follows_every_change(work: Work) -> None:
    """What was there is found no more, what is there now is; nothing else of a task is searched."""
    ada = work.add_member("Needle")
    task = work.add_task(title="Old words", description="more of it", gear_id="1234", assignee_id=ada["id"])
    work.add_sub_task(task, "needle")
    work.add_update(task, ada, "needle")
    path = f"/tasks/{task['id']}"

    assert work.tasks("?search=needle") == []
    for change, gone, found in (
        ({"title": "New letters"}, "old", "letters"),
        ({"description": "less"}, "more", "less"),
        ({"description": None}, "less", "new"),
        ({"gear_id": "4321"}, "1234", "4321"),
        ({"gear_id": None}, "4321", "new"),
        ({"status": "Blocked", "blocking_reason": "needle"}, "needle", "new"),
    ):
        work.done("PATCH", path, change)
        for limit in ("", "&limit=5"):
            assert work.tasks(f"?search={gone}{limit}") == [], change
            assert [task["id"] for task in work.tasks(f"?search={found}{limit}")] == [task["id"]], change


def test_search_for_something_very_long(work: Work) -> None:
    """Longer than any text: it is found nowhere."""
    work.add_task(description="x" * 2000)

    assert work.tasks(f"?search={'x' * 5000}") == []
    assert len(work.tasks(f"?search={'x' * 2000}")) == 1


# Pages


def test_pages_are_the_list_in_pieces(work: Work) -> None:
    """Full ones, and the last without a link, in every order."""
    filled = fill(work)

    for sort, limit in itertools.product(SORTS, [1, 7, 13, 39, 40, 41, 500]):
        tasks = ordered(filled, sort)
        pieces = [tasks[start : start + limit] for start in range(0, len(tasks), limit)]
        assert pages(work, f"sort={sort}&limit={limit}") == pieces, (sort, limit)


def test_link_keeps_the_query(work: Work) -> None:
    """Every parameter, whatever its characters."""
    for number in range(3):
        work.add_task(title=f"Größe & <größer> {number}", status="In Progress", priority="High")
    sent = {"status": "In Progress", "priority": "High", "assignee": "unassigned", "search": " & <GRÖSSER>"}
    query = urlencode({**sent, "sort": "created", "limit": "2"})

    answer = work.call("GET", f"/tasks?{query}")

    link = answer.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
    kept = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert re.fullmatch("[A-Za-z0-9_-]{48}", kept.pop("cursor"))
    assert kept == {**sent, "sort": "created", "limit": "2"}
    assert len(work.sidecar.request("GET", link).json()) == 1


def test_cursor_outlives_its_task_and_fits_every_order(work: Work) -> None:
    """It is a place rather than a task; without a limit everything behind it is answered."""
    tasks = fill(work, 12)
    link = work.call("GET", "/tasks?limit=4").headers["Link"]
    cursor = re.search(r"cursor=([\w-]+)", link)
    assert cursor
    behind = ordered(tasks, "updated")
    last = behind[3]
    work.done("DELETE", f"/tasks/{last['id']}")

    assert work.tasks(f"?cursor={cursor[1]}") == behind[4:]
    for sort in SORTS:
        everything = ordered(tasks, sort)
        assert work.tasks(f"?sort={sort}&cursor={cursor[1]}") == everything[everything.index(last) + 1 :]
    assert work.tasks(f"?cursor={'A' * 48}") == []
    assert work.tasks(f"?cursor={'_' * 48}") == []


def test_page_turns_while_tasks_come_and_go(work: Work) -> None:
    """What was there all the time is seen exactly once, whatever happens around it."""
    kept = [work.add_task(title=f"kept {number}") for number in range(30)]
    doomed = [work.add_task(title="doomed") for _ in range(10)]

    with ThreadPoolExecutor(1) as pool:
        turmoil = pool.submit(
            lambda: [(work.add_task(title="late"), work.done("DELETE", f"/tasks/{task['id']}")) for task in doomed]
        )
        found = pages(work, "sort=created&limit=3")
        turmoil.result(30)

    seen = [task["id"] for page in found for task in page if task["title"].startswith("kept")]
    assert seen == [task["id"] for task in kept[::-1]]
