"""Sidecars that write while their server changes: how long each is silent, and whether anything is lost."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import httpx
import psycopg2

from tests.support.patroni import NODES, PatroniCluster
from tests.support.sidecar import Sidecar, stop_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SETTLE_S: Final = 3.0
LONGEST_S: Final = 60.0
THINK_S: Final = 0.02
LOOK_S: Final = 0.01


@dataclass
class Writer:
    """One sidecar and a client that adds tasks through it, one after the other."""

    sidecar: Sidecar
    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    refusals: int = 0

    def write(self, until: threading.Event) -> None:
        """Write until told to stop."""
        body = {"title": "x", "status": "To Do", "priority": "Low"}
        while not until.is_set():
            with contextlib.suppress(httpx.HTTPError):
                answer = self.sidecar.request("POST", "/api/v1/tasks", json=body)
                if answer.status_code == 201:
                    self.acknowledged.append((time.monotonic(), answer.json()["id"]))
                else:
                    self.refusals += 1
            time.sleep(THINK_S)

    def first_after(self, at: float) -> float | None:
        """Return when the first task was acknowledged after a moment."""
        return next((when for when, _ in self.acknowledged if when > at), None)


@dataclass
class Change:
    """One change of the leader."""

    kind: str
    leaderless_s: float
    """From the blow until a server took changes again, as a plain client of the new leader finds out."""
    silent_s: list[float]
    """From then until each sidecar's next acknowledged task."""


class FailoverTrial:
    """Sidecars under load on a Patroni cluster."""

    def __init__(self, cluster: PatroniCluster, home: Path, *, sidecars: int = 5, through: str = "servers") -> None:
        self.cluster = cluster
        self.changes: list[Change] = []
        self._until = threading.Event()
        self.writers = []
        for number in range(sidecars):
            sidecar = Sidecar(config_dir=home / f"desktop-{number}", env={"TASKFLOW_EMBEDDED": "0"}).start()
            self.writers.append(Writer(sidecar))
            sidecar.save_connection(cluster.fields(through))
        for writer in self.writers:
            writer.sidecar.wait_healthy()
        self._threads = [threading.Thread(target=writer.write, args=(self._until,)) for writer in self.writers]

    @contextlib.contextmanager
    def under_load(self) -> Iterator[None]:
        """Write while the block runs; afterwards stop the writers."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._until.set()
            for thread in self._threads:
                thread.join()

    def close(self) -> None:
        """Stop the sidecars."""
        stop_all(writer.sidecar for writer in self.writers)

    def change(self, kind: str, blow: Callable[[], str]) -> None:
        """Let the leader change, and note how long everybody was silent."""
        self.cluster.wait_steady()
        time.sleep(SETTLE_S)
        began = time.monotonic()
        found: list[float] = []
        led = self.cluster.wait_for_leader()
        watchers = [
            threading.Thread(target=self._watch, args=(name, began, found), daemon=True)
            for name in NODES
            if name != led
        ]
        for watcher in watchers:
            watcher.start()
        blow()
        for watcher in watchers:
            watcher.join(LONGEST_S)
        ready = min(found)
        deadline = time.monotonic() + LONGEST_S
        while any(writer.first_after(ready) is None for writer in self.writers) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        silent = [at - ready for writer in self.writers if (at := writer.first_after(ready)) is not None]
        assert len(silent) == len(self.writers), f"{kind}: somebody stays silent"
        self.changes.append(Change(kind, ready - began, silent))

    def _watch(self, name: str, began: float, found: list[float]) -> None:
        """Look when a server takes a change that is acknowledged, until some server does."""
        while not found and time.monotonic() < began + LONGEST_S:
            with contextlib.suppress(psycopg2.Error), self.cluster.connect(name) as connection:
                cursor = connection.cursor()
                while not found:
                    cursor.execute("SELECT pg_is_in_recovery()")
                    if not cursor.fetchone()[0]:
                        cursor.execute("CREATE TABLE IF NOT EXISTS public.trial_of_a_plain_client (at timestamptz)")
                        found.append(time.monotonic())
                        return
                    time.sleep(LOOK_S)
            time.sleep(LOOK_S)

    def lost(self) -> int:
        """Count what was acknowledged and is not there, as the last desktop sees it."""
        present = {
            task["id"] for task in self.writers[-1].sidecar.wait_healthy().request("GET", "/api/v1/tasks").json()
        }
        return sum(identifier not in present for writer in self.writers for _, identifier in writer.acknowledged)

    def table(self) -> str:
        """Return a table of the changes."""
        lines = [f"{'change':<12}{'leaderless':>12}{'silent median':>15}{'max':>8}"]
        lines += [
            f"{change.kind:<12}{change.leaderless_s:>10.2f} s{statistics.median(change.silent_s):>13.2f} s"
            f"{max(change.silent_s):>6.2f} s"
            for change in self.changes
        ]
        silent = [each for change in self.changes for each in change.silent_s]
        acknowledged = sum(len(writer.acknowledged) for writer in self.writers)
        refusals = sum(writer.refusals for writer in self.writers)
        lines.append(
            f"{len(self.changes)} changes, {len(self.writers)} sidecars: {acknowledged} acknowledged,"
            f" {self.lost()} lost, {refusals} refused; writing again after the new leader:"
            f" median {statistics.median(silent):.2f} s, at most {max(silent):.2f} s"
        )
        return "\n".join(lines)
