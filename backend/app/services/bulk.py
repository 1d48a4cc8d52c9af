"""Many writes to the vault in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.schemas.vault import BulkAnswer, BulkOperation, BulkResult
from app.services.vault import SecretName, Vault

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa


def apply_operations(vault: Vault, operations: Sequence[BulkOperation], *, actor: str) -> BulkAnswer:
    """Carry out all operations, or none if one of them fails.

    Raises:
        VaultLockedError: something is to be set and the vault is locked.
    """
    sets = any(operation.op == "set" for operation in operations)
    with vault.writing(unlocked=sets) as connection:
        return BulkAnswer([_apply(vault, connection, operation, actor) for operation in operations])


def _apply(vault: Vault, connection: sa.Connection, operation: BulkOperation, actor: str) -> BulkResult:
    which = SecretName(operation.owner_kind, operation.owner_id, operation.name)
    if operation.op == "delete":
        was_there = vault.delete(connection, which, actor=actor)
        return BulkResult("delete", *_parts(which), "deleted" if was_there else "absent")
    vault.put(connection, which, operation.secret or "", actor=actor, expires_at=operation.expires_at)
    return BulkResult("set", *_parts(which), "set")


def _parts(which: SecretName) -> tuple[str, str, str]:
    return which.owner_kind, which.owner_id, which.name
