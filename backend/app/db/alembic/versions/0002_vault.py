"""The vault and its audit log.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from app.db.base import Instant, UuidText
from app.db.lenient import Sealed

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of keys, owners, secrets, rotations and audit entries."""
    _create_keys()
    _create_secrets()
    _create_audit()


def _create_keys() -> None:
    op.create_table(
        "vaults",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("vault_id", UuidText, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vaults"),
    )
    op.create_table(
        "vault_keys",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fingerprint_key", Sealed(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_vault_keys"),
    )
    is_active = sa.text("state = 'active'")
    op.create_index(
        "uq_vault_keys_active",
        "vault_keys",
        ["state"],
        unique=True,
        postgresql_where=is_active,
        sqlite_where=is_active,
    )
    op.create_table(
        "vault_wraps",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("wrap", Sealed(), nullable=False),
        sa.Column("escrow", Sealed(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["kid"], ["vault_keys.kid"], name="fk_vault_wraps_kid_vault_keys", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("kid", "fingerprint", name="pk_vault_wraps"),
    )


def _create_secrets() -> None:
    op.create_table(
        "vault_owners",
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("owner_kind", "owner_id", name="pk_vault_owners"),
    )
    op.create_table(
        "secrets",
        sa.Column("id", UuidText, nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ciphertext", Sealed(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("api_secret_fingerprint", sa.Text(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_evidence", sa.Text(), nullable=True),
        sa.Column("last_validated_at", Instant(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_secrets"),
    )
    op.create_index("uq_secrets_owner_name", "secrets", ["owner_kind", "owner_id", "name"], unique=True)
    op.create_table(
        "vault_rotations",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("from_kid", sa.Text(), nullable=True),
        sa.Column("to_kid", sa.Text(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("runner", sa.Text(), nullable=True),
        sa.Column("heartbeat_at", Instant(), nullable=True),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_vault_rotations"),
    )


def _create_audit() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("writer_seq", sa.BigInteger(), nullable=False),
        sa.Column("time", Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("prev", sa.Text(), nullable=False),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_entries"),
    )
    op.create_index("uq_audit_entries_writer_writer_seq", "audit_entries", ["writer", "writer_seq"], unique=True)
    op.create_index("ix_audit_entries_owner", "audit_entries", ["owner_kind", "owner_id", "seq"])
    op.create_index("ix_audit_entries_action_seq", "audit_entries", ["action", "seq"])
    op.create_index("ix_audit_entries_owner_kind_seq", "audit_entries", ["owner_kind", "seq"])


def downgrade() -> None:
    """Refuse: a downgrade would lose every secret."""
    raise NotImplementedError("downgrades are not offered: restore a backup instead")
