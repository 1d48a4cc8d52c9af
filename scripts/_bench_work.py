"""The team's work: a long list beside plain drivers, and a hundred thousand tasks beside a thousand."""

import contextlib
import http.client
import json
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psycopg2
from psycopg2 import extensions
from tests.support.many_tasks import NEEDLE, add_tasks

from _bench_load import CONNECTIONS, in_threads
from _measure import Bench, Row, compared, in_turn, seconds_for
from _servers import TOKEN, sidecar
from app.db.configured import DATABASE_FILE
from app.db.session import OpenDatabase, open_postgresql, open_sqlite
from app.db.settings import settings_from_url

TASKS = 500
SUB_TASKS_EACH = 20
LISTS = 5
"""Lists that each connection reads in a round."""
FEW, MANY = 1_000, 100_000
PAGES = 20
"""Pages that make one measurement."""
PAGE = 50
REQUESTS = {
    "first page": "",
    "filter": "&status=Blocked",
    "search": f"&search={NEEDLE}",
    "last page": "&cursor={last}",
}
TASK_COLUMNS = "id, title, description, status, priority, assignee_id, gear_id, blocking_reason, created_at, updated_at"
SUB_TASK_COLUMNS = "id, task_id, title, completed, position, created_at"
_UUID_OID = 2950

Ask = Callable[[str], tuple[Any, str | None]]
"""Reads a list by its query: the answer's body and its link."""


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows of the long list, then those of many tasks."""
    for database in ("postgresql", "sqlite"):
        yield from measure_list(bench, database)
    for database in ("sqlite", "postgresql"):
        yield from measure_pages(bench, database)


# --- one long list ---------------------------------------------------------------------------------------------------


def measure_list(bench: Bench, database: str) -> Iterator[Row]:
    """Read the whole list over a few connections; the floor reads the same rows, without a server around it."""
    with place_with_tasks(bench, database, "list", TASKS, SUB_TASKS_EACH) as (home, url):
        connect = (lambda: connected(url)) if url else (lambda: sqlite3.connect(home / "data" / DATABASE_FILE))
        with sidecar(home, url) as running:
            running.milestones()
            subject, floor = in_turn(
                bench.rounds,
                lambda: lists_per_second(partial(repeated_lists, running.port)),
                lambda: lists_per_second(partial(repeated_plain_lists, connect)),
            )
    name = f"{database}: {TASKS} tasks x {SUB_TASKS_EACH} sub-tasks"
    yield compared(name, "lists/s", subject, "driver and msgspec", floor, "at least 0.6")


def lists_per_second(read: Callable[[], None]) -> float:
    """Return how many lists a second some threads read."""
    return LISTS * CONNECTIONS / seconds_for(lambda: in_threads(CONNECTIONS, read))


def repeated_lists(port: int) -> None:
    """Read the list from the sidecar."""
    with asking(port) as ask:
        for _ in range(LISTS):
            ask("")


def repeated_plain_lists(connect: Callable[[], Any]) -> None:
    """Read the same rows and write the same JSON, with nothing but a driver and msgspec."""
    with contextlib.closing(connect()) as connection:
        cursor = connection.cursor()
        for _ in range(LISTS):
            plain_list(cursor)


def plain_list(cursor: Any) -> bytes:
    """Return the list as JSON."""
    cursor.execute(f"SELECT {TASK_COLUMNS} FROM tasks ORDER BY updated_order, created_order, id")  # noqa: S608
    names = TASK_COLUMNS.split(", ")
    tasks = {row[0]: dict(zip(names, row, strict=True)) | {"sub_tasks": [], "daily_updates": []} for row in cursor}
    cursor.execute(f"SELECT {SUB_TASK_COLUMNS} FROM sub_tasks ORDER BY task_id, position")  # noqa: S608
    for one, task, title, completed, position, created_at in cursor:
        tasks[task]["sub_tasks"].append(
            {
                "id": one,
                "task_id": task,
                "title": title,
                "completed": completed,
                "position": position,
                "created_at": created_at,
            }
        )
    return msgspec.json.encode(list(tasks.values()))


def connected(url: str) -> Any:
    """Return a plain connection that reads UUIDs as text."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    extensions.register_type(extensions.new_type((_UUID_OID,), "uuid", extensions.UNICODE), connection)
    return connection


# --- pages of many tasks ---------------------------------------------------------------------------------------------


def measure_pages(bench: Bench, database: str) -> Iterator[Row]:
    """Read pages of a hundred thousand tasks; what it takes with a thousand is the floor."""
    with (
        place_with_tasks(bench, database, "many", MANY) as (home, url),
        place_with_tasks(bench, database, "few", FEW) as (small_home, small_url),
        sidecar(home, url) as running,
        sidecar(small_home, small_url) as small,
    ):
        running.milestones()
        small.milestones()
        with asking(running.port) as ask, asking(small.port) as ask_small:
            ends = last_cursor(ask, MANY), last_cursor(ask_small, FEW)
            for name, query in REQUESTS.items():
                subject, floor = in_turn(
                    bench.rounds,
                    partial(seconds_for, partial(repeated_pages, ask, query.format(last=ends[0]))),
                    partial(seconds_for, partial(repeated_pages, ask_small, query.format(last=ends[1]))),
                )
                what = f"{database}: {name} of {MANY}"
                yield compared(what, "ms", subject, f"of {FEW}", floor, "at most 3", 1_000 / PAGES)


def repeated_pages(ask: Ask, query: str) -> None:
    """Read the same page again and again."""
    for _ in range(PAGES):
        ask(f"?limit={PAGE}{query}")


def last_cursor(ask: Ask, count: int) -> str:
    """Follow the links, in the longest pages, to where the last page of all begins."""
    query, cursor = "?limit=500", ""
    for _ in range(count):
        _, link = ask(query)
        if link is None:
            break
        query = link.split("?", 1)[1].split(">", 1)[0]
        cursor = query.rsplit("cursor=", 1)[1]
        query = f"?{query}"
    return cursor


# --- places ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def asking(port: int) -> Iterator[Ask]:
    """Provide lists over one kept connection."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:

        def ask(query: str) -> tuple[Any, str | None]:
            connection.request("GET", f"/api/v1/tasks{query}", headers={"Authorization": f"Bearer {TOKEN}"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"a list answered {answer.status}: {json.loads(body)['error']}")
            return body, answer.headers.get("Link")

        yield ask


@contextlib.contextmanager
def place_with_tasks(
    bench: Bench, database: str, name: str, count: int, sub_tasks_each: int = 0
) -> Iterator[tuple[Path, str | None]]:
    """Provide a config directory and the URL of a database at head, with tasks in it, as autovacuum leaves them."""
    home = bench.home / f"work-{name}-{database}"
    url = bench.new_database(f"work_{name}") if database == "postgresql" else None
    with sidecar(home, url) as running:
        running.milestones()
    with opened_database(home, url) as opened:
        add_tasks(opened, count, sub_tasks_each=sub_tasks_each)
    if url:
        with contextlib.closing(connected(url)) as connection:
            connection.cursor().execute("VACUUM ANALYZE tasks, task_grams, sub_tasks")
    yield home, url


@contextlib.contextmanager
def opened_database(home: Path, url: str | None) -> Iterator[OpenDatabase]:
    """Open a database as the sidecar does."""
    opened = open_postgresql(settings_from_url(url))[0] if url else open_sqlite(home / "data" / DATABASE_FILE)
    yield opened
    opened.retire()
