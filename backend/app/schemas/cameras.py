"""Request and response bodies of cameras."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.validation import Boolean, Rule, plain_string, text
from app.schemas.camera_urls import parse_camera_url
from app.schemas.common import Timestamp
from app.schemas.urls import MAX_URL_CHARS
from app.schemas.vault import EXPIRY, MAX_SECRET_CHARS

MAX_NAME_CHARS: Final = 100
MAX_USERNAME_CHARS: Final = 256
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_USUAL_URL: Final = (
    r"^(rtsps?|https?)://[a-z0-9]{1,20}(\.[a-z0-9]{1,20}){0,3}(:[1-9][0-9]{0,3})?(/[A-Za-z0-9._~-]{0,30}){0,5}$"
)
"""What usual addresses look like; more is understood."""


def _check_url(value: object) -> str:
    string = plain_string(value).strip()
    parse_camera_url(string)
    return string


def _check_username(value: object) -> str:
    string = plain_string(value).strip()
    if len(string) > MAX_USERNAME_CHARS:
        raise ValueError(f"String should have at most {MAX_USERNAME_CHARS} characters")
    if _CONTROL.search(string):
        raise ValueError("Input should not contain control characters")
    return string


STREAM_URL: Final = Rule(_check_url, type="string", maxLength=MAX_URL_CHARS, pattern=_USUAL_URL)
USERNAME: Final = Rule(
    _check_username, type="string", maxLength=MAX_USERNAME_CHARS, pattern=r"^[^\u0000-\u001f\u007f-\u009f]*$"
)
PASSWORD: Final = text(MAX_SECRET_CHARS, trim=False, blank=True)

Name = Annotated[str, text(MAX_NAME_CHARS)]
StreamUrl = Annotated[
    str,
    STREAM_URL,
    Meta(description="rtsp, rtsps, http or https; credentials in it are moved to username and password"),
]
Username = Annotated[str, USERNAME]
Password = Annotated[str, PASSWORD, Meta(description="A mask, as it was read, keeps the stored one; null removes it")]
Expiry = Annotated[Any, EXPIRY, Meta(description="Of the password; null for never")]


class Camera(msgspec.Struct):
    """One camera."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    name: str
    stream_url: Annotated[str, Meta(description="Without credentials")]
    username: str | None
    password: Literal["****"] | None
    active: bool
    status: Annotated[str | None, Meta(description="Of the stored password, such as unreadable or expired")]
    expires_at: Annotated[Timestamp | None, Meta(description="Of the stored password")]


class CameraBody(msgspec.Struct):
    """A whole camera; a password that is left out is none."""

    name: Name
    stream_url: StreamUrl
    username: Username | None = None
    password: Password | None = None
    active: Boolean = True
    expires_at: Expiry | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return "CameraBody(...)"


class CameraChange(msgspec.Struct):
    """A change of a camera: only what is present changes."""

    name: Name | UnsetType = UNSET
    stream_url: StreamUrl | UnsetType = UNSET
    username: Username | UnsetType | None = UNSET
    password: Password | UnsetType | None = UNSET
    active: Boolean | UnsetType = UNSET
    expires_at: Expiry | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return "CameraChange(...)"


class CameraProbe(msgspec.Struct):
    """A camera that is not saved yet; a mask for its password counts as none."""

    stream_url: StreamUrl
    username: Username | None = None
    password: Annotated[str, PASSWORD] | None = None

    def __repr__(self) -> str:
        return "CameraProbe(...)"


class CameraOutcome(msgspec.Struct):
    """Whether a camera can be used."""

    ok: bool
    message: Annotated[str, Meta(description="One sentence for a person")]
