"""x"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
PHASE = "before"  # adds, and asks less of what is there


def upgrade() -> None:
    op.create_table(
        "seen_oncall",
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "contacts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[{kind, to, trouble, since}] as the notifier last found them",
        ),
        sa.PrimaryKeyConstraint("clinic"),
        schema="clinic",
    )
    op.alter_column("seen_alerts", "patient", nullable=True, schema="clinic")
    op.create_index(
        "seen_messages_pages",
        "seen_messages",
        ["about"],
        unique=False,
        schema="clinic",
        postgresql_where=sa.text("purpose = 'page'"),
    )


def downgrade() -> None:
    op.drop_index(
        "seen_messages_pages", table_name="seen_messages", schema="clinic", postgresql_where=sa.text("purpose = 'page'")
    )
    op.alter_column("seen_alerts", "patient", nullable=False, schema="clinic")
    op.drop_table("seen_oncall", schema="clinic")
