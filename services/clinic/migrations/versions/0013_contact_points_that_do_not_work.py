"""contact points that do not work"""

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.create_table(
        "seen_contact_checks",
        sa.Column("contact", sa.Uuid(), primary_key=True),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.Text()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        schema="clinic",
    )
    op.create_index("seen_contact_checks_patient", "seen_contact_checks", ["patient"], schema="clinic")


def downgrade() -> None:
    op.drop_index("seen_contact_checks_patient", table_name="seen_contact_checks", schema="clinic")
    op.drop_table("seen_contact_checks", schema="clinic")
