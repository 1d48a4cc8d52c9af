"""Threads of handlers: what writes never holds up what reads, and nobody waits for a thread for ever."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from app.api import threads
from app.api.threads import KIND, CallThreads
from app.core.exceptions import DatabaseAwayError
from app.db.session import PLACES, READ, WRITE


def test_writes_that_hang_hold_up_no_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write beyond the threads is told so in time, is not carried out afterwards, and reads go on at once."""
    monkeypatch.setattr(threads, "PLACE_TIMEOUT_S", 0.1)
    done: list[str] = []

    async def play() -> None:
        loop, executor, may_end = asyncio.get_running_loop(), CallThreads(), threading.Event()
        KIND.set(WRITE)
        hanging = [loop.run_in_executor(executor, may_end.wait, 10) for _ in range(PLACES[WRITE])]
        given_up = loop.run_in_executor(executor, done.append, "given up")
        left = loop.run_in_executor(executor, done.append, "left")
        left.cancel()
        KIND.set(READ)
        assert await loop.run_in_executor(executor, int, "7") == 7
        with pytest.raises(DatabaseAwayError) as caught:
            await given_up
        assert caught.value.code == "busy"
        may_end.set()
        assert await asyncio.gather(*hanging) == [True] * PLACES[WRITE]
        with contextlib.suppress(asyncio.CancelledError):
            await left
        KIND.set(WRITE)
        await asyncio.gather(*(loop.run_in_executor(executor, done.append, "later") for _ in range(50)))

    asyncio.run(play())
    assert done == ["later"] * 50


def test_errors_come_back() -> None:
    """As they were raised."""

    async def play() -> None:
        with pytest.raises(ZeroDivisionError):
            await asyncio.get_running_loop().run_in_executor(CallThreads(), lambda: 1 // 0)

    asyncio.run(play())
