"""decisions and signatures taken back"""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
PHASE = "before"  # only adds

COLUMNS = ("taken_back_by", "taken_back_staff", "taken_back_at", "taken_back_why")


def upgrade() -> None:
    op.add_column(
        "proposals",
        sa.Column("taken_back_by", sa.Text(), nullable=True, comment="who took the decision back; it counts no more"),
        schema="assessments",
    )
    op.add_column(
        "proposals",
        sa.Column("taken_back_staff", sa.Uuid(), nullable=True, comment="whose account it was; none for a program"),
        schema="assessments",
    )
    op.add_column(
        "proposals", sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True), schema="assessments"
    )
    op.add_column(
        "proposals", sa.Column("taken_back_why", sa.Text(), nullable=True, comment="sealed"), schema="assessments"
    )
    op.create_table(
        "withdrawn_signatures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=False),
        sa.Column("staff", sa.Uuid(), nullable=True, comment="whose account it was; none for a program"),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="sealed"),
        sa.PrimaryKeyConstraint("id"),
        schema="assessments",
    )
    op.create_index(
        "ix_assessments_withdrawn_signatures_clinic", "withdrawn_signatures", ["clinic"], schema="assessments"
    )


def downgrade() -> None:
    op.drop_index("ix_assessments_withdrawn_signatures_clinic", table_name="withdrawn_signatures", schema="assessments")
    op.drop_table("withdrawn_signatures", schema="assessments")
    for name in reversed(COLUMNS):
        op.drop_column("proposals", name, schema="assessments")
