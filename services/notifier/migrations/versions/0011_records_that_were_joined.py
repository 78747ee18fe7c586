"""records that were joined"""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "patients",
        sa.Column("joined_into", sa.Uuid(), nullable=True, comment="the person's other record, in which care goes on"),
        schema="notifier",
    )
    op.create_index(
        "patients_joined",
        "patients",
        ["joined_into"],
        schema="notifier",
        postgresql_where=sa.text("joined_into IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("patients_joined", table_name="patients", schema="notifier")
    op.drop_column("patients", "joined_into", schema="notifier")
