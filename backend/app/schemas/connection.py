"""Bodies of the connection settings; the rules of the fields are those of `app.db.settings`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.validation import text
from app.db.settings import MAX_PATH
from app.schemas.common import Timestamp


class DsnBody(msgspec.Struct):
    """A DSN instead of the five fields; fields fill in what the DSN leaves out."""

    dsn: Annotated[str, Meta(description="A postgresql:// URI or a libpq key=value string")]


class PasswordlessBody(msgspec.Struct):
    """Settings of a login without a password; the other fields as with one."""

    host: str
    port: int
    database: str
    username: str
    auth: Literal["kerberos", "certificate", "none"]


class PasswordBody(msgspec.Struct):
    """A password, or a token that serves as one; kept exactly as it is sent."""

    password: Annotated[str, text(8192, trim=False)]

    def __repr__(self) -> str:
        return "PasswordBody(...)"


VerdictCode = Literal[
    "good",
    "expires-soon",
    "expired",
    "not-yet-valid",
    "missing",
    "relative",
    "no-file",
    "unreadable",
    "not-pem",
    "damaged",
    "no-certificate",
    "is-key",
    "no-key",
    "key-encrypted",
    "key-open",
    "key-mismatch",
]


class CertificateFiles(msgspec.Struct):
    """Files of a connection, to be looked at before they are used; each by its whole path."""

    sslrootcert: Annotated[str, text(MAX_PATH)] | None = None
    sslcert: Annotated[str, text(MAX_PATH)] | None = None
    sslkey: Annotated[str, text(MAX_PATH)] | None = None


class FileVerdict(msgspec.Struct):
    """Whether a file serves, and why not."""

    ok: bool
    code: VerdictCode
    message: Annotated[str, Meta(description="One sentence for a person")]
    subject: Annotated[str | None, Meta(description="Whose certificate it is")]
    expires_at: Timestamp | None


class FileVerdicts(msgspec.Struct):
    """A verdict for each file; null if it was not named, or is `system`."""

    sslrootcert: FileVerdict | None
    sslcert: FileVerdict | None
    sslkey: FileVerdict | None


class ConnectionAnswer(msgspec.Struct):
    """What happened to the settings that were sent."""

    status: Literal["ok", "saved"]
    ignored: (
        Annotated[list[str], Meta(description="Parameters of the DSN that belong to other programs; left out if none")]
        | UnsetType
    ) = UNSET


class SavedConnection(msgspec.Struct):
    """The saved fields without the password."""

    host: str
    port: Annotated[int | str, Meta(description="Text if there are several hosts with a port each")]
    database: str
    username: str
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
    has_password: bool
    saved_at: Timestamp
    auth: Annotated[
        Literal["kerberos", "certificate", "none"] | UnsetType, Meta(description="Left out for a password")
    ] = UNSET
    sslrootcert: str | UnsetType = UNSET
    sslcert: str | UnsetType = UNSET
    sslkey: str | UnsetType = UNSET
    target_session_attrs: str | UnsetType = UNSET
    channel_binding: str | UnsetType = UNSET
    options: str | UnsetType = UNSET
    krbsrvname: str | UnsetType = UNSET
    gssencmode: str | UnsetType = UNSET
    require_auth: str | UnsetType = UNSET
    hostaddr: str | UnsetType = UNSET
    load_balance_hosts: str | UnsetType = UNSET
    sslnegotiation: str | UnsetType = UNSET
