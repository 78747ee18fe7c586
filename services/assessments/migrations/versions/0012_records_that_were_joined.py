"""records that were joined"""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "patients",
        sa.Column("joined_into", sa.Uuid(), nullable=True, comment="the person's other record, in which care goes on"),
        schema="assessments",
    )
    op.add_column(
        "patients",
        sa.Column(
            "one_course",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="in care until it was joined: its answers belong to the course of the other record",
        ),
        schema="assessments",
    )
    op.create_index(
        "patients_joined",
        "patients",
        ["joined_into"],
        schema="assessments",
        postgresql_where=sa.text("joined_into IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("patients_joined", table_name="patients", schema="assessments")
    op.drop_column("patients", "one_course", schema="assessments")
    op.drop_column("patients", "joined_into", schema="assessments")
