"""x"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "clinics",
        sa.Column(
            "reach",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="[{kind, to: masked, trouble}] of them, as last told; null: not looked at yet",
        ),
        schema="notifier",
    )
    op.add_column(
        "clinics",
        sa.Column("reach_version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema="notifier",
    )
    op.create_index(
        "messages_pages",
        "messages",
        ["to_fingerprint", "updated_at"],
        unique=False,
        schema="notifier",
        postgresql_where=sa.text("purpose = 'page'"),
    )


def downgrade() -> None:
    op.drop_index(
        "messages_pages", table_name="messages", schema="notifier", postgresql_where=sa.text("purpose = 'page'")
    )
    op.drop_column("clinics", "reach_version", schema="notifier")
    op.drop_column("clinics", "reach", schema="notifier")
