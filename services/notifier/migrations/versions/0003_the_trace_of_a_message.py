"""the trace of a message"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "messages",
        sa.Column("trace", sa.Text(), comment="traceparent of what planned it; null: an older version did"),
        schema="notifier",
    )


def downgrade() -> None:
    op.drop_column("messages", "trace", schema="notifier")
