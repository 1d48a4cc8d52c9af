"""The routes of the work half: the team's work, the connection settings, what the sidecar does."""

from __future__ import annotations

from typing import Final

from app.api.v1.events import EventsController
from app.api.v1.members import MembersController
from app.api.v1.settings import SettingsController
from app.api.v1.status import StatusController
from app.api.v1.subtasks import SubTasksController
from app.api.v1.tasks import TasksController
from app.api.v1.transfer import TransferController
from app.api.v1.updates import DailyUpdatesController, UpdatesController

V1: Final = (
    StatusController,
    SettingsController,
    MembersController,
    TasksController,
    SubTasksController,
    DailyUpdatesController,
    UpdatesController,
    EventsController,
    TransferController,
)
