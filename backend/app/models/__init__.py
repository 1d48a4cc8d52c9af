"""Tables. Importing this package registers all of them in `app.db.base.metadata`."""

from app.models.audit import audit_entries
from app.models.members import members
from app.models.vault import secrets, vault_keys, vault_owners, vault_rotations, vault_wraps, vaults

__all__ = [
    "audit_entries",
    "members",
    "secrets",
    "vault_keys",
    "vault_owners",
    "vault_rotations",
    "vault_wraps",
    "vaults",
]
