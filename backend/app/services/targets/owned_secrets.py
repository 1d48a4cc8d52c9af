"""What lists show of the secrets of one kind of owner, read beside the owners' own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.models.vault import secrets
from app.services.vault.rows import info_of, select_infos

if TYPE_CHECKING:
    import sqlalchemy as sa

    from app.schemas.vault import SecretInfo
    from app.services.vault.vault import Vault


def secrets_of(
    vault: Vault, connection: sa.Connection, owner_kind: str, owner_id: str | None = None
) -> dict[str, dict[str, SecretInfo]]:
    """Return the secrets by owner id and name, in the view of a transaction; nothing is decrypted.

    Args:
        vault: tells what does not open any more, or is not what was stored last.
        connection: of the transaction.
        owner_kind: whose.
        owner_id: of one owner only; None for all.
    """
    query = select_infos(secrets.c.owner_kind == owner_kind)
    if owner_id is not None:
        query = query.where(secrets.c.owner_id == owner_id)
    found: dict[str, dict[str, SecretInfo]] = {}
    keys = vault.attachment.keys()
    rows, restored = vault.looked_at(connection, query)
    for row in rows:
        found.setdefault(row.owner_id, {})[row.name] = info_of(row, keys, is_restored=row in restored)
    return found
