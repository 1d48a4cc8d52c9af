"""Request and response bodies of sub-tasks."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from app.core.validation import Rule, check_uuid, text
from app.schemas.common import Timestamp

Title = Annotated[str, text(200)]


def _check_uuids(value: object) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("Input should be a valid list")
    return [check_uuid(item) for item in value]


Uuids = Annotated[list[str], Rule(_check_uuids, type="array", items={"type": "string", "format": "uuid"})]


class SubTask(msgspec.Struct):
    """One step of a task."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    task_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    title: str
    completed: bool
    position: Annotated[int, Meta(ge=0, description="0 to n-1 within the task")]
    created_at: Timestamp


class SubTaskCreate(msgspec.Struct):
    """A new sub-task, which goes to the end."""

    title: Title


class SubTaskUpdate(msgspec.Struct):
    """A new title."""

    title: Title


class SubTaskOrder(msgspec.Struct):
    """The sub-tasks of a task, each exactly once, in their new order."""

    sub_task_ids: Uuids
