"""when the first call was refused"""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "hearing",
        sa.Column(
            "first_refused_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the first of them was refused; null: not known",
        ),
        schema="notifier",
    )


def downgrade() -> None:
    op.drop_column("hearing", "first_refused_at", schema="notifier")
