"""the words of what was sent"""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "attempts",
        sa.Column(
            "words",
            sa.Text(),
            nullable=True,
            comment="sealed, without the secret of a link; null: an older version kept none",
        ),
        schema="notifier",
    )


def downgrade() -> None:
    op.drop_column("attempts", "words", schema="notifier")
