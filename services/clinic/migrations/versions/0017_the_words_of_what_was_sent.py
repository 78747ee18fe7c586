"""the words of what was sent"""

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "seen_messages",
        sa.Column("words", sa.Text(), nullable=True, comment="what it said, sealed; null: not told"),
        schema="clinic",
    )


def downgrade() -> None:
    op.drop_column("seen_messages", "words", schema="clinic")
