"""Members.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

from app.db.base import Instant, UuidText

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of the team's members."""
    op.create_table(
        "members",
        sa.Column("id", UuidText, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_folded", sa.Text(collation="C").with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_folded", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
    )
    op.create_index("uq_members_email_folded", "members", ["email_folded"], unique=True)
    op.create_index("ix_members_name_folded_id", "members", ["name_folded", "id"])


def downgrade() -> None:
    """Refuse: a downgrade would lose the team's data."""
    raise NotImplementedError("downgrades are not offered: restore a backup instead")
