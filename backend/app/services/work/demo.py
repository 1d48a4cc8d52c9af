"""Filling an empty database with a made-up team, through the services that everybody's work goes through."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from app.core.exceptions import NotEmptyError
from app.db.base import utc_now
from app.models.members import members
from app.models.tasks import tasks
from app.schemas.members import MemberCreate, MemberUpdate
from app.schemas.tasks import BLOCKED, TaskCreate, TaskUpdate
from app.schemas.updates import DailyUpdateCreate
from app.services.configured import standalone_database
from app.services.migrations import revision_of, upgrade
from app.services.work.demo_team import STORIES, TEAM
from app.services.work.members import Members
from app.services.work.subtasks import SubTasks
from app.services.work.tasks import Tasks
from app.services.work.updates import DailyUpdates

if TYPE_CHECKING:
    from app.core.config import Config
    from app.db.session import Database
    from app.services.work.demo_team import Story

TO_DO: Final = "To Do"
DONE: Final = "Done"
IN_PROGRESS: Final = "In Progress"
_LAST: Final = dt.timedelta(hours=1)
"""How long ago the newest thing happened."""
_RECENT: Final = dt.timedelta(days=1)
"""What is told of the last day stays there, whatever the weekday: it can still be edited."""
_APART: Final = dt.timedelta(minutes=7)
"""What lies at least between two things that happen to a task."""


class Added(NamedTuple):
    """How much was added."""

    members: int
    tasks: int
    sub_tasks: int
    daily_updates: int


class _Clock:
    """The time at which the services believe to work."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self, _: sa.Connection) -> dt.datetime:
        return self.now


def fill(config: Config) -> Added:
    """Add the team to the configured database, all of it or nothing; a database without tables gets them first.

    Raises:
        NotEmptyError: there are members or tasks.
        ProblemError: the database cannot be reached, or its schema is not at head.
    """
    if revision_of(config) is None:
        upgrade(config)
    with standalone_database(config) as database, database.together() as connection:
        _require_empty(connection)
        return _add(database)


def _require_empty(connection: sa.Connection) -> None:
    """Raise NotEmptyError if there is any work; nobody else begins some before the transaction ends."""
    if connection.dialect.name == "postgresql":  # on SQLite a transaction that writes is alone anyway
        connection.exec_driver_sql("LOCK TABLE members, tasks IN SHARE ROW EXCLUSIVE MODE")
    for table in (members, tasks):
        if connection.execute(sa.select(sa.exists().select_from(table))).scalar_one():
            raise NotEmptyError(
                "The database holds members or tasks already; a made-up team goes into an empty one only."
            )


def _add(database: Database) -> Added:
    team = Members(database)
    ids = {person.name: team.create(MemberCreate(person.name, person.email)).id for person in TEAM}
    storyteller = _Storyteller(database, ids)
    for story in STORIES:
        storyteller.tell(story)
    for person in TEAM:
        if not person.active:  # they left with what they had
            team.update(ids[person.name], MemberUpdate(active=False), lambda _: None)
    return Added(
        len(TEAM),
        len(STORIES),
        sum(len(story.steps) for story in STORIES),
        sum(len(story.told) for story in STORIES),
    )


class _Storyteller:
    """Lets tasks happen in the past."""

    def __init__(self, database: Database, ids: dict[str, str]) -> None:
        self._ids = ids
        self._clock = _Clock()
        self._now = self._clock.now
        self._tasks = Tasks(database, self._clock)
        self._sub_tasks = SubTasks(database, self._clock)
        self._updates = DailyUpdates(database, self._clock)

    def tell(self, story: Story) -> None:
        """Create a task, let it be worked on, and bring it to where it stands."""
        begun = self._now - dt.timedelta(days=story.begun_days_ago)
        self._clock.now = _at_work(begun)
        task_id, step_ids = self._create(story)
        if story.status == TO_DO:
            return
        self._pass_to(begun + dt.timedelta(hours=3))
        self._change(task_id, TaskUpdate(status=IN_PROGRESS))
        ended = min(begun + dt.timedelta(days=story.days), self._now) if story.status == DONE else self._now
        self._work(story, task_id, step_ids, begun, ended - _LAST)
        if story.status != IN_PROGRESS:
            self._pass_to(self._clock.now)
            reason = story.blocking_reason if story.status == BLOCKED else msgspec.UNSET
            self._change(task_id, TaskUpdate(status=story.status, blocking_reason=reason))

    def _create(self, story: Story) -> tuple[str, list[str]]:
        body = TaskCreate(
            title=story.title,
            description=story.description,
            status=TO_DO,
            priority=story.priority,
            assignee_id=None if story.who is None else self._ids[story.who],
            gear_id=story.gear_id,
        )
        task_id = _id_in(self._tasks.create(body))
        step_ids = []
        for step in story.steps:
            self._clock.now += dt.timedelta(seconds=40)
            step_ids.append(_id_in(self._sub_tasks.create(task_id, step)))
        return task_id, step_ids

    def _work(self, story: Story, task_id: str, step_ids: list[str], begun: dt.datetime, ended: dt.datetime) -> None:
        """Tick steps and tell of the work, evenly spread."""
        for number, content in enumerate(story.told, start=1):
            self._pass_to(begun + (ended - begun) * number / len(story.told))
            until = round(story.steps_done * number / len(story.told))
            for step_id in step_ids[round(story.steps_done * (number - 1) / len(story.told)) : until]:
                self._sub_tasks.toggle(task_id, step_id, lambda _: None)
            self._clock.now += _APART
            self._updates.create(task_id, DailyUpdateCreate(author_id=self._ids[story.who or ""], content=content))

    def _pass_to(self, instant: dt.datetime) -> None:
        """Let time pass, at least a little, and never beyond the present."""
        is_recent = self._now - instant < _RECENT
        self._clock.now = min(max(instant if is_recent else _at_work(instant), self._clock.now + _APART), self._now)

    def _change(self, task_id: str, change: TaskUpdate) -> None:
        self._tasks.update(task_id, change, lambda _: None)


def _at_work(instant: dt.datetime) -> dt.datetime:
    """Return a time of day not long before at which people work, on a weekday."""
    hour = 8 + instant.hour * 9 // 24
    if hour > instant.hour:
        instant -= dt.timedelta(days=1)
    while instant.weekday() > 4:
        instant -= dt.timedelta(days=1)
    return instant.replace(hour=hour)


def _id_in(document: str) -> str:
    identifier: str = msgspec.json.decode(document)["id"]
    return identifier
