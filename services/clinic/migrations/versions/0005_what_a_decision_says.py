"""what a decision says"""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column("seen_proposals", sa.Column("reason", sa.Text(), nullable=True), schema="clinic")
    op.add_column("seen_proposals", sa.Column("overruled", sa.Text(), nullable=True), schema="clinic")


def downgrade() -> None:
    op.drop_column("seen_proposals", "overruled", schema="clinic")
    op.drop_column("seen_proposals", "reason", schema="clinic")
