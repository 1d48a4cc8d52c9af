"""A team's years in one database: filled in minutes, then asked over HTTP."""

from __future__ import annotations

import contextlib
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import psutil  # type: ignore[import-untyped]

from tests.support.in_process import on_postgresql
from tests.support.many_tasks import NEEDLE, add_tasks, add_updates
from tests.support.sidecar import Sidecar
from tests.support.vaults import desktop
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.databases import Database

ROUNDS: Final = 9
STARTS: Final = 3
LONG_S: Final = 600.0
_AT_ONCE: Final = 2_000


@dataclass(frozen=True)
class Size:
    """How much of everything there is."""

    tasks: int
    members: int
    updates: int
    audit_entries: int
    secrets: int

    @classmethod
    def of(cls, tasks: int) -> Self:
        """Return a size in proportion."""
        return cls(tasks, max(10, tasks // 100), 2 * tasks, tasks // 2, tasks // 10)


def fill(database: Database, config_dir: Path, size: Size) -> None:
    """Fill a database with all that, under the keys of a config directory."""
    with on_postgresql(database.fields()) as store:
        with _without_index_of_words(database):
            add_tasks(store.opened, size.tasks)
        add_updates(store.opened, size.updates, authors_count=size.members)
        one = desktop(store, config_dir)
        one.vault.attachment.ensure_attached()
        one.fill(size.secrets)
        for start in range(0, size.audit_entries, _AT_ONCE):
            with one.audit.writing() as connection:
                for number in range(start, min(size.audit_entries, start + _AT_ONCE)):
                    one.audit.append(
                        connection, action="reveal", actor="cli", owner_kind="tenant", owner_id=f"t{number}"
                    )
    database.execute("VACUUM ANALYZE")


@contextlib.contextmanager
def _without_index_of_words(database: Database) -> Iterator[None]:
    """Make the index that the search uses anew after the block: row by row it would take most of the time."""
    find = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'task_grams' AND indexdef LIKE '%USING gin%'"
    found = database.query(find)
    for name, _ in found:
        database.execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in found:
        database.execute(f"SET ROLE {database.username}; {definition}")


def measured(database: Database, config_dir: Path, size: Size) -> dict[str, float]:
    """Return figures of a sidecar on it: milliseconds, microseconds for each of many, megabytes."""
    env = {"TASKFLOW_DATABASE_URL": database.url}
    starts = []
    for _ in range(STARTS):
        with Sidecar(config_dir=config_dir, env=env) as sidecar:
            began = time.monotonic()
            sidecar.wait_for_listening().wait_healthy()
            starts.append((time.monotonic() - began) * 1000)
    with Sidecar(config_dir=config_dir, env=env) as sidecar:
        sidecar.wait_healthy().wait_for(lambda document: document["vault"]["state"] == "unlocked")
        process = psutil.Process(sidecar.pid)

        def get(path: str, **params: str) -> Callable[[], Any]:
            return lambda: sidecar.request("GET", f"/api/v1/{path}", params=params, timeout_s=LONG_S)

        figures = {"start-up, ms": statistics.median(starts)}
        for name, ask in {
            "first page, ms": get("tasks", limit="50"),
            "filter, ms": get("tasks", limit="50", status="Blocked"),
            "search, ms": get("tasks", limit="50", search=NEEDLE),
            "counts, ms": get("tasks/counts"),
            "updates, first page, ms": get("updates", limit="50"),
            "audit, first page, ms": get("audit", limit="50"),
        }.items():
            figures[name] = _median_ms(ask)
        figures["memory after that, MB"] = process.memory_info().rss / 1e6
        began = time.monotonic()
        assert get("audit/verify")().json()["ok"]
        figures["verify, microseconds an entry"] = (time.monotonic() - began) * 1e6 / size.audit_entries
        began = time.monotonic()
        assert sidecar.request("POST", "/api/v1/vault/rotate").status_code == 202
        ends = get("vault/rotation")
        wait_until(lambda: ends().json()["state"] == "done", timeout_s=LONG_S, what="the rotation", interval_s=0.05)
        figures["rotation, microseconds a secret"] = (time.monotonic() - began) * 1e6 / size.secrets
        figures["memory at the end, MB"] = process.memory_info().rss / 1e6
    return figures


def _median_ms(ask: Callable[[], Any]) -> float:
    spans = []
    for _ in range(ROUNDS + 1):
        began = time.monotonic()
        answer = ask()
        spans.append((time.monotonic() - began) * 1000)
        assert answer.status_code == 200, answer.text
    return statistics.median(spans[1:])
