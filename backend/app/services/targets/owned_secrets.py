"""What lists show of the secrets of one kind of owner, read beside the owners' own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.models.vault import secrets
from app.services.vault.destinations import located
from app.services.vault.rows import info_of, select_infos

if TYPE_CHECKING:
    import sqlalchemy as sa

    from app.schemas.vault import SecretInfo
    from app.services.vault.keys import Keys


def secrets_of(
    connection: sa.Connection, keys: Keys, owner_kind: str, owner_id: str | None = None
) -> dict[str, dict[str, SecretInfo]]:
    """Return the secrets by owner id and name, in the view of a transaction; nothing is decrypted.

    Args:
        connection: of the transaction.
        keys: the vault's, as they tell what does not open any more.
        owner_kind: whose.
        owner_id: of one owner only; None for all.
    """
    query = select_infos(secrets.c.owner_kind == owner_kind)
    if owner_id is not None:
        query = query.where(secrets.c.owner_id == owner_id)
    found: dict[str, dict[str, SecretInfo]] = {}
    for row in located(connection, connection.execute(query).all()):
        found.setdefault(row.owner_id, {})[row.name] = info_of(row, keys)
    return found
