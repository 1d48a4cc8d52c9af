"""How far long work on the command line has come: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Final

from app.services.legacy.outcome import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_EVERY_S: Final = 5.0
"""Seconds between two plain lines about the same work."""


@contextlib.contextmanager
def progress() -> Iterator[Report]:
    """Provide a `Report` that shows itself on stderr until the block ends."""
    if sys.stderr is not None and sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _Lines()


@contextlib.contextmanager
def _bars() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),  # a label may hold brackets
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def report(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done, total=max(done, total))

        yield report


class _Lines:
    """A line when a work begins to take long, every few seconds from then on, and when it is done."""

    def __init__(self) -> None:
        self._said_at: dict[str, float] = {}

    def __call__(self, label: str, done: int, total: int) -> None:
        now = time.monotonic()
        said_at = self._said_at.setdefault(label, now)
        is_due = done >= total or now - said_at >= LINE_EVERY_S
        if is_due and sys.stderr is not None:
            self._said_at[label] = now
            print(f"{label}: {done} of {max(done, total)}", file=sys.stderr, flush=True)
