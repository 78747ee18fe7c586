"""addresses that do not work"""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
PHASE = "before"  # only adds

LOST = sa.text("state = ANY (ARRAY['failed'::text, 'undelivered'::text])")
LATER = sa.text("state = 'later'::text")


def upgrade() -> None:
    op.create_table(
        "bad_addresses",
        sa.Column("fingerprint", sa.Text(), primary_key=True),
        sa.Column("why", sa.Text(), nullable=False, comment="the provider's error code, or staff"),
        sa.Column("by", sa.Text(), comment="who said so, where a person did"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        schema="notifier",
        comment="numbers and mailboxes at which nothing arrives; nothing to patients goes there",
    )
    op.create_index("messages_lost", "messages", ["updated_at"], schema="notifier", postgresql_where=LOST)
    op.create_index("attempts_later", "attempts", ["ended_at"], schema="notifier", postgresql_where=LATER)


def downgrade() -> None:
    op.drop_index("attempts_later", table_name="attempts", schema="notifier")
    op.drop_index("messages_lost", table_name="messages", schema="notifier")
    op.drop_table("bad_addresses", schema="notifier")
