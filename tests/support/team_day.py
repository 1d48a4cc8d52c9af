"""A team's day in minutes: desktops work on one database, and what they hold is looked at all the time."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import math
import random
import secrets
import statistics
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psutil  # type: ignore[import-untyped]

from tests.support.crowd import crowd
from tests.support.events import EventStream
from tests.support.storm import CHAT_SERVER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.databases import Database
    from tests.support.sidecar import Sidecar

DAY_S: Final = 24 * 3600.0
SAMPLE_S: Final = 5.0
SETTLED: Final = 0.2
"""The part of the time after which what is loaded once is loaded."""
TABLES: Final = ("tasks", "daily_updates", "changes", "idempotency_keys", "audit_entries", "task_counts")
REMEMBERED: Final = 1_100
"""More paths and queries than the web framework keeps parsed (1,024 of each): from then on one replaces another."""
_KEPT_TASKS: Final = 20
"""A desktop's own open tasks; it deletes older ones, so that the work does not grow."""


@dataclass
class Series:
    """Values of one thing over time."""

    unit: str
    times_s: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, at_s: float, value: float) -> None:
        """Add a sample."""
        self.times_s.append(at_s)
        self.values.append(value)

    def settled(self, from_s: float) -> Series:
        """Return what was sampled from a time on."""
        kept = [(at, value) for at, value in zip(self.times_s, self.values, strict=True) if at >= from_s]
        return Series(self.unit, [at for at, _ in kept], [value for _, value in kept])

    def slope(self) -> tuple[float, float]:
        """Return the slope a second by least squares, and its standard error.

        Samples that follow each other resemble each other; the error is widened by what their correlation leaves of
        independent ones.
        """
        fit = statistics.linear_regression(self.times_s, self.values)
        rest = [value - (fit.intercept + fit.slope * at) for at, value in zip(self.times_s, self.values, strict=True)]
        spread = sum(each * each for each in rest)
        if spread == 0:
            return fit.slope, 0.0
        likeness = min(0.95, max(0.0, sum(a * b for a, b in itertools.pairwise(rest)) / spread))
        mean = statistics.fmean(self.times_s)
        width = sum((at - mean) ** 2 for at in self.times_s)
        error = math.sqrt(spread / (len(rest) - 2) / width) * math.sqrt((1 + likeness) / (1 - likeness))
        return fit.slope, error


class TeamDay:
    """The desktops, what they do, and what is seen of them.

    Args:
        database: with the product's tables.
        home: where their directories are.
        desktops: how many.
        minutes: how long it takes; it stands for 24 hours, and what is kept for hours ages accordingly.
        pause_s: between two calls of a desktop, at the mean.
    """

    def __init__(self, database: Database, home: Path, *, desktops: int, minutes: float, pause_s: float = 0.2) -> None:
        self.database = database
        self.home = home
        self.desktops = desktops
        self.lasts_s = minutes * 60
        self.pause_s = pause_s
        self.series: dict[str, Series] = {}
        self.calls = 0
        self.refused: list[str] = []
        self.events = 0
        self._is_over = threading.Event()
        self._spans: list[float] = []
        self._counting = threading.Lock()

    def live(self) -> None:
        """Let the day pass."""
        with crowd(self.home, self.database.url, self.desktops, at_once=2) as sidecars, contextlib.ExitStack() as stack:
            streams = [stack.enter_context(EventStream(sidecar)) for sidecar in sidecars]
            with concurrent.futures.ThreadPoolExecutor(len(sidecars)) as pool:
                list(pool.map(_fill, sidecars))
            workers = [threading.Thread(target=self._work, args=(number, each)) for number, each in enumerate(sidecars)]
            for worker in workers:
                worker.start()
            began = time.monotonic()
            try:
                while (at_s := time.monotonic() - began) < self.lasts_s:
                    self._sample(at_s, sidecars)
                    self._age(SAMPLE_S / self.lasts_s * DAY_S)
                    time.sleep(SAMPLE_S)
            finally:
                self._is_over.set()
                for worker in workers:
                    worker.join()
            self.events = sum(len(stream.arrivals) for stream in streams)

    def table(self) -> str:
        """Return a table: where each thing begins and ends, and its slope with its error."""
        lines = [f"{'what':<28}{'first third':>12}{'last third':>12}{'slope an hour':>15}{'error':>10}  unit"]
        for name, series in self.series.items():
            settled = series.settled(SETTLED * self.lasts_s)
            third = max(1, len(settled.values) // 3)
            slope, error = (3600 * each for each in settled.slope())
            first, last = statistics.median(settled.values[:third]), statistics.median(settled.values[-third:])
            lines.append(f"{name:<28}{first:>12.2f}{last:>12.2f}{slope:>15.2f}{error:>10.2f}  {series.unit}")
        lines.append(
            f"{self.calls} calls, {len(self.refused)} refused, {self.events} events to {self.desktops} streams."
        )
        return "\n".join(lines)

    # What people do

    def _work(self, number: int, sidecar: Sidecar) -> None:
        dice = random.Random(number)
        mine: list[str] = []
        member = self._call(
            sidecar, "POST", "members", json={"name": f"Member {number}", "email": f"m{number}@example.com"}
        )
        author = member["id"]

        def create() -> None:
            body = {"title": f"Task {dice.random()}", "status": "To Do", "priority": "Low", "assignee_id": author}
            key = {"Idempotency-Key": secrets.token_hex(16)}
            mine.append(self._call(sidecar, "POST", "tasks", json=body, headers=key)["id"])
            if len(mine) > _KEPT_TASKS:
                self._call(sidecar, "DELETE", f"tasks/{mine.pop(0)}")

        def change() -> None:
            if mine:
                status = dice.choice(["To Do", "In Progress", "Done"])
                self._call(sidecar, "PATCH", f"tasks/{dice.choice(mine)}", json={"status": status})

        def report() -> None:
            if mine:
                body = {"author_id": author, "content": "Went on."}
                self._call(sidecar, "POST", f"tasks/{dice.choice(mine)}/updates", json=body)

        def keep_secret() -> None:
            key = f"sk-{secrets.token_urlsafe(24)}"
            self._call(sidecar, "PUT", f"servers/s{number}/config", json={**CHAT_SERVER, "api_key": key})
            self._call(sidecar, "POST", f"servers/s{number}/api-key/reveal")

        def look(path: str, **params: str) -> Callable[[], Any]:
            return lambda: self._call(sidecar, "GET", path, params=params)

        moves: list[Callable[[], Any]] = [
            *(create, change, change, report, keep_secret, look("tasks", limit="50"), look("members")),
            *(look("tasks", limit="50", search="Task"), look("tasks/counts"), look("updates", limit="50")),
            *(look("audit", limit="50"), look("vault"), look("status")),
        ]
        while not self._is_over.wait(dice.uniform(0, 2 * self.pause_s)):
            dice.choice(moves)()

    def _call(self, sidecar: Sidecar, method: str, path: str, **given: Any) -> Any:
        began = time.monotonic()
        answer = sidecar.request(method, f"/api/v1/{path}", **given)
        with self._counting:
            self.calls += 1
            self._spans.append(time.monotonic() - began)
            if answer.status_code >= 400:
                self.refused.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    # What is seen

    def _sample(self, at_s: float, sidecars: list[Sidecar]) -> None:
        processes = [psutil.Process(sidecar.pid) for sidecar in sidecars]
        self._add(at_s, "memory, median", "MB", statistics.median(_memory_mb(each) for each in processes))
        self._add(at_s, "memory, highest", "MB", max(_memory_mb(each) for each in processes))
        self._add(at_s, "descriptors, all", "", sum(each.num_fds() for each in processes))
        self._add(at_s, "threads, all", "", sum(each.num_threads() for each in processes))
        self._add(at_s, "sessions of the server", "", float(self.database.sessions()))
        with self._counting:
            spans, self._spans = sorted(self._spans), []
        if spans:
            self._add(at_s, "call, median", "ms", statistics.median(spans) * 1000)
            self._add(at_s, "call, 95 of 100", "ms", spans[len(spans) * 95 // 100] * 1000)
        for table in TABLES:
            ((rows,),) = self.database.query(f"SELECT count(*) FROM {table}")
            self._add(at_s, f"rows of {table}", "", float(rows))

    def _add(self, at_s: float, name: str, unit: str, value: float) -> None:
        self.series.setdefault(name, Series(unit)).add(at_s, value)

    def _age(self, by_s: float) -> None:
        """Let the keys of repeated requests grow old, which are kept for a day."""
        self.database.execute(f"UPDATE idempotency_keys SET created_at = created_at - interval '{by_s:.3f} s'")


def _fill(sidecar: Sidecar) -> None:
    """Ask for what is not there until the framework remembers as many paths and queries as it ever will.

    A day does so in its first hours, and minutes would take that for growth.
    """
    for _ in range(REMEMBERED):
        answer = sidecar.request("GET", f"/api/v1/tasks/{uuid.uuid4()}", params={"limit": secrets.token_hex(8)})
        assert answer.status_code in {400, 404}, answer.text


def _memory_mb(process: Any) -> float:
    return float(process.memory_info().rss) / 1e6
