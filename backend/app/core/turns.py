"""First come, first served: whoever asks again and again does not overtake those who wait."""

from __future__ import annotations

import collections
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator


class Turns:
    """Those who wait for the same thing, in the order of coming.

    Args:
        changed: guards what is waited for, and is notified when it may be there. Everything here happens with it held.
    """

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self._queue: collections.deque[object] = collections.deque()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._queue)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[object]:
        """Queue up until the block ends; the next in the queue is woken then."""
        turn = object()
        self._queue.append(turn)
        try:
            yield turn
        finally:
            self._queue.remove(turn)
            if self._queue:
                self._changed.notify_all()

    def is_first(self, turn: object) -> bool:
        """Tell whether everybody who came before has left."""
        return self._queue[0] is turn
