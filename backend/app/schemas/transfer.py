"""The lines of an export: what an import takes."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from app.core.validation import Boolean, Email, Moment, Uuid, text
from app.schemas.members import Name
from app.schemas.tasks import BlockingReason, Description, GearId, Priority, Status, Title
from app.schemas.updates import Content

StepTitle = Annotated[str, text(200)]
Count = Annotated[int, Meta(ge=0)]


class MemberLine(msgspec.Struct, kw_only=True):
    """A member."""

    id: Uuid
    name: Name
    email: Email
    active: Boolean
    created_at: Moment
    updated_at: Moment


class TaskLine(msgspec.Struct, kw_only=True):
    """A task, without what belongs to it."""

    id: Uuid
    title: Title
    description: Description | None
    status: Status
    priority: Priority
    assignee_id: Uuid | None
    gear_id: GearId | None
    blocking_reason: BlockingReason
    blocked_since: Moment | None
    created_at: Moment
    updated_at: Moment


class SubTaskLine(msgspec.Struct, kw_only=True):
    """A sub-task; those of a task come in their order."""

    id: Uuid
    task_id: Uuid
    title: StepTitle
    completed: Boolean
    created_at: Moment


class UpdateLine(msgspec.Struct, kw_only=True):
    """A daily update."""

    id: Uuid
    task_id: Uuid
    author_id: Uuid
    content: Content
    edited: Boolean
    created_at: Moment
    updated_at: Moment


class Imported(msgspec.Struct):
    """What an import added; what was there by its id was left as it is."""

    members: Count
    tasks: Count
    sub_tasks: Count
    daily_updates: Count
    skipped: Count
