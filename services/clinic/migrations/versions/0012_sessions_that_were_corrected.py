"""sessions that were corrected"""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
PHASE = "before"  # only adds

COLUMNS = ("kind", "not_asked", "corrected_from", "corrected_by", "corrected_at", "corrected_why")


def upgrade() -> None:
    op.add_column(
        "seen_sessions",
        sa.Column("kind", sa.Text(), server_default=sa.text("'treatment'"), nullable=False),
        schema="clinic",
    )
    op.add_column(
        "seen_sessions",
        sa.Column("not_asked", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        schema="clinic",
    )
    op.add_column("seen_sessions", sa.Column("corrected_from", sa.Text(), nullable=True), schema="clinic")
    op.add_column("seen_sessions", sa.Column("corrected_by", sa.Text(), nullable=True), schema="clinic")
    op.add_column(
        "seen_sessions", sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True), schema="clinic"
    )
    op.add_column("seen_sessions", sa.Column("corrected_why", sa.Text(), nullable=True), schema="clinic")


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("seen_sessions", name, schema="clinic")
