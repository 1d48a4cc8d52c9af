"""Request and response bodies of members."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.validation import Boolean, Email, text

Name = Annotated[str, text(100), Meta(min_length=1, max_length=100)]


class Member(msgspec.Struct):
    """One person of the team."""

    id: str
    name: str
    email: str
    active: bool


class MemberCreate(msgspec.Struct):
    """Body of POST."""

    name: Name
    email: Email
    active: Boolean = True


class MemberUpdate(msgspec.Struct):
    """Body of PATCH: only what is present changes."""

    name: Name | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    active: Boolean | UnsetType = UNSET
