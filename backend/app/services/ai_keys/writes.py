"""Writing one key of an AI provider for any owner: set, replaced, or kept because a mask came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UnsetType

from app.core.exceptions import ValidationError
from app.services.vault.vault import is_masked

if TYPE_CHECKING:
    import sqlalchemy as sa

    from app.schemas.keys import KeyWrite
    from app.schemas.vault import SecretInfo
    from app.services.providers import Verdict
    from app.services.vault.rows import SecretName
    from app.services.vault.vault import Vault


def write_key(
    vault: Vault,
    connection: sa.Connection,
    which: SecretName,
    write: KeyWrite,
    *,
    actor: str,
    field: str,
    verdict: Verdict | None = None,
) -> SecretInfo:
    """Write a key inside a transaction of `Vault.writing`.

    Args:
        vault: where it goes.
        connection: of the transaction.
        which: whose key of which provider.
        write: the key and its expiry; a mask changes the expiry only, and only if that came with it.
        actor: who does it.
        field: of the body, for the error.
        verdict: what the provider just said about a new key, if it was asked.

    Raises:
        ValidationError: a mask, and nothing is stored.
        VaultLockedError: the vault is locked.
        SecretUnreadableError, SecretFormatUnknownError: the expiry of a key that does not open was to be changed.
    """
    if not is_masked(write.secret):
        expires_at = None if isinstance(write.expires_at, UnsetType) else write.expires_at
        return vault.put(connection, which, write.secret, actor=actor, expires_at=expires_at, verdict=verdict)
    stored = vault.stored(connection, which)
    if stored is None:
        raise ValidationError(f"{field}: Input should be the key itself, as nothing is stored that a mask could keep")
    if isinstance(write.expires_at, UnsetType):
        return stored
    return vault.expire(connection, which, write.expires_at, actor=actor)
