"""A job may make a result anew, in place"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("replaces", sa.String(length=32), nullable=True))
    op.add_column("jobs", sa.Column("camera", sa.JSON(), nullable=True))
    op.create_index("jobs_of_result", "jobs", ["replaces"])
    op.add_column(
        "reconstructions", sa.Column("revision", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    op.drop_column("reconstructions", "revision")
    op.drop_index("jobs_of_result", "jobs")
    op.drop_column("jobs", "camera")
    op.drop_column("jobs", "replaces")
