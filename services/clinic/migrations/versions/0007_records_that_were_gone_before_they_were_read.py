"""records that were gone before they were read"""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.create_table(
        "gaps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="the offset after the last one that is missing"),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), comment="when what it held was told anew"),
        sa.UniqueConstraint("topic", "partition", "first", name="gaps_once"),
        schema="clinic",
        comment="records that were gone before this service had read them",
    )
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "at", sa.BigInteger(), nullable=False, comment="the offset it goes on from; Kafka forgets who was long away"
        ),
        sa.PrimaryKeyConstraint("topic", "partition"),
        schema="clinic",
    )


def downgrade() -> None:
    op.drop_table("positions", schema="clinic")
    op.drop_table("gaps", schema="clinic")
