"""Sidecars that work on one database while everything fails in turn: nothing acknowledged is lost, nothing doubled.

The long form is `python3 scripts/soak.py faults`.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.databases import fresh_database
from tests.support.faults import dead_server, without_descriptors
from tests.support.pooler import Pooler
from tests.support.postgres import PostgresServer
from tests.support.storm import Storm, stormy
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import SidecarFactory
    from tests.support.databases import Database
    from tests.support.sidecar import Sidecar

LONG = ("server killed", "sidecar killed", "table locked")
"""Faults that take seconds by themselves."""
DEAD_S = 2.5
"""Longer than several heartbeats and attempts to connect take."""


@pytest.fixture
def own_database() -> Iterator[Database]:
    """A database on a server of its own, which is stopped and killed."""
    with PostgresServer() as server, fresh_database(server, with_tables=True) as database:
        yield database


def test_nothing_is_lost_or_doubled_in_a_storm(own_database: Database, tmp_path: Path) -> None:
    """Each fault once, as the seed has it; the seed of a failure is told, and reproduces it."""
    seed = secrets.randbelow(1 << 32)
    with stormy(own_database, tmp_path, desktops=2) as desktops:
        storm = Storm(seed, desktops, own_database, workers=3)
        storm.blow(rounds=1, longest_s=0.3, without=LONG)
        wrong = storm.judge()

    assert wrong == [], storm.table()
    assert storm.faulted > 0
    assert storm.acknowledged > 0


def test_a_server_that_is_gone_behind_its_pooler_is_told(
    own_database: Database, sidecar_factory: SidecarFactory
) -> None:
    """The pooler goes on letting everybody in; health says 503 all the time all the same, and heals."""
    server = own_database.server
    with Pooler(server, {own_database.username: own_database.password}) as pooler:
        url = own_database.url.replace(f":{server.port}/", f":{pooler.port}/")
        sidecar = sidecar_factory(env={"TASKFLOW_DATABASE_URL": url}).wait_healthy()
        with dead_server(server):
            wait_until(lambda: sidecar.health()[0] == 503, timeout_s=10, what="the loss")
            told = []
            until = time.monotonic() + DEAD_S
            while time.monotonic() < until:
                told += [sidecar.health()[0], sidecar.request("GET", "/api/v1/members").status_code]
                time.sleep(0.05)
        assert set(told) == {503}
        sidecar.wait_healthy()
        assert sidecar.request("GET", "/api/v1/members").status_code == 200


@pytest.mark.cold
def test_a_start_that_may_open_no_file_goes_on_when_it_may(sidecar_factory: SidecarFactory) -> None:
    """The process waits rather than ends, and both halves are served afterwards."""
    sidecar = sidecar_factory().wait_for_listening()
    sidecar.health()  # it answers; what comes now may fail
    with without_descriptors(sidecar):
        wait_until(lambda: _has_met_the_limit(sidecar), timeout_s=30, what="a file that is not opened")
    sidecar.wait_healthy()

    sidecar.wait_for(lambda document: document["vault"]["state"] == "unlocked")
    assert sidecar.request("GET", "/api/v1/members").status_code == 200
    assert sidecar.request("GET", "/api/v1/servers").status_code == 200


def _has_met_the_limit(sidecar: Sidecar) -> bool:
    """Tell whether something could not be opened, or all of it was before."""
    words = sidecar.stderr_text()
    return "Too many open files" in words or "storage-unwritable" in words or "vault attached" in words
