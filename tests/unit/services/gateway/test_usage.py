"""Usage is counted in memory, written soon after, and added up by the database."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from app.core.exceptions import DatabaseAwayError
from app.services.gateway.usage import Usage, UsageKey, read_cursor
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from app.schemas.usage import UsagePage
    from tests.support.in_process import InProcess


def note(usage: Usage, *key: str, tokens: tuple[int, int] = (10, 3)) -> None:
    """Count one call."""
    usage.note(*key, input_tokens=tokens[0], output_tokens=tokens[1])


def page(usage: Usage, **given: Any) -> UsagePage:
    """Read a page."""
    nothing = {"owner_kind": None, "owner_id": None, "provider": None, "first_day": None, "last_day": None}
    return usage.page(**{**nothing, "limit": 100, "cursor": None, **given})


def test_calls_of_several_desktops_add_up(store: InProcess) -> None:
    """Four processes' worth of counters, each with two hundred calls, written at the same time."""
    desktops = [Usage(store.database) for _ in range(4)]

    def call(usage: Usage) -> None:
        for number in range(200):
            note(usage, "user", str(number % 3), "openai", "m")
            if number % 20 == 0:
                usage.flush()
        usage.flush()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(call, desktops))

    items = page(Usage(store.database)).items
    assert [(item.owner_id, item.requests) for item in items] == [("0", 268), ("1", 268), ("2", 264)]
    assert sum(item.input_tokens for item in items) == 8000
    assert sum(item.output_tokens for item in items) == 2400


def test_reading_tells_calls_that_are_not_written_yet(store: InProcess) -> None:
    """Whoever has just had an answer finds its call."""
    usage = Usage(store.database)
    note(usage, "system", "default", "openai", "m")

    (item,) = page(usage).items

    assert (item.requests, item.input_tokens, item.output_tokens) == (1, 10, 3)


def test_calls_of_every_kind_are_written_together(store: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """One statement for all, however many owners and models there are."""
    usage = Usage(store.database)
    monkeypatch.setattr(usage, "_begin_to_write", lambda: None)
    sent: list[str] = []
    ours = threading.get_ident()

    def watch(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.get_ident() == ours and "ai_usage" in statement:
            sent.append("ai_usage")

    for number in range(5):
        note(usage, "user", f"u{number}", "openai", f"m{number % 2}")
    event.listen(sa.Engine, "before_cursor_execute", watch)
    try:
        usage.flush()
    finally:
        event.remove(sa.Engine, "before_cursor_execute", watch)

    assert sent == ["ai_usage"]
    assert sum(item.requests for item in page(usage).items) == 5


def test_calls_are_written_without_being_asked_for(store: InProcess) -> None:
    """A moment later, by a thread of its own."""
    usage = Usage(store.database)
    note(usage, "system", "default", "openai", "m")

    wait_until(lambda: store.query("SELECT requests FROM ai_usage") == [(1,)], timeout_s=10, what="the row")
    usage.stop()


def test_calls_outlive_an_outage(store: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are kept, not lost, and never raise into the call."""
    usage = Usage(store.database)
    real = store.database.write
    is_away = threading.Event()
    is_away.set()

    def write() -> Any:
        if is_away.is_set():
            raise DatabaseAwayError
        return real()

    monkeypatch.setattr(store.database, "write", write)
    note(usage, "system", "default", "openai", "m")
    with pytest.raises(DatabaseAwayError):
        page(usage)
    note(usage, "system", "default", "openai", "m")
    is_away.clear()

    (item,) = page(usage).items
    assert item.requests == 2


def test_stopping_writes_what_is_left(store: InProcess) -> None:
    """Nothing is lost by a clean stop."""
    usage = Usage(store.database)
    note(usage, "system", "default", "openai", "m")

    usage.stop()

    assert store.query("SELECT requests, input_tokens, output_tokens FROM ai_usage") == [(1, 10, 3)]


DAYS = ("2026-01-03", "2026-01-02", "2026-01-01")


@pytest.fixture
def filled(store: InProcess) -> Usage:
    """Usage of three days, two kinds of owners, two providers, two models."""
    rows = [
        f"('{kind}', '{owner}', '{provider}', '{model}', '{day}', 1, 2, 3)"
        for day in DAYS
        for kind, owner in (("tenant", "b"), ("tenant", "ä-B"), ("user", "b"))
        for provider in ("anthropic", "openai")
        for model in ("", "m")
    ]
    columns = "owner_kind, owner_id, provider, model, day, requests, input_tokens, output_tokens"
    store.execute(f"INSERT INTO ai_usage ({columns}) VALUES {', '.join(rows)}")
    return Usage(store.database)


@pytest.mark.parametrize("limit", [1, 2, 5, 7, 36])
def test_pages_show_everything_once_in_one_order(filled: Usage, limit: int) -> None:
    """The latest day first; the order of texts is the database's own."""
    everything = page(filled).items
    found, cursor = [], None
    while True:
        part = page(filled, limit=limit, cursor=cursor)
        found += part.items
        if part.next_cursor is None:
            break
        cursor = read_cursor(part.next_cursor)

    assert found == everything
    assert len(everything) == 36
    assert [item.day for item in everything] == sorted((item.day for item in everything), reverse=True)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"owner_kind": "tenant"}, 24),
        ({"owner_id": "b"}, 24),
        ({"owner_kind": "tenant", "owner_id": "ä-B", "provider": "openai"}, 6),
        ({"first_day": "2026-01-02"}, 24),
        ({"last_day": "2026-01-02"}, 24),
        ({"first_day": "2026-01-02", "last_day": "2026-01-02"}, 12),
        ({"first_day": "2026-01-03", "last_day": "2026-01-01"}, 0),
        ({"owner_kind": "server"}, 0),
    ],
)
def test_filters_narrow_what_is_shown(filled: Usage, given: dict[str, str], count: int) -> None:
    """Alone and together; days are inclusive."""
    assert len(page(filled, **given).items) == count


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "20260101",
        "20260101.61.61.61",
        "20260101.6.61.61.61",
        "2026010.61.61.61.61",
        "20260101.61.61.61.61\n",
        None,
        5,
    ],
)
def test_what_is_no_cursor_is_refused(text: object) -> None:
    """Not taken for the beginning."""
    with pytest.raises(ValueError, match="next_cursor"):
        read_cursor(text)


@pytest.mark.parametrize("text", ["99999999....", "00000000.ff.00.c3.", "20260103.74.62.00ff.6d"])
def test_cursor_that_somebody_made_up_is_a_place_like_any_other(filled: Usage, text: str) -> None:
    """Databases take it."""
    assert len(page(filled, cursor=read_cursor(text)).items) in (0, 12, 24, 36)


def test_cursor_leads_back_to_where_the_page_ended(filled: Usage) -> None:
    """Whatever the owner is called."""
    part = page(filled, owner_id="ä-B", limit=1)

    assert part.next_cursor is not None
    assert read_cursor(part.next_cursor) == UsageKey("tenant", "ä-B", "anthropic", "", "2026-01-03")
