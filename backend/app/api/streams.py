"""Answers that are made while they are sent: a thread makes the pieces, the client's pace decides how far ahead."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from app.core.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

READ_AHEAD: Final = 4
"""Pieces that are made before the client has taken the ones before."""
STALL_S: Final = 20.0
"""How long a client may take nothing; then the database is needed for others."""
_threads: Final = anyio.CapacityLimiter(6)
_running: Final[set[asyncio.Task[None]]] = set()

log = get_logger(__name__)


async def streamed(pieces: Callable[[], Iterator[bytes]]) -> AsyncIterator[bytes]:
    """Yield what a blocking generator yields.

    What it holds open, such as a transaction, it holds no longer than the client reads. If it raises, so does this, in
    the midst of the answer: the connection breaks off, and nobody takes what came for the whole.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(READ_AHEAD)
    gone = threading.Event()

    def put(piece: bytes | None) -> None:
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(queue.put(piece), STALL_S), loop).result()

    def fail(error: Exception) -> None:
        _empty(queue)
        queue.put_nowait(error)

    def make() -> None:
        try:
            with contextlib.closing(pieces()) as made:  # type: ignore[type-var]
                for piece in made:
                    if gone.is_set():
                        return
                    put(piece)
            put(None)
        except Exception as exc:  # told where the answer is sent  # noqa: BLE001
            with contextlib.suppress(RuntimeError):  # the event loop has ended
                loop.call_soon_threadsafe(fail, exc)

    task = asyncio.ensure_future(anyio.to_thread.run_sync(make, limiter=_threads, abandon_on_cancel=True))
    _running.add(task)
    task.add_done_callback(_running.discard)
    try:
        while (piece := await queue.get()) is not None:
            if isinstance(piece, Exception):
                log.warning("answer broken off", extra={"error": type(piece).__name__})
                raise piece
            yield piece
    finally:
        gone.set()
        _empty(queue)


def _empty(queue: asyncio.Queue[bytes | Exception | None]) -> None:
    while not queue.empty():
        queue.get_nowait()


def in_pieces(texts: Iterator[str], size: int = 1 << 16) -> Iterator[bytes]:
    """Join short texts to pieces of about `size` characters."""
    parts: list[str] = []
    length = 0
    for text in texts:
        parts.append(text)
        length += len(text)
        if length >= size:
            yield "".join(parts).encode()
            parts.clear()
            length = 0
    yield "".join(parts).encode()
