"""why texts go out at unusual hours"""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
PHASE = "before"  # only adds; a clinic whose hours are wider keeps them until somebody changes its settings


def upgrade() -> None:
    op.add_column("clinics", sa.Column("hours_reason", sa.Text(), nullable=True), schema="clinic")


def downgrade() -> None:
    op.drop_column("clinics", "hours_reason", schema="clinic")
