"""clinics and corrected records"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.create_table(
        "clinics",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="scheduler",
    )
    op.create_table(
        "corrections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("session", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the session, as it was corrected"),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("staff", sa.Uuid(), nullable=True, comment="whose account it was; none for a program"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="sealed"),
        sa.ForeignKeyConstraint(["patient"], ["scheduler.patients.id"]),
        sa.ForeignKeyConstraint(["session"], ["scheduler.sessions.id"]),
        sa.PrimaryKeyConstraint("id"),
        schema="scheduler",
    )
    op.create_index("corrections_session", "corrections", ["session"], schema="scheduler")


def downgrade() -> None:
    op.drop_index("corrections_session", table_name="corrections", schema="scheduler")
    op.drop_table("corrections", schema="scheduler")
    op.drop_table("clinics", schema="scheduler")
