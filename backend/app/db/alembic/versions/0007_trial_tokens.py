"""Tokens a day that a tenant on trial may use of the platform's key.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the budget and what of it was used."""
    op.add_column("tenants", sa.Column("trial_tokens", sa.Integer(), nullable=False, server_default="200000"))
    op.add_column("trial_calls", sa.Column("tokens", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Refuse: a downgrade would make desktops forget what they did."""
    raise NotImplementedError("downgrades are not offered: restore a backup instead")
