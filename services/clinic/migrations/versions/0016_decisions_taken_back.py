"""decisions that were taken back"""

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
PHASE = "before"  # only adds

COLUMNS = ("decision", "taken_back_by", "taken_back_at", "taken_back_why")


def upgrade() -> None:
    op.add_column(
        "seen_proposals",
        sa.Column("decision", sa.Text(), nullable=True, comment="of a decision that was taken back: what it was"),
        schema="clinic",
    )
    op.add_column("seen_proposals", sa.Column("taken_back_by", sa.Text(), nullable=True), schema="clinic")
    op.add_column(
        "seen_proposals", sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True), schema="clinic"
    )
    op.add_column("seen_proposals", sa.Column("taken_back_why", sa.Text(), nullable=True), schema="clinic")


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("seen_proposals", name, schema="clinic")
