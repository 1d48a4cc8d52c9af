"""Limits on how often somebody may do something."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_NAMES: Final = 10_000


class SlidingWindow:
    """At most `limit` events within any `window_s` seconds, counted by name.

    What is refused does not count. Memory is bounded: of more than `max_names` names those that have been quiet longest
    are forgotten.
    """

    def __init__(
        self,
        limit: int,
        window_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_names: int = MAX_NAMES,
    ) -> None:
        self._limit = limit
        self._window_s = window_s
        self._clock = clock
        self._max_names = max_names
        self._moments: dict[str, deque[float]] = {}
        """Of each name's latest events; whoever had one last comes last."""
        self._lock = threading.Lock()

    def take(self, name: str) -> float:
        """Count an event that happens now.

        Returns:
            0, or how many seconds it comes too early; then it was not counted.
        """
        with self._lock:
            now = self._clock()
            moments = self._moments.pop(name, None)
            if moments is None:
                moments = deque(maxlen=self._limit)
                self._make_room()
            self._moments[name] = moments
            if len(moments) == self._limit and now - moments[0] < self._window_s:
                return moments[0] + self._window_s - now
            moments.append(now)
            return 0.0

    def _make_room(self) -> None:
        while len(self._moments) >= self._max_names:
            del self._moments[next(iter(self._moments))]
