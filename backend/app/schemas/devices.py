"""Request and response bodies of a team's vault: who is in, who asks, who lets in."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from app.core.validation import text
from app.schemas.common import Timestamp
from app.schemas.vault import RotationDocument

MAX_LABEL_CHARS: Final = 100
MAX_CODE_CHARS: Final = 100

DeviceState = Literal["requested", "member", "untrusted"]


class DeviceDocument(msgspec.Struct):
    """A desktop that is in, or asks to come in."""

    device_id: str
    label: str
    state: Annotated[
        DeviceState, Meta(description="`untrusted`: no member vouches for the row, so nothing is shared with it")
    ]
    is_this: Annotated[bool, Meta(description="Whether it is the desktop that answers")]
    requested_at: Timestamp | None
    expires_at: Timestamp | None
    approved_at: Timestamp | None
    approved_by: Annotated[str | None, Meta(description="Id of the device that let it in")]
    last_seen_at: Timestamp | None


class DeviceList(msgspec.Struct):
    """Desktops, those that ask first."""

    items: list[DeviceDocument]


class AskBody(msgspec.Struct):
    """How this desktop is to be called."""

    label: Annotated[str, text(MAX_LABEL_CHARS)] | None = None


class RequestDocument(msgspec.Struct):
    """What this desktop asks for, with the code that is to be read out."""

    device_id: str
    code: Annotated[str, Meta(description="To be read out to somebody whose desktop is in; shown nowhere else")]
    expires_at: Timestamp

    def __repr__(self) -> str:
        return f"RequestDocument({self.device_id})"


class ApproveBody(msgspec.Struct):
    """The code that the newcomer reads out."""

    code: Annotated[str, text(MAX_CODE_CHARS)]

    def __repr__(self) -> str:
        return "ApproveBody(...)"


class RemovalDocument(msgspec.Struct):
    """What follows from a removal."""

    rotation: RotationDocument
    secrets: Annotated[
        int, Meta(description="How many secrets the desktop could have read: replace them at their providers")
    ]
    recovery_code_void: Annotated[
        bool, Meta(description="Whether there was a recovery code, which is void now: make a new one")
    ]
