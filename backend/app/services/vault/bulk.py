"""Many writes to the vault in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.exceptions import ValidationError
from app.schemas.vault import BulkAnswer, BulkOperation, BulkResult
from app.services.vault.rows import SecretName
from app.services.vault.vault import is_masked

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from app.services.vault.vault import Vault


def apply_operations(vault: Vault, operations: Sequence[BulkOperation], *, actor: str) -> BulkAnswer:
    """Carry out all operations, or none if one of them fails.

    Raises:
        ValidationError: a mask is set where nothing is stored.
        VaultLockedError: something is to be set and the vault is locked.
        AuditUnavailableError: an audit entry cannot be written.
    """
    sets = any(operation.op == "set" for operation in operations)
    with vault.writing(unlocked=sets) as connection:
        return BulkAnswer(
            [_apply(vault, connection, number, operation, actor) for number, operation in enumerate(operations)]
        )


def _apply(vault: Vault, connection: sa.Connection, number: int, operation: BulkOperation, actor: str) -> BulkResult:
    which = SecretName(operation.owner_kind, operation.owner_id, operation.name)
    secret = operation.secret or ""
    if operation.op == "delete":
        was_there = vault.delete(connection, which, actor=actor)
        return BulkResult(op="delete", result="deleted" if was_there else "absent", **which.columns())
    try:
        vault.put(connection, which, secret, actor=actor, expires_at=operation.expires_at)
    except ValidationError as exc:
        raise ValidationError(f"operations.{number}.{exc.message}") from None
    return BulkResult(op="set", result="kept" if is_masked(secret) else "set", **which.columns())
