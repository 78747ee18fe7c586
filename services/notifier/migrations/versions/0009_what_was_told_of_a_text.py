"""what was told of a text"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "inbound",
        sa.Column(
            "told",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="[{type, body}] of the events it led to; null: an older version",
        ),
        schema="notifier",
    )
    op.create_index("inbound_received", "inbound", ["received_at", "sid"], unique=False, schema="notifier")


def downgrade() -> None:
    op.drop_index("inbound_received", table_name="inbound", schema="notifier")
    op.drop_column("inbound", "told", schema="notifier")
