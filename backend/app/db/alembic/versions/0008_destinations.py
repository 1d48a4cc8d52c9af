"""Which format secrets are sealed in under each vault key: what lies under the keys of today is sealed anew.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Note that the keys there are were made before secrets were bound to their destination."""
    op.add_column("vault_keys", sa.Column("format", sa.Text(), nullable=False, server_default="vf1"))


def downgrade() -> None:
    """Refuse: an earlier version cannot open what is sealed since."""
    raise NotImplementedError("downgrades are not offered: restore a backup instead")
