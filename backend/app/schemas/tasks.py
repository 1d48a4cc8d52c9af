"""Request and response bodies of tasks."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.exceptions import ValidationError
from app.core.validation import Rule, Uuid, one_of, text
from app.models.tasks import PRIORITIES, STATUSES
from app.schemas.common import Timestamp
from app.schemas.subtasks import SubTask
from app.schemas.updates import DailyUpdate

BLOCKED: Final = "Blocked"
BLOCKING_REASON_REQUIRED: Final = "Blocking reason is required when status is Blocked"
_GEAR_DIGITS: Final = 4


def _check_gear_id(value: object) -> str:
    if isinstance(value, str) and len(value) == _GEAR_DIGITS and value.isascii() and value.isdigit():
        return value
    raise ValidationError("GEAR ID must be exactly 4 digits")


Id = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Title = Annotated[str, text(200)]
Description = Annotated[str, text(2000, trim=False, blank=True)]
Status = Annotated[str, one_of(*STATUSES)]
Priority = Annotated[str, one_of(*PRIORITIES)]
GearId = Annotated[str, Rule(_check_gear_id, type="string", pattern="^[0-9]{4}$")]
BlockingReason = Annotated[str, text(1000, blank=True)]


class Task(msgspec.Struct):
    """A piece of the team's work."""

    id: Id
    title: str
    description: str | None
    status: Literal["To Do", "In Progress", "Blocked", "Done"]
    priority: Literal["High", "Medium", "Low"]
    assignee_id: Id | None
    assignee_name: Annotated[str | None, Meta(description="The member's present name")]
    gear_id: str | None
    blocking_reason: Annotated[str, Meta(description="Empty unless the status is Blocked")]
    sub_tasks: Annotated[list[SubTask], Meta(description="In their order")]
    daily_updates: Annotated[list[DailyUpdate], Meta(description="Newest first; always empty in lists")]
    created_at: Timestamp
    updated_at: Timestamp


class TaskCreate(msgspec.Struct, kw_only=True):
    """A new task; a blocking reason is required for a blocked one, and dropped otherwise."""

    title: Title
    description: Description | None = None
    status: Status
    priority: Priority
    assignee_id: Uuid | None = None
    gear_id: GearId | None = None
    blocking_reason: BlockingReason | None = None


class TaskUpdate(msgspec.Struct, kw_only=True):
    """A change of a task: only what is present changes."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    assignee_id: Uuid | UnsetType | None = UNSET
    gear_id: GearId | UnsetType | None = UNSET
    blocking_reason: BlockingReason | UnsetType | None = UNSET
