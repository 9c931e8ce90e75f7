"""Accounts are served in turn; sessions say which browser they are of"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts", sa.Column("served_at", sa.Double(), nullable=False, server_default="0")
    )
    op.add_column("sessions", sa.Column("browser", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "browser")
    op.drop_column("accounts", "served_at")
