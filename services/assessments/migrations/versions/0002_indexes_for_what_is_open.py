"""indexes for what is open"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.create_index(
        "checkins_waiting",
        "checkins",
        ["expires_at"],
        schema="assessments",
        postgresql_where=sa.text("state IN ('open', 'partial')"),
    )
    op.create_index(
        "alerts_open", "alerts", ["raised_at"], schema="assessments", postgresql_where=sa.text("state = 'open'")
    )


def downgrade() -> None:
    op.drop_index("alerts_open", table_name="alerts", schema="assessments")
    op.drop_index("checkins_waiting", table_name="checkins", schema="assessments")
