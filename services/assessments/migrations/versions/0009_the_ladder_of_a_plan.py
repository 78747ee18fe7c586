"""the ladder of a plan"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "plans",
        sa.Column(
            "ladder",
            postgresql.ARRAY(sa.Integer()),
            nullable=True,
            comment="days, rising; null where the plan has not said it",
        ),
        schema="assessments",
    )
    op.add_column("plans", sa.Column("opt_in_above", sa.Integer(), nullable=True), schema="assessments")


def downgrade() -> None:
    op.drop_column("plans", "opt_in_above", schema="assessments")
    op.drop_column("plans", "ladder", schema="assessments")
