"""A result is a photograph's people, or somebody's measures"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("jobs", "reconstructions"):
        kind = sa.Column("kind", sa.String(length=8), nullable=False, server_default="photo")
        op.add_column(table, kind)


def downgrade() -> None:
    for table in ("reconstructions", "jobs"):
        op.drop_column(table, "kind")
