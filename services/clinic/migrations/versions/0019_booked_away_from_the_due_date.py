"""booked away from the due date, and when an alert pages again"""

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
PHASE = "before"  # only adds
_EARLIER = "before the due date a session may be booked; null: not said"
_KEPT = "who said that it stays, though it is not booked near its due date"
_KEPT_DUE = "the due date of which that was said"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.add_column("seen_alerts", sa.Column("next_page_at", instant, nullable=True), schema="clinic")
    earlier = "window_earlier_days"
    op.add_column("seen_plans", sa.Column(earlier, sa.Integer(), nullable=True, comment=_EARLIER), schema="clinic")
    later = "window_later_days"
    op.add_column(
        "seen_plans", sa.Column(later, sa.Integer(), nullable=True, comment="the same after it"), schema="clinic"
    )
    op.add_column("seen_sessions", sa.Column("kept_by", sa.Text(), nullable=True, comment=_KEPT), schema="clinic")
    op.add_column(
        "seen_sessions", sa.Column("kept_due_on", sa.Date(), nullable=True, comment=_KEPT_DUE), schema="clinic"
    )
    op.add_column("seen_sessions", sa.Column("kept_starts_at", instant, nullable=True), schema="clinic")


def downgrade() -> None:
    op.drop_column("seen_sessions", "kept_starts_at", schema="clinic")
    op.drop_column("seen_sessions", "kept_due_on", schema="clinic")
    op.drop_column("seen_sessions", "kept_by", schema="clinic")
    op.drop_column("seen_plans", "window_later_days", schema="clinic")
    op.drop_column("seen_plans", "window_earlier_days", schema="clinic")
    op.drop_column("seen_alerts", "next_page_at", schema="clinic")
