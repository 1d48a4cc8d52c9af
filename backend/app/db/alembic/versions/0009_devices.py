"""Desktops of a team: who is in, which vault keys are wrapped for whom, and who asks to come in.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

from app.db.base import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; desktops that are in already register themselves."""
    op.create_table(
        "vault_devices",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", Instant(), nullable=False),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("last_seen_at", Instant()),
        sa.PrimaryKeyConstraint("device_id", name="pk_vault_devices"),
    )
    op.create_table(
        "vault_device_wraps",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("previous_kid", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("wrap", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Text()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kid", "device_id", name="pk_vault_device_wraps"),
    )
    op.create_table(
        "vault_successions",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("previous_kid", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("granter_code", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_vault_successions"),
    )
    op.create_table(
        "vault_join_requests",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("grant_kid", sa.Text()),
        sa.Column("grant", sa.Text()),
        sa.PrimaryKeyConstraint("device_id", name="pk_vault_join_requests"),
    )


def downgrade() -> None:
    """Refuse: a downgrade would make desktops forget what they did."""
    raise NotImplementedError("downgrades are not offered: restore a backup instead")
