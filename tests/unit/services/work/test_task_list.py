"""How the list of tasks is read: how many statements, by which indexes, and every way of a search to the same page."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from app.schemas.tasks import TaskCreate
from app.services.work import task_list
from app.services.work.task_list import Place, TaskQuery
from app.services.work.tasks import Tasks
from tests.support.databases import fresh_database
from tests.support.in_process import InProcess, on_postgresql, on_sqlite
from tests.support.many_tasks import NEEDLE, add_tasks
from tests.support.properties import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer

MANY = 6_000
"""Tasks from which on PostgreSQL does not simply read all of them for a page."""


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InProcess]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        with on_sqlite(tmp_path / "taskflow.db") as in_process:
            yield in_process
    else:
        database: Database = request.getfixturevalue("database")
        with on_postgresql(database.fields()) as in_process:
            yield in_process


@contextlib.contextmanager
def statements_of(store: InProcess) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that are executed, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        seen.append((given[2], given[3]))

    event.listen(store.opened.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.opened.engine, "before_cursor_execute", note)


# Statements


def test_list_is_one_statement_however_long(store: InProcess) -> None:
    """500 tasks with 20 sub-tasks each, or none."""
    service = Tasks(store.database)
    for count in (0, 500):
        if count:
            add_tasks(store.opened, count, sub_tasks_each=20)
        for query in (TaskQuery(), TaskQuery(limit=500), TaskQuery(assignee="unassigned", sort="status")):
            with statements_of(store) as seen:
                found = service.page(query).documents
            assert (len(seen), len(found)) == (1, count), query
    assert [len(json.loads(document)["sub_tasks"]) for document in service.page(TaskQuery()).documents] == [20] * 500


def test_search_is_at_most_three_statements(store: InProcess) -> None:
    """One for everything, up to three for a page; one if the page is found nearby."""
    add_tasks(store.opened, 600)
    service = Tasks(store.database)

    for query, expected in (
        (TaskQuery(search="task"), 1),
        (TaskQuery(search="task", limit=5), 1),
        (TaskQuery(search="task 599:", limit=5), 3),
        (TaskQuery(search="nothing", limit=5), 3),
    ):
        with statements_of(store) as seen:
            service.page(query)
        assert len(seen) == expected, query


def test_single_task_is_one_statement(store: InProcess) -> None:
    """With all its children."""
    add_tasks(store.opened, 1, sub_tasks_each=20)
    service = Tasks(store.database)
    (listed,) = service.page(TaskQuery()).documents

    with statements_of(store) as seen:
        document = json.loads(service.get(json.loads(listed)["id"]))

    assert len(seen) == 1
    assert [sub_task["position"] for sub_task in document["sub_tasks"]] == list(range(20))


# Indexes


def plan_of(store: InProcess, query: TaskQuery) -> list[str]:
    """Return how the database reads a page, a text for each statement."""
    explain = "EXPLAIN QUERY PLAN " if store.dialect == "sqlite" else "EXPLAIN (COSTS OFF) "
    service = Tasks(store.database)
    with statements_of(store) as seen:
        service.page(query)
    with store.opened.reader.connect() as connection:
        return [
            "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters))
            for statement, parameters in seen
        ]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """A database of each kind with many tasks, for tests that only read."""
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":
            store = stack.enter_context(on_sqlite(tmp_path_factory.mktemp("full") / "taskflow.db"))
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            store = stack.enter_context(on_postgresql(stack.enter_context(fresh_database(server)).fields()))
        add_tasks(store.opened, MANY)
        if request.param == "postgresql":
            store.execute("ANALYZE tasks")
        yield store


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (TaskQuery(), "ix_tasks_updated"),
        (TaskQuery(sort="created"), "ix_tasks_created"),
        (TaskQuery(sort="priority"), "ix_tasks_priority_created"),
        (TaskQuery(sort="status"), "ix_tasks_status_created"),
        (TaskQuery(status="To Do"), "ix_tasks_status_updated"),
        (TaskQuery(status="To Do", sort="created"), "ix_tasks_status_created"),
        (TaskQuery(status="To Do", priority="High"), "ix_tasks_status_updated"),
        (TaskQuery(priority="High"), "ix_tasks_priority_updated"),
        (TaskQuery(assignee="unassigned"), "ix_tasks_assignee_updated"),
        (TaskQuery(assignee="unassigned", status="To Do"), "ix_tasks_assignee_updated"),
    ],
)
def test_page_is_read_in_the_order_of_an_index(full: InProcess, query: TaskQuery, index: str) -> None:
    """The first one and one behind a cursor: nothing is read to be sorted, nothing to be skipped."""
    place = Tasks(full.database).page(TaskQuery(**{**_fields(query), "limit": 20})).end
    assert place

    for after in (None, place):
        (plan,) = plan_of(full, TaskQuery(**{**_fields(query), "limit": 50, "after": after}))
        if full.dialect == "sqlite":
            # numbers and texts of the order, and of what pins its first column, tell where to begin
            assert re.search(rf"(SCAN|SEARCH) tasks USING INDEX {index}\b", plan), plan
            assert "TEMP B-TREE" not in plan.split("CORRELATED")[0], plan
            assert after is None or re.search(rf"{index} \(.*\(\w+,\w+(,\w+)?\)>\(\?", plan), plan
        else:
            # where so many tasks pass a filter that it needs none, the index of the bare order is as good
            assert re.search(rf"Index Scan using ({index}|ix_tasks_{query.sort}) on tasks\b", plan), plan
            assert "Sort" not in plan.split("Limit")[1].split("SubPlan")[0], plan
            assert after is None or re.search(r"Index Cond: .*ROW\(", plan), plan


def _fields(query: TaskQuery) -> dict[str, Any]:
    return {name: getattr(query, name) for name in query.__slots__}


@pytest.mark.parametrize("needle", [NEEDLE.upper(), "task 5999", "zq"])
def test_rare_text_is_found_by_its_index(full: InProcess, needle: str) -> None:
    """Whether a page is asked for or everything; no statement reads all tasks."""
    for limit in (None, 50):
        plans = plan_of(full, TaskQuery(search=needle, limit=limit))
        index = "task_trigrams VIRTUAL TABLE" if full.dialect == "sqlite" else "ix_task_grams_grams"
        assert index in plans[-1], plans[-1]
        assert "Seq Scan on task" not in "".join(plans)


# Ways of a search


WAYS = [(500, 1_000), (1, 1_000), (1, 0), (7, 3)]
"""How many tasks are looked at first, and how many the index may name."""


def test_every_way_of_a_search_leads_to_the_same_pages(store: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the nearest tasks, by the index, by the order; forwards to the last page."""
    service = Tasks(store.database)
    words = ["pump", "Pümp", "valve", "%", "a", "ab", "日本"]
    for number in range(40):
        title = f"{words[number % 7]} {words[number % 5]} {number}"
        status = "Done" if number % 3 else "To Do"
        service.create(TaskCreate(title=title, status=status, priority="Low"))
    everything = [json.loads(document) for document in service.page(TaskQuery()).documents]

    statuses: list[str | None] = [None, "Done"]
    for (near, few), needle, wanted in itertools.product(WAYS, [*words, "p", "PUMP V", "none"], statuses):
        monkeypatch.setattr(task_list, "NEAR", near)
        monkeypatch.setattr(task_list, "FEW", few)
        found, after = [], None
        while True:
            page = service.page(TaskQuery(search=needle, status=wanted, limit=3, after=after))
            found += [json.loads(document) for document in page.documents]
            after = page.end
            if after is None:
                break
        assert found == [
            task
            for task in everything
            if needle.casefold() in task["title"].casefold() and wanted in (None, task["status"])
        ], (near, few, needle, wanted)


# Cursors


@PROPERTY
@given(
    st.tuples(
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.integers(-(1 << 15), (1 << 15) - 1),
        st.integers(-(1 << 15), (1 << 15) - 1),
        st.uuids().map(str),
    )
)
def test_place_survives_the_way_through_a_cursor(place: tuple[int, int, int, int, str]) -> None:
    """Whatever it is."""
    cursor = Place(*place).to_cursor()

    assert Place.from_cursor(cursor) == place


@PROPERTY
@given(st.from_regex(f"^{task_list.CURSOR}$", fullmatch=True))
def test_every_text_like_a_cursor_is_one(cursor: str) -> None:
    """The pattern in the API's description says all there is to say."""
    assert Place.from_cursor(cursor).to_cursor() == cursor


@PROPERTY
@given(st.text(max_size=60).filter(lambda text: not re.fullmatch(task_list.CURSOR, text)))
def test_every_other_text_is_none(text: str) -> None:
    """And is refused by its own name."""
    with pytest.raises(ValueError, match=r"^Input should be a cursor from a Link header$"):
        Place.from_cursor(text)
