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
from app.schemas.updates import DailyUpdate, LatestUpdate

BLOCKED: Final = "Blocked"
DONE: Final = "Done"
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
GEAR_ID: Final = Rule(_check_gear_id, type="string", pattern="^[0-9]{4}$")
GearId = Annotated[str, GEAR_ID]
BlockingReason = Annotated[str, text(1000, blank=True)]


Count = Annotated[int, Meta(ge=0)]


class Task(msgspec.Struct):
    """A piece of the team's work."""

    id: Id
    title: str
    description: str | None
    status: Literal["To Do", "In Progress", "Blocked", "Done"]
    priority: Literal["High", "Medium", "Low"]
    assignee_id: Id | None
    assignee_name: Annotated[str | None, Meta(description="The member's present name")]
    assignee_active: Annotated[bool | None, Meta(description="Whether the member is active")]
    gear_id: str | None
    blocking_reason: Annotated[str, Meta(description="Empty unless the status is Blocked")]
    blocked_since: Annotated[Timestamp | None, Meta(description="When it became Blocked; null unless it is")]
    sub_tasks: Annotated[list[SubTask], Meta(description="In their order")]
    daily_updates: Annotated[list[DailyUpdate], Meta(description="Newest first; always empty in lists")]
    latest_update: Annotated[LatestUpdate | None, Meta(description="The newest daily update, also in lists")]
    created_at: Timestamp
    updated_at: Timestamp


class StatusCounts(msgspec.Struct):
    """How many tasks there are of each status."""

    to_do: Count = msgspec.field(name="To Do")
    in_progress: Count = msgspec.field(name="In Progress")
    blocked: Count = msgspec.field(name="Blocked")
    done: Count = msgspec.field(name="Done")


class PriorityCounts(msgspec.Struct):
    """How many tasks there are of each priority."""

    high: Count = msgspec.field(name="High")
    medium: Count = msgspec.field(name="Medium")
    low: Count = msgspec.field(name="Low")


class TaskCounts(msgspec.Struct):
    """How many tasks pass the filters."""

    total: Count
    status: StatusCounts
    priority: PriorityCounts
    unassigned: Count


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
