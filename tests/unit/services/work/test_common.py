"""Time in the team's work: the day in which updates may be changed, and clocks that go back."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from app.core.exceptions import ForbiddenError
from app.schemas.members import MemberCreate
from app.schemas.tasks import TaskCreate, TaskUpdate
from app.schemas.updates import DailyUpdateCreate
from app.services.work.members import Members
from app.services.work.subtasks import SubTasks
from app.services.work.tasks import Tasks
from app.services.work.updates import DailyUpdates
from tests.support.in_process import InProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa


NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(hours=24)
MICROSECOND = dt.timedelta(microseconds=1)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self, _: sa.Connection) -> dt.datetime:
        """Tell the time."""
        return self.now


def anything(_read: Callable[[], str]) -> None:
    """No If-Match was sent."""


def added(store: InProcess, clock: Clock) -> dict[str, Any]:
    """A task with a daily update."""
    member = Members(store.database).create(MemberCreate(name="Ada", email="ada@example.com"))
    task = json.loads(Tasks(store.database, clock).create(TaskCreate(title="x", status="To Do", priority="Low")))
    body = DailyUpdateCreate(author_id=member.id, content="Done.")
    found: dict[str, Any] = json.loads(DailyUpdates(store.database, clock).create(task["id"], body))
    return found


def test_update_of_exactly_a_day_may_still_be_changed(store: InProcess) -> None:
    """A microsecond later it may not, by either call, and nothing is changed."""
    clock = Clock()
    service = DailyUpdates(store.database, clock)
    update = added(store, clock)
    task_id, update_id = update["task_id"], update["id"]

    clock.now = NOON + DAY
    changed = json.loads(service.update(task_id, update_id, "New.", anything))
    clock.now = NOON + DAY + MICROSECOND
    with pytest.raises(ForbiddenError, match=r"^Updates can only be edited within 24 hours\.$"):
        service.update(task_id, update_id, "Newer.", anything)
    with pytest.raises(ForbiddenError, match=r"^Updates can only be deleted within 24 hours\.$"):
        service.delete(task_id, update_id, anything)

    assert changed["updated_at"] == "2026-11-21T12:00:00.000000Z"
    assert json.loads(Tasks(store.database).get(task_id))["daily_updates"] == [changed]
    clock.now = NOON + DAY
    service.delete(task_id, update_id, anything)
    assert json.loads(Tasks(store.database).get(task_id))["daily_updates"] == []


def test_change_is_later_than_the_one_before_whatever_the_clock_says(store: InProcess) -> None:
    """Desktops' clocks differ: a change moves `updated_at` forwards, also one by a clock that is behind."""
    clock = Clock()
    update = added(store, clock)
    task_id = update["task_id"]
    clock.now = NOON - dt.timedelta(minutes=5)

    times = [json.loads(Tasks(store.database, clock).update(task_id, TaskUpdate(title="New"), anything))["updated_at"]]
    SubTasks(store.database, clock).create(task_id, "Step")
    times.append(json.loads(Tasks(store.database, clock).get(task_id))["updated_at"])
    changed = json.loads(DailyUpdates(store.database, clock).update(task_id, update["id"], "New.", anything))

    assert times == ["2026-11-20T12:00:00.000002Z", "2026-11-20T12:00:00.000003Z"]
    assert changed["updated_at"] == "2026-11-20T12:00:00.000001Z"


def test_times_are_told_in_utc_whatever_the_database_thinks(store: InProcess) -> None:
    """A server's or a role's time zone is its own."""
    clock = Clock()
    clock.now = dt.datetime(2026, 7, 1, 2, 3, 4, 50, dt.timezone(dt.timedelta(hours=5, minutes=45)))
    update = added(store, clock)
    if store.dialect == "postgresql":
        store.execute("ALTER ROLE CURRENT_USER SET TimeZone = 'Asia/Kathmandu'")
        store.opened.engine.dispose()

    found = json.loads(Tasks(store.database).get(update["task_id"]))

    assert found["created_at"] == found["daily_updates"][0]["created_at"] == "2026-06-30T20:18:04.000050Z"
