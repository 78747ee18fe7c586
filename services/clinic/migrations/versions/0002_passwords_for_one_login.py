"""passwords for one login"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
PHASE = "after"  # older code, which does not know the column, could add no staff any more


def upgrade() -> None:
    op.add_column(
        "staff", sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()), schema="clinic"
    )
    op.alter_column("staff", "must_change", server_default=None, schema="clinic")


def downgrade() -> None:
    op.drop_column("staff", "must_change", schema="clinic")
