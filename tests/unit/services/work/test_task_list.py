"""How the list of tasks is read: how many statements, by which indexes, and every way of a search to the same page."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from app.schemas.members import MemberCreate
from app.schemas.tasks import TaskCreate, TaskUpdate
from app.services.work import changes, task_list
from app.services.work.adding_up import add_up
from app.services.work.members import Members
from app.services.work.task_list import FEW, Place, TaskQuery
from app.services.work.tasks import Tasks
from app.services.work.update_list import UpdatePlace, UpdateQuery
from app.services.work.updates import DailyUpdates
from tests.support.databases import fresh_database
from tests.support.in_process import InProcess, on_postgresql, on_sqlite
from tests.support.many_tasks import NEEDLE, START, add_tasks, add_updates
from tests.support.properties import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.postgres import PostgresServer

ADA = "00000000-0000-4000-8000-000000000001"
TASK = "00000000-0000-4000-8000-000000000001"
MANY = 6_000
"""Tasks from which on PostgreSQL does not simply read all of them for a page."""


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
        for query in (TaskQuery(), TaskQuery(limit=500), TaskQuery(assignee=("unassigned",), sort="status")):
            with statements_of(store) as seen:
                found = service.page(query).documents
            assert (len(seen), len(found)) == (1, count), query
    assert [len(json.loads(document)["sub_tasks"]) for document in service.page(TaskQuery()).documents] == [20] * 500


def test_search_is_at_most_three_statements(store: InProcess) -> None:
    """Up to three for a page, also for the longest one.

    PostgreSQL needs one if the page is found nearby, SQLite two if the index names few.
    """
    add_tasks(store.opened, FEW + 100)
    service = Tasks(store.database)

    for query, *expected in (
        (TaskQuery(search="task"), 3, 3),
        (TaskQuery(search="task", limit=5), 1, 2),
        (TaskQuery(search="task 1099:", limit=5), 3, 2),
        (TaskQuery(search="nothing", limit=5), 3, 2),
    ):
        with statements_of(store) as seen:
            service.page(query)
        assert len(seen) == dict(zip(("postgresql", "sqlite"), expected, strict=True))[store.dialect], query


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


def plan_of(store: InProcess, look: TaskQuery | Callable[[], object]) -> list[str]:
    """Return how the database reads something, or a page of tasks: a text for each statement."""
    explain = "EXPLAIN QUERY PLAN " if store.dialect == "sqlite" else "EXPLAIN (COSTS OFF) "
    service = Tasks(store.database)
    with statements_of(store) as seen:
        service.page(look) if isinstance(look, TaskQuery) else look()
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
        add_updates(store.opened, MANY)
        if request.param == "postgresql":
            store.execute("ANALYZE tasks", "ANALYZE daily_updates")
        yield store


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (TaskQuery(), "ix_tasks_updated"),
        (TaskQuery(sort="created"), "ix_tasks_created"),
        (TaskQuery(sort="priority"), "ix_tasks_priority_created"),
        (TaskQuery(sort="status"), "ix_tasks_status_created"),
        (TaskQuery(status=("To Do",)), "ix_tasks_status_updated"),
        (TaskQuery(status=("To Do",), sort="created"), "ix_tasks_status_created"),
        (TaskQuery(status=("To Do",), priority=("High",)), "ix_tasks_status_updated"),
        (TaskQuery(priority=("High",)), "ix_tasks_priority_updated"),
        (TaskQuery(assignee=("unassigned",)), "ix_tasks_assignee_updated"),
        (TaskQuery(assignee=("unassigned",), status=("To Do",)), "ix_tasks_assignee_updated"),
        (TaskQuery(updated_since=START), "ix_tasks_updated"),
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


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (TaskQuery(status=("To Do", "Blocked")), "ix_tasks_status_updated"),
        (TaskQuery(status=("To Do", "Blocked"), priority=("Low", "High")), "ix_tasks_status_updated"),
        (TaskQuery(assignee=("unassigned", ADA), sort="updated"), "ix_tasks_assignee_updated"),
    ],
)
def test_each_of_several_values_is_looked_up_by_an_index(full: InProcess, query: TaskQuery, index: str) -> None:
    """In one statement: of each value no more is read than a page."""
    (plan,) = plan_of(full, TaskQuery(**{**_fields(query), "limit": 50}))

    if full.dialect == "sqlite":
        assert len(re.findall(rf"SEARCH tasks USING INDEX {index}\b", plan)) == 2, plan
        assert re.findall(r"SCAN tasks\b.*", plan) == ["SCAN tasks"], plan  # the query of that name
    else:
        assert len(re.findall(r"Index Scan using ix_tasks_\w+ on tasks\b", plan)) == 2, plan
        assert "Seq Scan on tasks" not in plan, plan


def test_tasks_of_a_gear_are_found_by_an_index(full: InProcess) -> None:
    """They are few; the list and the counts read no others."""
    query = TaskQuery(gear_id="0007", status=("To Do", "Done"), sort="created")
    for look in (TaskQuery(**{**_fields(query), "limit": 50}), lambda: Tasks(full.database).counts(query)):
        (plan,) = plan_of(full, look)
        assert "ix_tasks_gear" in plan, plan


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (UpdateQuery(limit=50), "ix_daily_updates_newest"),
        (UpdateQuery(limit=50, since=START), "ix_daily_updates_newest"),
        (UpdateQuery(limit=50, author=ADA), "ix_daily_updates_author_newest"),
        (UpdateQuery(limit=50, task=TASK, since=START), "ix_daily_updates_task_newest"),
    ],
)
def test_updates_are_read_in_the_order_of_an_index(full: InProcess, query: UpdateQuery, index: str) -> None:
    """One statement, the first page and one behind a cursor: nothing is read to be sorted."""
    service = DailyUpdates(full.database)
    for after in (None, UpdatePlace(START + dt.timedelta(minutes=MANY // 2), TASK)):
        (plan,) = plan_of(full, lambda after=after: service.told(msgspec.structs.replace(query, after=after)))  # type: ignore[misc]
        assert re.search(rf"(INDEX|Index Scan using|Index Only Scan using) {index}\b", plan), plan


def test_overviews_are_one_statement_each(store: InProcess) -> None:
    """However many members, tasks and updates there are."""
    add_tasks(store.opened, 100)
    members = Members(store.database)
    for number in range(20):
        members.create(MemberCreate(name=f"M {number}", email=f"{number}@example.com"))

    for look in (
        members.all,
        lambda: Tasks(store.database).counts(TaskQuery()),
        lambda: Tasks(store.database).counts(TaskQuery(search="task", status=("To Do", "Done"))),
        lambda: Tasks(store.database).page(TaskQuery(status=("To Do", "Done"), assignee=("unassigned", ADA), limit=5)),
        lambda: DailyUpdates(store.database).told(UpdateQuery(limit=5)),
    ):
        with statements_of(store) as seen:
            look()
        assert len(seen) == 1


def test_reassigning_takes_as_many_statements_however_many_tasks(store: InProcess) -> None:
    """All of them are given, and told of, together."""
    members = Members(store.database)
    ada, eve = (members.create(MemberCreate(name=name, email=f"{name}@b.co")).id for name in ("Ada", "Eve"))
    numbers = []
    for count in (3, 60):
        add_tasks(store.opened, count)
        store.execute(f"UPDATE tasks SET assignee_id = '{ada}', status = 'To Do', status_rank = 0")
        with statements_of(store) as seen:
            members.reassign(ada, eve)
        numbers.append(len(seen))
        store.execute("DELETE FROM tasks")

    assert numbers[0] == numbers[1]


def test_counts_cost_the_same_among_many(full: InProcess, store: InProcess) -> None:
    """What is counted by triggers is read instead of the tasks, as few rows as there are kinds; and it is true."""
    with full.database.write() as connection:
        add_up(connection)
    for query in (
        TaskQuery(),
        TaskQuery(status=("Done", "To Do"), assignee=("unassigned",)),
        TaskQuery(priority=("Low",)),
    ):
        (plan,) = plan_of(full, lambda query=query: Tasks(full.database).counts(query))  # type: ignore[misc]
        assert "task_counts" in plan, plan
        assert not re.search(r"\btasks\b", plan), plan
    assert full.query("SELECT count(*) FROM task_counts") == [(12,)]
    counts = Tasks(full.database).counts(TaskQuery())
    assert (counts.total, counts.unassigned) == (MANY, MANY)
    assert counts.status == dict(full.query("SELECT status, count(*) FROM tasks GROUP BY status"))
    assert counts.priority == dict(full.query("SELECT priority, count(*) FROM tasks GROUP BY priority"))


def test_rows_that_count_are_added_up(store: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """As changes are made, so that there are never many; also while several make them."""
    monkeypatch.setattr(changes, "PRUNE_EVERY", 20)
    service = Tasks(store.database)

    def work(number: int) -> None:
        for turn in range(25):
            task = json.loads(service.create(TaskCreate(title=f"{number} {turn}", status="To Do", priority="Low")))
            service.update(task["id"], TaskUpdate(status="Done"), lambda _: None)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))

    counts = service.counts(TaskQuery())
    assert (counts.total, counts.status["Done"]) == (100, 100)
    assert store.query("SELECT count(*) FROM task_counts")[0][0] < 100


def _fields(query: TaskQuery) -> dict[str, Any]:
    return {name: getattr(query, name) for name in query.__struct_fields__}


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
            page = service.page(TaskQuery(search=needle, status=(wanted,) if wanted else (), limit=3, after=after))
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
