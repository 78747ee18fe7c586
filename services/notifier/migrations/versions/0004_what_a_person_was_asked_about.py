"""what a person was asked about"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "holds",
        sa.Column(
            "seen",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="the provider's ids of the texts that a person was asked about",
        ),
        schema="notifier",
    )


def downgrade() -> None:
    op.drop_column("holds", "seen", schema="notifier")
