"""Streams of live events, without a network: what waits for a client, what keeps it connected, what ends it."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import TYPE_CHECKING, Any

import pytest

from app.api.v1 import events as http
from app.core.exceptions import DatabaseAwayError
from app.core.readiness import Readiness
from app.services.work import change_log
from app.services.work import events as module
from app.services.work.change_log import Event, Position
from app.services.work.changes import announce
from app.services.work.events import Events, Subscription, resync
from tests.support.in_process import InProcess
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

START = Position(1, 1)


def event(number: int) -> Event:
    """A change."""
    return Event(Position(number, number), "task", str(number), "updated")


@pytest.fixture
def store(sqlite_store: InProcess) -> InProcess:
    """An empty database."""
    return sqlite_store


@pytest.fixture
def events(store: InProcess) -> Iterator[Events]:
    """Streams of it."""
    readiness = Readiness()
    readiness.begin_run().ready(store.opened.description)
    made = Events(store.database, readiness)
    yield made
    made.stop()
    made.join()


def reader_lives() -> bool:
    """Whether the thread that reads the log is there."""
    return any(thread.name == "events" for thread in threading.enumerate())


def test_what_arrives_before_the_stream_begins_is_kept() -> None:
    """Events come from a thread, before and while the event loop runs the stream."""
    subscription = Subscription(START, [])
    subscription.deliver([event(1)])

    async def read() -> list[Event]:
        taken = await subscription.take(5)
        threading.Timer(0.05, subscription.deliver, [[event(2), event(3)]]).start()
        return taken + await subscription.take(5)

    assert asyncio.run(read()) == [event(1), event(2), event(3)]


def test_client_that_does_not_read_has_to_read_everything_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for it is bounded."""
    monkeypatch.setattr(module, "MAX_PENDING", 10)
    subscription = Subscription(START, [])

    for number in range(100):
        subscription.deliver([event(number)])

    waiting = asyncio.run(subscription.take(1))
    assert waiting[0].resource == "*"
    assert len(waiting) <= 10
    assert waiting[-1] in (event(99), resync(event(99).position))


def test_silent_stream_is_kept_alive_until_it_ends(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    """By comment lines; the stop ends it."""
    monkeypatch.setattr(http, "KEEP_ALIVE_S", 0.02)
    subscription = events.subscribe(None)

    async def read() -> list[bytes]:
        lines: list[bytes] = []
        async for line in http._lines(events, subscription):
            lines.append(line)
            if len(lines) == 3:
                events.stop()
        return lines

    lines = asyncio.run(read())
    assert lines[0].startswith(b": listening\nid: ")
    assert set(lines[1:]) == {b": keep-alive\n\n"}


def test_stream_that_never_began_is_forgotten(events: Events) -> None:
    """Its client left between the question and the first byte."""
    lines: Any = http._lines(events, events.subscribe(None))
    assert reader_lives()

    del lines
    gc.collect()

    wait_until(lambda: not reader_lives(), timeout_s=30, what="the reader to end")


def test_reader_lives_as_long_as_somebody_listens(events: Events, store: InProcess) -> None:
    """Again and again."""
    for turn in range(3):
        subscription, other = events.subscribe(None), events.subscribe(None)
        with store.database.write() as connection:
            announce(connection, "task", str(turn), "created")
        assert [found.id for found in asyncio.run(subscription.take(5))] == [str(turn)]
        events.unsubscribe(subscription)
        assert reader_lives()
        events.unsubscribe(other)
        wait_until(lambda: not reader_lives(), timeout_s=30, what="the reader to end")


def test_stopping_sidecar_begins_no_stream(events: Events) -> None:
    """It would never end."""
    events.stop()

    with pytest.raises(DatabaseAwayError) as refused:
        events.subscribe(None)

    assert refused.value.code == "stopping"


def test_reader_survives_whatever_goes_wrong(events: Events, store: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """And tells what it missed."""
    subscription = events.subscribe(None)
    read = change_log.after
    failing = threading.Event()

    def fail(*arguments: Any) -> Any:
        if not failing.is_set():
            failing.set()
            raise ZeroDivisionError
        return read(*arguments)

    monkeypatch.setattr(module, "after", fail)
    with store.database.write() as connection:
        announce(connection, "task", "missed", "created")
    assert failing.wait(5)

    assert [found.id for found in asyncio.run(subscription.take(5))] == ["missed"]
