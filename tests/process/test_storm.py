"""Sidecars that work on one database while everything fails in turn: nothing acknowledged is lost, nothing doubled.

The long form is `python3 scripts/soak.py faults`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests.support.databases import fresh_database
from tests.support.postgres import PostgresServer
from tests.support.storm import Storm, stormy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Database

LONG = ("server killed", "sidecar killed", "table locked", "no logins")
"""Faults that take seconds by themselves."""


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
