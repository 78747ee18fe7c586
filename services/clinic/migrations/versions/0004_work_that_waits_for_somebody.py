"""work that waits for somebody"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
PHASE = "before"  # only adds

OPEN = sa.text("state = ANY (ARRAY['booked'::text, 'confirmed'::text])")
UNSEEN = sa.text("seen_by IS NULL AND state = ANY (ARRAY['failed'::text, 'withheld'::text])")


def upgrade() -> None:
    op.add_column("seen_messages", sa.Column("seen_by", sa.Text(), nullable=True), schema="clinic")
    # Pages showed the last seven days until now: what is older has been seen, or is no more of use.
    op.execute(
        "UPDATE clinic.seen_messages SET seen_by = 'keepwell'"
        " WHERE state IN ('failed', 'withheld') AND at < now() - interval '7 days'"
    )
    op.create_index("seen_messages_unseen", "seen_messages", ["clinic"], schema="clinic", postgresql_where=UNSEEN)
    op.create_index("seen_plans_due", "seen_plans", ["clinic", "next_due_on"], schema="clinic")
    op.create_index("seen_sessions_booked", "seen_sessions", ["patient"], schema="clinic", postgresql_where=OPEN)
    op.create_index(
        "seen_sessions_open", "seen_sessions", ["clinic", "starts_at_utc"], schema="clinic", postgresql_where=OPEN
    )


def downgrade() -> None:
    op.drop_index("seen_sessions_open", table_name="seen_sessions", schema="clinic")
    op.drop_index("seen_sessions_booked", table_name="seen_sessions", schema="clinic")
    op.drop_index("seen_plans_due", table_name="seen_plans", schema="clinic")
    op.drop_index("seen_messages_unseen", table_name="seen_messages", schema="clinic")
    op.drop_column("seen_messages", "seen_by", schema="clinic")
