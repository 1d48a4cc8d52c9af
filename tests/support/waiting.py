"""Waiting for a condition against a deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from tests.support.windows import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")

SHORTEST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.1


def wait_until(
    condition: Callable[[], Value],
    *,
    timeout_s: float,
    what: str | Callable[[], str],
    interval_s: float | None = None,
) -> Value:
    """Poll `condition` and return its first true value.

    The condition is asked at least once, and once more after the deadline, so that a slow machine is not
    mistaken for a condition that never came.

    Args:
        condition: asked again and again; what it raises ends the wait.
        timeout_s: seconds until the wait is given up; several times as many for Windows programs.
        what: what is waited for, as it completes "waited in vain for ..."; called only on failure.
        interval_s: pause between two questions, for what would be missed otherwise. Unless given it grows to a tenth of
            the time waited so far: questions cost the one who is waited for its time, and a computer that is slow does
            not get faster by them.

    Raises:
        TimeoutError: the deadline passed first.
    """
    began, patience_s = time.monotonic(), timeout_s * PATIENCE
    while True:
        waited_s = time.monotonic() - began
        is_late = waited_s >= patience_s
        if value := condition():
            return value
        if is_late:
            raise TimeoutError(f"waited {timeout_s:g} s in vain for {what if isinstance(what, str) else what()}")
        growing_s = max(SHORTEST_PAUSE_S, min(waited_s / 10, LONGEST_PAUSE_S))
        time.sleep(growing_s if interval_s is None else interval_s)
