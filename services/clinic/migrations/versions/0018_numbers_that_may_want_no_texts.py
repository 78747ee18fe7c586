"""numbers that may want no texts"""

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.create_table(
        "seen_doubts",
        sa.Column("contact", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("wrote", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("contact"),
        schema="clinic",
        comment="numbers that were asked whether they want texts",
    )
    op.create_index("seen_doubts_patient", "seen_doubts", ["patient"], unique=False, schema="clinic")


def downgrade() -> None:
    op.drop_index("seen_doubts_patient", table_name="seen_doubts", schema="clinic")
    op.drop_table("seen_doubts", schema="clinic")
