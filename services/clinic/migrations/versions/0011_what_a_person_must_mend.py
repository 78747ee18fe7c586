"""what a person must mend"""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.create_table(
        "seen_findings",
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("what", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("clinic", "kind"),
        schema="clinic",
    )


def downgrade() -> None:
    op.drop_table("seen_findings", schema="clinic")
