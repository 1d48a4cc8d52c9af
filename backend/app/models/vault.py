"""Tables of the vault: its keys, their wraps, the owners, the secrets, and the rotation in progress.

Every column that holds a secret, sealed, has the type `Sealed`; a test walks the metadata and demands that rotation,
export and doctor know each of them.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import DDL, Column, ForeignKey, Index, Named, Table, TypedColumns, event

from app.db.base import metadata
from app.db.lenient import LenientInstant, LenientNumber, LenientText, LenientUuid, Sealed

STAGED: Final = "staged"
ACTIVE: Final = "active"
RETIRED: Final = "retired"
LOST: Final = "lost"
"""States of a vault key."""

THE_VAULT: Final = 1
"""The `id` of the one row of `vaults`, and of `vault_rotations`."""

ROOT: Final = "root"
RECOVERY: Final = "recovery"
"""Kinds of wraps."""

UNKNOWN: Final = "unknown"
UNREADABLE: Final = "unreadable"
EXPIRED: Final = "expired"
"""States of a secret, beside the verdicts of its provider; `expired` is told and never stored."""


class VaultColumns(TypedColumns):
    """Columns of `vaults`: one row, the vault of this database."""

    id: Named[int] = Column(LenientNumber, primary_key=True, autoincrement=False)
    """Always 1, so that racing desktops agree on one vault."""
    vault_id: Named[str] = Column(LenientUuid, nullable=False)
    epoch: Named[int] = Column(LenientNumber, nullable=False)
    """Grows with every change of the keys: a desktop that knows another epoch reads them anew before it seals."""
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


class KeyColumns(TypedColumns):
    """Columns of `vault_keys`: one row a vault key; exactly one is active."""

    kid: Named[str] = Column(LenientText, primary_key=True)
    """8 hex digits."""
    state: Named[str] = Column(LenientText, nullable=False)
    """`active` seals; `staged` is about to; `retired` only opens what rotations left behind; `lost` after a reset."""
    fingerprint_key: Named[str] = Column(Sealed, nullable=False)
    """The key of the secrets' fingerprints, sealed under this vault key: it outlives rotations."""
    format: Named[str] = Column(LenientText, nullable=False, server_default="vf1")
    """Of the ciphertexts under it; what lies under a key of an earlier format is sealed anew by itself."""
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


class WrapColumns(TypedColumns):
    """Columns of `vault_wraps`: a vault key, sealed under a local root key or the recovery code."""

    kid: Named[str] = Column(LenientText, ForeignKey("vault_keys.kid", ondelete="CASCADE"), primary_key=True)
    fingerprint: Named[str] = Column(LenientText, primary_key=True)
    """Of the key that opens the wrap."""
    kind: Named[str] = Column(LenientText, nullable=False)
    """`root` or `recovery`."""
    wrap: Named[str] = Column(Sealed, nullable=False)
    escrow: Named[str | None] = Column(Sealed)
    """The recovery key, sealed under the vault key, so that a rotation can renew its wrap."""
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


class OwnerColumns(TypedColumns):
    """Columns of `vault_owners`: deleting an owner's salt shreds all that the owner had."""

    owner_kind: Named[str] = Column(LenientText, primary_key=True)
    owner_id: Named[str] = Column(LenientText, primary_key=True)
    salt: Named[str] = Column(LenientText, nullable=False)
    """32 random bytes in hex."""
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


class SecretColumns(TypedColumns):
    """Columns of `secrets`."""

    id: Named[str] = Column(LenientUuid, primary_key=True)
    owner_kind: Named[str] = Column(LenientText, nullable=False)
    owner_id: Named[str] = Column(LenientText, nullable=False)
    name: Named[str] = Column(LenientText, nullable=False)
    ciphertext: Named[str] = Column(Sealed, nullable=False)
    kid: Named[str] = Column(LenientText, nullable=False)
    api_secret_fingerprint: Named[str | None] = Column(LenientText)
    """Of the `API_KEY_ENCRYPTION_SECRET` that the ciphertext needs; null if it needs none."""
    row_version: Named[int] = Column(LenientNumber, nullable=False)
    fingerprint: Named[str] = Column(LenientText, nullable=False)
    hint: Named[str | None] = Column(LenientText)
    """Last four characters, of secrets of at least sixteen."""
    status: Named[str] = Column(LenientText, nullable=False)
    status_evidence: Named[str | None] = Column(LenientText)
    last_validated_at: Named[dt.datetime | None] = Column(LenientInstant)
    expires_at: Named[dt.datetime | None] = Column(LenientInstant)
    pinned_host: Named[str | None] = Column(LenientText)
    """Origin of the provider for which an AI key was entered: it is never sent to another one."""
    next_check_at: Named[dt.datetime | None] = Column(LenientInstant)
    """When an AI key is checked with its provider again."""
    refused_at: Named[dt.datetime | None] = Column(LenientInstant)
    """When its provider refused an AI key first; a second refusal, some time later, makes it invalid."""
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)
    updated_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


class RotationColumns(TypedColumns):
    """Columns of `vault_rotations`: one row, the present or the last rotation."""

    id: Named[int] = Column(LenientNumber, primary_key=True, autoincrement=False)
    state: Named[str] = Column(LenientText, nullable=False)
    from_kid: Named[str | None] = Column(LenientText)
    to_kid: Named[str | None] = Column(LenientText)
    total: Named[int] = Column(LenientNumber, nullable=False)
    done: Named[int] = Column(LenientNumber, nullable=False)
    quarantined: Named[int] = Column(LenientNumber, nullable=False)
    runner: Named[str | None] = Column(LenientText)
    """Instance of the sidecar that works on it."""
    heartbeat_at: Named[dt.datetime | None] = Column(LenientInstant)
    started_at: Named[dt.datetime | None] = Column(LenientInstant)
    finished_at: Named[dt.datetime | None] = Column(LenientInstant)


class ManifestColumns(TypedColumns):
    """Columns of `vault_manifest`: what is alive in the vault, as a tree whose root is signed."""

    path: Named[str] = Column(LenientText, primary_key=True)
    content: Named[str] = Column(LenientText, nullable=False)


vault_manifest: Final = Table("vault_manifest", metadata, ManifestColumns)
vaults: Final = Table("vaults", metadata, VaultColumns)
vault_keys: Final = Table("vault_keys", metadata, KeyColumns)
vault_wraps: Final = Table("vault_wraps", metadata, WrapColumns)
vault_owners: Final = Table("vault_owners", metadata, OwnerColumns)
secrets: Final = Table("secrets", metadata, SecretColumns)
vault_rotations: Final = Table("vault_rotations", metadata, RotationColumns)

# As text, which both databases understand: an `Index` with a condition would import both dialects at every start.
_ONE_ACTIVE_KEY: Final[DDL] = DDL(  # type: ignore[no-untyped-call]
    "CREATE UNIQUE INDEX uq_vault_keys_active ON vault_keys (state) WHERE state = 'active'"
)
event.listen(vault_keys, "after_create", _ONE_ACTIVE_KEY)
Index("uq_secrets_owner_name", secrets.c.owner_kind, secrets.c.owner_id, secrets.c.name, unique=True)
Index("ix_secrets_next_check_at", secrets.c.next_check_at)
