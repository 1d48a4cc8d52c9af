"""Owners of keys, their usage, and when a key is checked next.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

from app.db.base import Instant, UuidText

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the owners' tables, and add what the checks of stored keys need."""
    for name, kind in (("pinned_host", sa.Text()), ("next_check_at", Instant()), ("refused_at", Instant())):
        op.add_column("secrets", sa.Column(name, kind, nullable=True))
    op.create_index("ix_secrets_next_check_at", "secrets", ["next_check_at"])
    _create_chat_servers()
    _create_tenants()
    _create_cameras()
    _create_alert_rules()
    _create_usage()


def _create_chat_servers() -> None:
    op.create_table(
        "chat_servers",
        sa.Column("server_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("dm_roll_visibility", sa.Text(), nullable=False),
        sa.Column("player_roll_mode", sa.Text(), nullable=False),
        sa.Column("character_sheet_mode", sa.Text(), nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("server_id", name="pk_chat_servers"),
    )


def _create_tenants() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("trial_limit", sa.Integer(), nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
    )
    op.create_table(
        "trial_calls",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_trial_calls_tenant_id_tenants", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "day", name="pk_trial_calls"),
    )


def _create_cameras() -> None:
    op.create_table(
        "cameras",
        sa.Column("id", UuidText, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stream_url", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("id", name="pk_cameras"),
    )
    op.create_index("uq_cameras_name", "cameras", ["name"], unique=True)


def _create_alert_rules() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("id", UuidText, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=False),
        sa.Column("header_names", sa.Text(), nullable=False),
        sa.Column("allow_private", sa.Boolean(), nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("id", name="pk_alert_rules"),
    )


def _create_usage() -> None:
    op.create_table(
        "ai_usage",
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner_kind", "owner_id", "provider", "model", "day", name="pk_ai_usage"),
    )


def _times() -> tuple[sa.Column[object], sa.Column[object]]:
    return sa.Column("created_at", Instant(), nullable=False), sa.Column("updated_at", Instant(), nullable=False)


def downgrade() -> None:
    """Refuse: a downgrade would lose the owners' settings."""
    raise NotImplementedError("downgrades are not offered: restore a backup instead")
