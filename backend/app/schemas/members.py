"""Request and response bodies of members."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.validation import Boolean, Email, text

Name = Annotated[str, text(100)]


class Member(msgspec.Struct):
    """One person of the team."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    name: str
    email: Annotated[str, Meta(extra_json_schema={"format": "email"})]
    active: bool


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
