"""what a decision overruled"""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column("proposals", sa.Column("overruled", sa.Text(), nullable=True), schema="assessments")


def downgrade() -> None:
    op.drop_column("proposals", "overruled", schema="assessments")
