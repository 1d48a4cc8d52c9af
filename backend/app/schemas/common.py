"""Bodies that several resources share."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""ISO 8601, UTC, with `Z`."""


class ErrorBody(msgspec.Struct):
    """Every error answer, from whatever layer."""

    error: Annotated[str, Meta(description="One sentence for a person")]


class StatusBody(msgspec.Struct):
    """A word that says what happened."""

    status: Literal["alive", "ok", "saved", "retrying", "stopping", "taken"]


class RotatedBody(msgspec.Struct):
    """Answer to the rotation of `fernet.key`."""

    status: Literal["rotated"]
    retired: Annotated[bool, Meta(description="False while the old key is still needed: the database was away")]
