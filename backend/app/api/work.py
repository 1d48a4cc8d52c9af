"""The routes of the work half: the team's work, the connection settings, what the sidecar does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.api.v1.events import EventsController
from app.api.v1.members import MembersController
from app.api.v1.settings import SettingsController
from app.api.v1.status import StatusController
from app.api.v1.subtasks import SubTasksController
from app.api.v1.tasks import TasksController
from app.api.v1.transfer import TransferController
from app.api.v1.updates import DailyUpdatesController, UpdatesController

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar import Controller

AREAS: Final[Mapping[tuple[str, ...], tuple[type[Controller], ...]]] = {
    ("/status", "/shutdown"): (StatusController,),
    ("/settings",): (SettingsController,),
    ("/members",): (MembersController,),
    ("/tasks",): (TasksController, SubTasksController, DailyUpdatesController),
    ("/updates",): (UpdatesController,),
    ("/events",): (EventsController,),
    ("/export", "/import"): (TransferController,),
}
"""Below ``/api/v1``: what is built together, and the paths at and below which it serves."""
