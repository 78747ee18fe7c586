"""holds after a restore"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "messages",
        sa.Column(
            "not_before",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="nothing of it can have gone out before; null: not known",
        ),
        schema="notifier",
    )
    op.create_index(
        "messages_held", "messages", ["about"], schema="notifier", postgresql_where=sa.text("state = 'held'")
    )
    op.create_table(
        "restores",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "backed_up_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="from here on the database has forgotten",
        ),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("forgotten", sa.Boolean(), nullable=False, comment="what changed in between cannot be read any more"),
        sa.Column(
            "texts_read_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the texts that patients sent in between were fetched",
        ),
        sa.Column(
            "closed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when a person said that all is as it should be",
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="notifier",
        comment="restores to an earlier point; while one is open, what may have gone out before is settled first",
    )
    op.create_table(
        "restore_changes",
        sa.Column("restore", sa.BigInteger(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("what", postgresql.ARRAY(sa.Text()), nullable=False, comment="types of the events that were lost"),
        sa.PrimaryKeyConstraint("restore", "patient"),
        schema="notifier",
        comment="patients whose record changed in the time that was lost",
    )
    op.create_table(
        "holds",
        sa.Column("message", sa.Uuid(), nullable=False),
        sa.Column("restore", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="sealed"),
        sa.Column(
            "body_prints",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="fingerprints of the words that it could have had",
        ),
        sa.Column(
            "look_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the provider is asked; null: a person is",
        ),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column(
            "cleared_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the provider or a person said that it may go",
        ),
        sa.PrimaryKeyConstraint("message"),
        schema="notifier",
        comment="messages that a restore held up",
    )
    op.create_index(
        "holds_due",
        "holds",
        ["look_at"],
        schema="notifier",
        postgresql_where=sa.text("cleared_at IS NULL AND look_at IS NOT NULL"),
    )


def downgrade() -> None:
    for table in ("holds", "restore_changes", "restores"):
        op.drop_table(table, schema="notifier")
    op.drop_index("messages_held", table_name="messages", schema="notifier")
    op.drop_column("messages", "not_before", schema="notifier")
