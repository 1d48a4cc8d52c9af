"""Bodies of the connection settings; the rules of the fields are those of `app.db.settings`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.schemas.common import Timestamp


class DsnBody(msgspec.Struct):
    """A DSN instead of the five fields; fields fill in what the DSN leaves out."""

    dsn: Annotated[str, Meta(description="A postgresql:// URI or a libpq key=value string")]


class SavedConnection(msgspec.Struct):
    """The saved fields without the password."""

    host: str
    port: Annotated[int | str, Meta(description="Text if there are several hosts with a port each")]
    database: str
    username: str
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
    has_password: bool
    saved_at: Timestamp
    sslrootcert: str | UnsetType = UNSET
    sslcert: str | UnsetType = UNSET
    sslkey: str | UnsetType = UNSET
    target_session_attrs: str | UnsetType = UNSET
    channel_binding: str | UnsetType = UNSET
    options: str | UnsetType = UNSET
