"""Blocks of several services that are kept together, or not at all."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.exceptions import DatabaseAwayError
from app.db.base import utc_now
from app.db.session import WRITE
from app.models.tenants import tenants, trial_calls
from tests.support.in_process import InProcess, count_of, on_sqlite
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(store: InProcess) -> InProcess:
    """An empty database of each kind, but for a tenant."""
    with store.opened.writer.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO tenants (id, name, tier, trial_limit, created_at, updated_at)"
            " VALUES ('a', 'A', 'trial', 1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')"
        )
    return store


def add(store: InProcess, day: str) -> None:
    """Write something, in a block of its own."""
    with store.database.write() as connection:
        connection.execute(sa.insert(trial_calls).values(tenant_id="a", day=day, calls=1))


def days(store: InProcess) -> list[str]:
    """Read, in a block of its own."""
    with store.database.read() as connection:
        return list(connection.scalars(sa.select(trial_calls.c.day).order_by(trial_calls.c.day)))


def test_blocks_see_and_share_the_fate_of_their_transaction(store: InProcess) -> None:
    """What one wrote another reads, nobody else does before the end, and a failure takes all of it back."""
    with store.database.together():
        add(store, "1")
        assert days(store) == ["1"]
        assert count_of(trial_calls, store) == 0
    assert days(store) == ["1"]

    with contextlib.suppress(ZeroDivisionError), store.database.together():
        add(store, "2")
        raise ZeroDivisionError
    assert days(store) == ["1"]


def test_block_that_fails_may_be_survived(store: InProcess) -> None:
    """As it may be alone: what it wrote is taken back, what others wrote stays."""
    with store.database.together() as connection:
        add(store, "1")
        with contextlib.suppress(IntegrityError), store.database.write() as inner:
            inner.execute(sa.insert(trial_calls).values(tenant_id="a", day="2", calls=1))
            inner.execute(sa.insert(trial_calls).values(tenant_id="a", day="1", calls=1))
            raise AssertionError("the day was added twice")
        connection.execute(sa.insert(tenants).values(**_tenant("b")))
        add(store, "3")

    assert days(store) == ["1", "3"]
    assert count_of(tenants, store) == 2


def _tenant(identifier: str) -> dict[str, object]:
    return {
        "id": identifier,
        "name": "B",
        "tier": "trial",
        "trial_limit": 1,
        "created_at": utc_now(),
        "updated_at": utc_now(),
    }


def test_other_threads_and_later_blocks_are_on_their_own(store: InProcess) -> None:
    """Only the thread that began it is part of it, and only as long as it lasts."""
    seen: list[list[str]] = []
    with store.database.together():
        add(store, "1")
        thread = threading.Thread(target=lambda: seen.append(days(store)))
        thread.start()
        thread.join()
    assert seen == [[]]

    with pytest.raises(ZeroDivisionError), store.database.together():
        raise ZeroDivisionError
    add(store, "2")
    assert days(store) == ["1", "2"]


def test_listeners_hear_of_what_was_committed(store: InProcess) -> None:
    """Once a transaction, and not of one that failed."""
    heard: list[int] = []
    store.database.on_written = lambda: heard.append(len(days(store)))

    add(store, "1")
    with store.database.together():
        add(store, "2")
        add(store, "3")
    with pytest.raises(ZeroDivisionError), store.database.write():
        raise ZeroDivisionError

    assert heard == [1, 3]


def test_full_disk_is_told_with_its_remedy(tmp_path: Path) -> None:
    """Reading goes on, so nothing but the answer to a write says what to do."""
    with on_sqlite(tmp_path / "full.db") as store, pytest.raises(DatabaseAwayError, match="Check free disk") as caught:
        fill(store)

    assert caught.value.code == "storage-unwritable"


def fill(store: InProcess) -> None:
    """Write more than there is room for."""
    with store.database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        for number in range(1_000):
            connection.execute(sa.insert(tenants).values(_tenant(f"{number:900}")))


def test_who_came_first_writes_first(sqlite_store: InProcess) -> None:
    """Whoever writes again and again leaves something to others, which SQLite itself does not see to."""
    opened = sqlite_store.opened
    served: list[str] = []

    def write(name: str) -> None:
        with sqlite_store.database.write():
            served.append(name)

    waits = threading.Thread(target=write, args=("first",))
    with sqlite_store.database.write():
        waits.start()
        wait_until(lambda: len(opened._turns[WRITE]) == 1, timeout_s=30, what="the other one to wait")
    write("second")
    waits.join(5)
    assert served == ["first", "second"]
