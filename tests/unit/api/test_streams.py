"""Answers that are sent as they are made."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from app.api.streams import READ_AHEAD, streamed

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 100


def test_no_more_is_made_than_is_taken() -> None:
    """Only so many pieces ahead; and whoever goes away ends it."""
    made: list[int] = []
    was_closed = threading.Event()

    def pieces() -> Iterator[bytes]:
        try:
            for number in range(MANY):
                made.append(number)
                yield b"%d" % number
        finally:
            was_closed.set()

    async def play() -> None:
        answer = streamed(pieces)
        assert await anext(answer) == b"0"
        await asyncio.sleep(0.05)
        assert len(made) <= READ_AHEAD + 3  # one taken, one on its way, one being made
        assert await anext(answer) == b"1"
        await answer.aclose()  # type: ignore[attr-defined]
        assert await asyncio.to_thread(was_closed.wait, 10)

    asyncio.run(play())

    assert len(made) < MANY
