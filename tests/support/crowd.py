"""A crowd of sidecars on one database: how they start, what they hold, and what they do at once."""

from __future__ import annotations

import base64
import collections
import concurrent.futures
import contextlib
import random
import secrets
import statistics
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Self

import psutil  # type: ignore[import-untyped]

from tests.support.sidecar import Sidecar, stop_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

START_S: Final = 180.0
SAMPLE_S: Final = 0.1


@contextlib.contextmanager
def crowd(home: Path, url: str, count: int, *, at_once: int | None = None) -> Iterator[list[Sidecar]]:
    """Run sidecars that share a vault, started some at a time; each is healthy.

    Args:
        home: where their directories are.
        url: of the database.
        count: how many.
        at_once: how many start together; all unless given.
    """
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    env = {"TASKFLOW_DATABASE_URL": url, "ENCRYPTION_KEY": key}
    sidecars = [Sidecar(config_dir=home / f"desktop-{number}", env=env) for number in range(count)]
    group = count if at_once is None else at_once
    try:
        for start in range(0, count, group):
            for sidecar in sidecars[start : start + group]:
                sidecar.start()
            for sidecar in sidecars[start : start + group]:
                sidecar.wait_for_listening(START_S).wait_healthy(START_S)
        yield sidecars
    finally:
        stop_all(sidecars)


class Sampler:
    """Looks at something again and again in a thread, and keeps the highest value."""

    def __init__(self, look: Callable[[], float]) -> None:
        self._look = look
        self._stopped = threading.Event()
        self.values: list[float] = []
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def highest(self) -> float:
        """The highest value seen."""
        return max(self.values, default=0.0)

    def _live(self) -> None:
        while not self._stopped.wait(SAMPLE_S):
            with contextlib.suppress(Exception):
                self.values.append(self._look())


def calls_at_once(sidecars: list[Sidecar], calls: int, *, pause_s: float = 0.0) -> dict[str, Any]:
    """Let every sidecar make calls, one after the other, all sidecars at once; tell what was answered, and how soon.

    Args:
        sidecars: each with a client of its own.
        calls: of each; half of them write.
        pause_s: how long a client thinks between two calls, at the mean.
    """
    body = {"title": "x", "status": "To Do", "priority": "Low"}

    codes: collections.Counter[str] = collections.Counter()

    def work(sidecar: Sidecar) -> list[tuple[int, float]]:
        answers = []
        for number in range(calls):
            time.sleep(random.uniform(0, 2 * pause_s))
            began = time.monotonic()
            answer = (
                sidecar.request("POST", "/api/v1/tasks", json=body)
                if number % 2 == 0
                else sidecar.request("GET", "/api/v1/tasks", params={"limit": "50"})
            )
            if answer.status_code >= 400:
                codes[f"{answer.status_code} {answer.headers.get('Taskflow-Error-Code')}"] += 1
            answers.append((answer.status_code, time.monotonic() - began))
        return answers

    with concurrent.futures.ThreadPoolExecutor(len(sidecars)) as pool:
        answers = [answer for found in pool.map(work, sidecars) for answer in found]
    spans = sorted(span for _, span in answers)
    return {
        "calls": len(answers),
        "refused": sum(status >= 400 for status, _ in answers),
        "codes": dict(codes),
        "median_s": statistics.median(spans),
        "p99_s": spans[len(spans) * 99 // 100],
        "max_s": spans[-1],
    }


def memory_mb(sidecars: list[Sidecar]) -> float:
    """Return the median resident memory of sidecars."""
    sizes = [float(psutil.Process(sidecar.pid).memory_info().rss) / 1e6 for sidecar in sidecars]
    return statistics.median(sizes)


def shown(figures: Mapping[str, Any]) -> str:
    """Return figures on one line."""
    return ", ".join(
        f"{name} {value:.2f}" if isinstance(value, float) else f"{name} {value}" for name, value in figures.items()
    )
