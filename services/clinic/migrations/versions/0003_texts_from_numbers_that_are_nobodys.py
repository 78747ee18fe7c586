"""texts from numbers that are nobody's"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
PHASE = "before"  # only adds, and lets go of a rule that older code keeps by itself


def upgrade() -> None:
    op.add_column(
        "seen_replies",
        sa.Column("flags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        schema="clinic",
    )
    op.add_column(
        "seen_replies",
        sa.Column("gravity", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        schema="clinic",
    )
    op.add_column("seen_replies", sa.Column("sender", sa.Text(), nullable=True), schema="clinic")
    op.alter_column("seen_replies", "patient", nullable=True, schema="clinic")


def downgrade() -> None:
    op.execute("DELETE FROM clinic.seen_replies WHERE patient IS NULL")
    op.alter_column("seen_replies", "patient", nullable=False, schema="clinic")
    op.drop_column("seen_replies", "sender", schema="clinic")
    op.drop_column("seen_replies", "gravity", schema="clinic")
    op.drop_column("seen_replies", "flags", schema="clinic")
