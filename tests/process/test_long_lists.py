"""A list that is longer than any page: sent as it is read, whole or visibly broken off, in little memory."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from tests.support.databases import SqliteDatabase
from tests.support.in_process import on_postgresql, on_sqlite
from tests.support.many_tasks import add_tasks
from tests.support.sidecar import Sidecar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Database

MANY = 3_000
MAX_GROWTH_BYTES = 30 << 20


@pytest.fixture(params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sidecar]:
    """A sidecar on a database of each kind with many tasks."""
    env = {}
    with Sidecar(config_dir=tmp_path / "config") as sidecar:
        sidecar.wait_healthy()
        file = SqliteDatabase(sidecar.data_dir).file
        sidecar.stop()
    if request.param == "sqlite":
        with on_sqlite(file) as store:
            add_tasks(store.opened, MANY)
    else:
        database: Database = request.getfixturevalue("database")
        env["TASKFLOW_DATABASE_URL"] = database.url
        with Sidecar(config_dir=tmp_path / "config", env=env) as sidecar:
            sidecar.wait_healthy()
        with on_postgresql(database.fields()) as store:
            add_tasks(store.opened, MANY)
    with Sidecar(config_dir=tmp_path / "config", env=env) as sidecar:
        yield sidecar.wait_settled()


def test_long_list_is_sent_as_it_is_read(full: Sidecar) -> None:
    """In the order of its pages, piece by piece as the rows come; memory does not grow with it."""
    first_page = full.request("GET", "/api/v1/tasks?limit=500").json()
    process = psutil.Process(full.pid)
    before = process.memory_info().rss
    parts, peak = [], before
    headers = {"Authorization": f"Bearer {full.token}"}
    with httpx.stream("GET", f"{full.url}/api/v1/tasks", headers=headers, timeout=60, trust_env=False) as answer:
        assert "Content-Length" not in answer.headers
        for part in answer.iter_raw():
            parts.append(part)
            peak = max(peak, process.memory_info().rss)

    listed = json.loads(b"".join(parts))

    assert listed[:500] == first_page
    assert len({task["id"] for task in listed}) == MANY
    assert all(a["updated_at"] >= b["updated_at"] for a, b in itertools.pairwise(listed))
    assert len(parts) >= len(b"".join(parts)) >> 17
    assert peak - before < MAX_GROWTH_BYTES
    # clients that begin to read and go away keep nothing from others, however many
    with httpx.Client(base_url=full.url, headers={"Authorization": f"Bearer {full.token}"}, timeout=60) as client:
        for _ in range(12):
            with client.stream("GET", "/api/v1/tasks") as answer:
                next(answer.iter_raw())
        for _ in range(3):
            assert client.get("/api/v1/tasks?limit=1").status_code == 200
        body = {"title": "x", "status": "To Do", "priority": "Low"}
        assert client.post("/api/v1/tasks", json=body).status_code == 201
        assert len(client.get("/api/v1/tasks").json()) == MANY + 1
