"""Request and response bodies of the vault."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta

from app.core.exceptions import ValidationError
from app.core.validation import Rule, build, one_of, plain_string, text
from app.db.lenient import shown_instant
from app.schemas.common import Timestamp

OWNER_KINDS: Final = ("server", "user", "tenant", "system", "camera", "alert_rule")
MAX_SECRET_CHARS: Final = 8192
MAX_OPERATIONS: Final = 1000
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")

RotationState = Literal["idle", "staged", "rewrapping", "drained", "done"]


def _check_expiry(value: object) -> dt.datetime:
    """An instant in the future, with its offset from UTC."""
    string = plain_string(value).strip()
    if not _INSTANT.fullmatch(string):
        raise ValueError("Input should be a date and time with its offset from UTC")
    try:
        instant = dt.datetime.fromisoformat(string.upper()).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise ValueError("Input should be a date and time with its offset from UTC") from None
    if instant <= dt.datetime.now(dt.UTC):
        raise ValueError("Input should be in the future")
    return instant


EXPIRY: Final = Rule(_check_expiry, type="string", format="date-time")
SECRET: Final = text(MAX_SECRET_CHARS, trim=False)
Kind = Annotated[str, one_of(*OWNER_KINDS)]
OwnerId = Annotated[str, text(64)]
SecretLabel = Annotated[str, text(200)]


class SecretInfo(msgspec.Struct):
    """A secret as lists show it; nothing is decrypted for it."""

    id: str
    owner_kind: str
    owner_id: str
    name: str
    fingerprint: str
    hint: str | None
    status: str
    status_evidence: str | None
    row_version: int
    last_validated_at: Timestamp | None
    expires_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp


class RotationDocument(msgspec.Struct):
    """The present or the last rotation of the vault key."""

    state: RotationState
    from_kid: str | None
    to_kid: str | None
    total: int
    done: int
    quarantined: int
    started_at: Timestamp | None
    finished_at: Timestamp | None


def rotation_document(row: Any) -> RotationDocument | None:
    """Return the JSON form of a job."""
    if row is None or row.state not in get_args(RotationState):
        return None
    return RotationDocument(
        state=row.state,
        from_kid=row.from_kid,
        to_kid=row.to_kid,
        total=max(row.total, 0),
        done=max(row.done, 0),
        quarantined=max(row.quarantined, 0),
        started_at=shown_instant(row.started_at),
        finished_at=shown_instant(row.finished_at),
    )


class VaultDocument(msgspec.Struct):
    """The vault: its state and what it holds, by count."""

    state: Literal["unlocked", "locked", "rolled-back", "unavailable"]
    vault_id: str | None
    key_fingerprint: str | None
    needs_fingerprint: str | None
    kid: str | None
    secrets: int
    unreadable: int
    has_recovery_code: bool
    rotation: RotationDocument | None


class UnlockBody(msgspec.Struct):
    """The key that a locked vault needs, or the recovery code."""

    encryption_key: Annotated[str, Rule(plain_string, type="string")] | None = None
    recovery_code: Annotated[str, Rule(plain_string, type="string")] | None = None

    def __repr__(self) -> str:
        return "UnlockBody(...)"


class RecoveryBody(msgspec.Struct):
    """A recovery code as a person has typed it from the paper."""

    recovery_code: Annotated[str, Rule(plain_string, type="string")]

    def __repr__(self) -> str:
        return "RecoveryBody(...)"


class ResetBody(msgspec.Struct):
    """Confirms, by the vault's id, that its key is lost for good."""

    confirm: Annotated[str, Rule(plain_string, type="string")]


class AcceptBody(msgspec.Struct):
    """Confirms, by the vault's id, that what the database says now is to be believed."""

    confirm: Annotated[str, Rule(plain_string, type="string")]


FindingKind = Literal[
    "unreadable", "missing", "restored", "policy", "locked", "rolled-back", "broken", "key", "wrap", "waiting", "member"
]


class Finding(msgspec.Struct):
    """Something in the vault that is not as a desktop has left it."""

    kind: FindingKind
    owner_kind: str | None
    owner_id: str | None
    name: str | None
    message: Annotated[str, Meta(description="One sentence for a person")]


class VaultVerification(msgspec.Struct):
    """Whether every secret opens, and is what the manifest says."""

    ok: bool
    checked: int
    findings: list[Finding]


class BulkOperation(msgspec.Struct):
    """One write of a bulk request; `set` needs a `secret`."""

    op: Annotated[str, one_of("set", "delete")]
    owner_kind: Kind
    owner_id: OwnerId
    name: SecretLabel
    secret: Annotated[str, SECRET] | None = None
    expires_at: Annotated[Any, EXPIRY] | None = None

    def __repr__(self) -> str:
        return f"BulkOperation({self.op}, {self.owner_kind}, {self.owner_id}, {self.name})"


def _check_operations(value: object) -> list[BulkOperation]:
    if not isinstance(value, list):
        raise ValueError("Input should be a valid list")
    if not 1 <= len(value) <= MAX_OPERATIONS:
        raise ValueError(f"List should have 1 to {MAX_OPERATIONS} items")
    return [_operation(number, item) for number, item in enumerate(value)]


def _operation(number: int, item: object) -> BulkOperation:
    if not isinstance(item, dict):
        raise ValidationError(f"operations.{number}: Input should be an object")
    try:
        operation = build(BulkOperation, {name: value for name, value in item.items() if value is not None})
    except ValidationError as exc:
        raise ValidationError(f"operations.{number}.{exc.message}") from None
    if operation.op == "set" and operation.secret is None:
        raise ValidationError(f"operations.{number}.secret: Field required")
    return operation


class BulkBody(msgspec.Struct):
    """Writes that happen all or not at all."""

    operations: Annotated[list[BulkOperation], Rule(_check_operations)]


class BulkResult(msgspec.Struct):
    """What one operation did; `kept` when a mask was sent back, `absent` when there was nothing to delete."""

    op: Literal["set", "delete"]
    owner_kind: str
    owner_id: str
    name: str
    result: Literal["set", "kept", "deleted", "absent"]


class BulkAnswer(msgspec.Struct):
    """Results in the order of the operations."""

    results: list[BulkResult]
