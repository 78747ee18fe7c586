"""the notifier's words for a reason"""

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
PHASE = "before"  # only adds

_NEW = (
    ("seen_messages", "why", "of reason or error, in the notifier's words"),
    ("seen_messages", "step", "what a person can do about it, in the notifier's words"),
    ("seen_contact_checks", "words", "what the code in why means, in the notifier's words"),
)


def upgrade() -> None:
    for table, column, comment in _NEW:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True, comment=comment), schema="clinic")


def downgrade() -> None:
    for table, column, _ in reversed(_NEW):
        op.drop_column(table, column, schema="clinic")
