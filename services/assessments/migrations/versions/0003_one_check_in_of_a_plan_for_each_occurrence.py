"""one check-in of a plan for each occurrence"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.create_index(
        "checkins_once_a_plan",
        "checkins",
        ["plan", "occurrence"],
        unique=True,
        schema="assessments",
        postgresql_where=sa.text("session IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("checkins_once_a_plan", table_name="checkins", schema="assessments")
