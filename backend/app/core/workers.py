"""Threads that make blocking calls for the event loop, for what is asked many times a second.

A call through `anyio.to_thread` takes several times as long as this, which waking the thread, and the loop again, is
most of: it keeps account of what is cancelled, limited and inherited, of which nothing is needed here.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, TypeVar

T = TypeVar("T")

Job = Callable[[], Callable[[], None]]
"""Does something, whatever comes of it, and returns what tells the outcome to whoever waits for it."""

_MOST: Final = 16
"""As many as there are connections to a database, and one that finds out that there are no more."""


class Workers:
    """A few threads, each started when all others are busy."""

    def __init__(self, name: str, most: int = _MOST) -> None:
        """`name` is that of the threads."""
        self._name = name
        self._most = most
        self._threads = 0
        self._under_way = 0
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()

    def begin(self, job: Job) -> bool:
        """Do a job in one of the threads; tell whether it has to wait for one."""
        with self._lock:
            self._under_way += 1
            has_to_wait = self._under_way > self._most
            if self._threads < min(self._under_way, self._most):
                self._threads += 1
                threading.Thread(target=self._live, name=f"{self._name}-{self._threads}", daemon=True).start()
        self._jobs.put(job)
        return has_to_wait

    async def run(self, action: Callable[[], T]) -> T:
        """Return what `action` returns, or raise what it raises; if the caller is cancelled, nobody hears of it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self.begin(partial(_answer, loop, answer, action))
        try:
            return await answer
        finally:
            del answer  # an error, its traceback and this frame would keep each other alive

    def stop(self) -> None:
        """End the threads that are idle, and the others when they are."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)
            self._threads = 0

    def _live(self) -> None:
        while (job := self._jobs.get()) is not None:
            tell = job()
            with self._lock:  # first, so that whoever is told finds this thread free
                self._under_way -= 1
            tell()
            del job, tell  # what they were about is nobody's business while the thread is idle


def _answer(loop: asyncio.AbstractEventLoop, answer: asyncio.Future[T], action: Callable[[], T]) -> Callable[[], None]:
    """Carry out an action in a thread; return what tells its outcome to the loop that waits for it."""
    try:
        settle = partial(_settle, answer, action(), None)
    except BaseException as exc:  # noqa: BLE001 - raised again where it is waited for
        settle = partial(_settle, answer, None, exc)
    return partial(_tell, loop, settle)


def _tell(loop: asyncio.AbstractEventLoop, settle: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
        loop.call_soon_threadsafe(settle)


def _settle(answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if answer.done():  # cancelled
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
