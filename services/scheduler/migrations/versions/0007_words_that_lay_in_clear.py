"""words that lay in clear"""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
PHASE = "before"  # only adds: what lies in clear is sealed while the service works


def upgrade() -> None:
    op.add_column(
        "sessions",
        sa.Column(
            "sealed_reason",
            sa.Text(),
            nullable=True,
            comment="why it was cancelled or missed, as staff wrote it, sealed",
        ),
        schema="scheduler",
    )
    op.add_column(
        "sessions",
        sa.Column("sealed_note", sa.Text(), nullable=True, comment="what else they wrote, sealed"),
        schema="scheduler",
    )
    op.create_index(
        "sessions_in_clear",
        "sessions",
        ["id"],
        unique=False,
        schema="scheduler",
        postgresql_where=sa.text("note IS NOT NULL OR reason <> 'discharged'::text"),
    )


def downgrade() -> None:
    op.drop_index(
        "sessions_in_clear",
        table_name="sessions",
        schema="scheduler",
        postgresql_where=sa.text("note IS NOT NULL OR reason <> 'discharged'::text"),
    )
    op.drop_column("sessions", "sealed_note", schema="scheduler")
    op.drop_column("sessions", "sealed_reason", schema="scheduler")
