"""Request and response bodies of members."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.validation import Boolean, Email, Uuid, text
from app.schemas.common import Timestamp

Name = Annotated[str, text(100)]


class Member(msgspec.Struct):
    """One person of the team."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    name: str
    email: Annotated[str, Meta(extra_json_schema={"format": "email"})]
    active: bool


class ListedMember(Member):
    """One person of the team, and how much they have to do."""

    open_tasks: Annotated[int, Meta(ge=0, description="Tasks of theirs that are not Done")]
    last_update_at: Annotated[Timestamp | None, Meta(description="When they wrote their newest daily update")]


class Reassignment(msgspec.Struct):
    """Who gets a member's open tasks; null for nobody."""

    to: Uuid | None


class Reassigned(msgspec.Struct):
    """Answer to a reassignment."""

    moved: Annotated[int, Meta(ge=0, description="Tasks that have another assignee now")]


class MemberCreate(msgspec.Struct):
    """A new member; strings are trimmed, and an email is unique without regard to case."""

    name: Name
    email: Email
    active: Boolean = True


class MemberUpdate(msgspec.Struct):
    """A change of a member: only what is present changes."""

    name: Name | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    active: Boolean | UnsetType = UNSET
