"""Request and response bodies of daily updates."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.core.validation import Uuid, text
from app.schemas.common import Timestamp

Content = Annotated[str, text(1000)]


class DailyUpdate(msgspec.Struct):
    """What a member tells of the work on a task."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    task_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    author_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    author_name: Annotated[str, Meta(description="The member's present name")]
    content: str
    created_at: Timestamp
    updated_at: Timestamp
    edited: Annotated[bool, Meta(description="Its content is no longer the first one")]


class ToldUpdate(DailyUpdate):
    """A daily update among those of other tasks."""

    task_title: str
    task_status: Literal["To Do", "In Progress", "Blocked", "Done"]


class LatestUpdate(msgspec.Struct):
    """What a task shows of its newest daily update."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    author_name: Annotated[str, Meta(description="The member's present name")]
    content: str
    created_at: Timestamp


class DailyUpdateCreate(msgspec.Struct):
    """A new daily update."""

    author_id: Uuid
    content: Content


class DailyUpdateChange(msgspec.Struct):
    """Another content; within 24 hours of creation."""

    content: Content
