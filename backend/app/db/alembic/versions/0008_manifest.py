"""Which format secrets are sealed in under each vault key, and the table of what is alive.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Note that secrets under the keys there are are bound to no destination, and make the empty table."""
    op.add_column("vault_keys", sa.Column("format", sa.Text(), nullable=False, server_default="vf1"))
    op.create_table(
        "vault_manifest",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_vault_manifest"),
    )


def downgrade() -> None:
    """Refuse: an earlier version cannot open what is sealed since."""
    raise NotImplementedError("downgrades are not offered: restore a backup instead")
