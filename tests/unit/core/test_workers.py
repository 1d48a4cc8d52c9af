"""Threads for the event loop's blocking calls."""

from __future__ import annotations

import asyncio
import threading

import pytest

from app.core.workers import Workers


def test_results_and_errors_come_back() -> None:
    """From another thread, which serves the next call too."""

    async def play() -> None:
        workers = Workers("test")
        names = {await workers.run(lambda: threading.current_thread().name) for _ in range(5)}
        assert names == {"test-1"}
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 // 0)
        assert await workers.run(lambda: 7) == 7
        workers.stop()

    asyncio.run(play())


def test_no_more_threads_than_allowed() -> None:
    """What comes while all are busy waits for its turn."""

    async def play() -> None:
        workers = Workers("test", most=2)
        both = threading.Barrier(3)
        calls = [asyncio.ensure_future(workers.run(lambda: both.wait(10))) for _ in range(2)]
        third = asyncio.ensure_future(workers.run(lambda: threading.current_thread().name))
        await asyncio.sleep(0)
        assert not third.done()
        await asyncio.to_thread(both.wait, 10)
        await asyncio.gather(*calls)
        assert await third in ("test-1", "test-2")
        workers.stop()

    asyncio.run(play())


def test_a_caller_that_leaves_disturbs_nobody() -> None:
    """The call goes on, and its thread serves others afterwards; an error that nobody waits for is not told."""

    async def play() -> None:
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        workers = Workers("test", most=1)
        begun, may_end = threading.Event(), threading.Event()

        def fail() -> None:
            begun.set()
            may_end.wait(10)
            raise ValueError

        left = asyncio.ensure_future(workers.run(fail))
        await asyncio.to_thread(begun.wait, 10)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        may_end.set()
        assert await workers.run(lambda: 7) == 7
        workers.stop()
        assert told == []

    asyncio.run(play())
