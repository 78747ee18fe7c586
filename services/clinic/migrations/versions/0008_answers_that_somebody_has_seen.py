"""answers that somebody has seen"""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.create_table(
        "seen_further_answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("checkin", sa.Uuid(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("asked_for", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("seen_by", sa.Text(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("seen_further_answers_patient", "seen_further_answers", ["patient"], unique=False, schema="clinic")
    op.create_index(
        "seen_further_answers_unseen",
        "seen_further_answers",
        ["clinic", "at"],
        unique=False,
        schema="clinic",
        postgresql_where=sa.text("seen_by IS NULL"),
    )
    op.add_column("seen_checkins", sa.Column("voided", sa.Text(), nullable=True), schema="clinic")
    op.add_column("seen_checkins", sa.Column("seen_by", sa.Text(), nullable=True), schema="clinic")
    op.add_column("seen_checkins", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True), schema="clinic")
    op.create_index(
        "seen_checkins_unseen",
        "seen_checkins",
        ["clinic", "completed_at"],
        unique=False,
        schema="clinic",
        postgresql_where=sa.text("seen_by IS NULL AND result IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "seen_checkins_unseen",
        table_name="seen_checkins",
        schema="clinic",
        postgresql_where=sa.text("seen_by IS NULL AND result IS NOT NULL"),
    )
    op.drop_column("seen_checkins", "seen_at", schema="clinic")
    op.drop_column("seen_checkins", "seen_by", schema="clinic")
    op.drop_column("seen_checkins", "voided", schema="clinic")
    op.drop_index(
        "seen_further_answers_unseen",
        table_name="seen_further_answers",
        schema="clinic",
        postgresql_where=sa.text("seen_by IS NULL"),
    )
    op.drop_index("seen_further_answers_patient", table_name="seen_further_answers", schema="clinic")
    op.drop_table("seen_further_answers", schema="clinic")
