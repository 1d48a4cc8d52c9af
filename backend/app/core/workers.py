"""Threads that make blocking calls for the event loop, for what is asked many times a second.

A call through `anyio.to_thread` takes several times as long as this, which waking the thread, and the loop again, is
most of: it keeps account of what is cancelled, limited and inherited, of which nothing is needed here.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    _Asked = tuple[Callable[[], Any], asyncio.Future[Any], asyncio.AbstractEventLoop]

T = TypeVar("T")

_MOST: Final = 16
"""As many as there are connections to a database, and one that finds out that there are no more."""


class Workers:
    """A few threads, each started when all others are busy; belongs to one event loop."""

    def __init__(self, name: str, most: int = _MOST) -> None:
        """`name` is that of the threads."""
        self._name = name
        self._most = most
        self._threads = 0
        self._under_way = 0
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()

    async def run(self, action: Callable[[], T]) -> T:
        """Return what `action` returns, or raise what it raises; if the caller is cancelled, nobody hears of it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._under_way += 1
        if self._under_way > self._threads and self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._live, name=f"{self._name}-{self._threads}", daemon=True).start()
        self._asked.put((action, answer, loop))
        try:
            return await answer
        finally:
            del answer  # an error, its traceback and this frame would keep each other alive

    def stop(self) -> None:
        """End the threads that are idle, and the others when they are."""
        for _ in range(self._threads):
            self._asked.put(None)
        self._threads = 0

    def _live(self) -> None:
        while (asked := self._asked.get()) is not None:
            action, answer, loop = asked
            result, error = None, None
            try:
                result = action()
            except BaseException as exc:  # noqa: BLE001 - raised again where it is waited for
                error = exc
            with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(self._done, answer, result, error)
            del asked, action, answer, result, error  # they are nobody's business while the thread is idle

    def _done(self, answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._under_way -= 1
        if answer.done():  # cancelled
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)
