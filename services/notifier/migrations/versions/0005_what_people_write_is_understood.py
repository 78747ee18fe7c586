"""what people write is understood"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | None = "0004"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.create_table(
        "hearing",
        sa.Column("only", sa.SmallInteger(), nullable=False, comment="1"),
        sa.Column(
            "heard_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the provider's signature was last right",
        ),
        sa.Column(
            "refused_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when calls that name our account are refused; null: none is",
        ),
        sa.Column("refused", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="how many of them"),
        sa.Column(
            "read_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="up to when the provider's list of inbound texts was read",
        ),
        sa.PrimaryKeyConstraint("only"),
        schema="notifier",
        comment="whether the provider's calls come through, and what has to be fetched because they did not",
    )
    op.create_table(
        "questions",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="stop: whether texts should end; confirm, decline: which session"
        ),
        sa.Column(
            "options",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[{patient, session, version, placed}] in the order asked",
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
        schema="notifier",
        comment="what a number was asked back and has not answered",
    )
    op.add_column(
        "contact_points",
        sa.Column(
            "wrong_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when whoever has the number said that it is not this patient's",
        ),
        schema="notifier",
    )
    op.add_column(
        "forgeries",
        sa.Column(
            "ours",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="of these, that named our own account",
        ),
        schema="notifier",
    )
    op.add_column("inbound", sa.Column("number", sa.Text(), nullable=True, comment="sealed"), schema="notifier")
    op.add_column(
        "inbound",
        sa.Column(
            "arrived_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="by the machine's clock at the door; null: the provider's list told of it",
        ),
        schema="notifier",
    )
    op.add_column(
        "inbound",
        sa.Column(
            "turn_at", sa.DateTime(timezone=True), nullable=True, comment="by the machine's clock, when it was acted on"
        ),
        schema="notifier",
    )
    op.add_column(
        "inbound", sa.Column("door", sa.Text(), nullable=True, comment="the process that it came to"), schema="notifier"
    )
    op.add_column(
        "inbound",
        sa.Column(
            "words", sa.Text(), nullable=True, comment="fingerprint of its words: who repeats them may be a machine"
        ),
        schema="notifier",
    )
    op.add_column(
        "inbound",
        sa.Column(
            "sessions",
            postgresql.JSONB(none_as_null=True),
            nullable=True,
            comment="that it said yes or no to: {session: placed}",
        ),
        schema="notifier",
    )
    op.create_index("inbound_number", "inbound", ["fingerprint", "received_at"], unique=False, schema="notifier")
    op.add_column(
        "messages",
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what else a reply names: wall times of sessions",
        ),
        schema="notifier",
    )


def downgrade() -> None:
    op.drop_column("messages", "details", schema="notifier")
    op.drop_index("inbound_number", table_name="inbound", schema="notifier")
    op.drop_column("inbound", "sessions", schema="notifier")
    op.drop_column("inbound", "words", schema="notifier")
    op.drop_column("inbound", "door", schema="notifier")
    op.drop_column("inbound", "turn_at", schema="notifier")
    op.drop_column("inbound", "arrived_at", schema="notifier")
    op.drop_column("inbound", "number", schema="notifier")
    op.drop_column("forgeries", "ours", schema="notifier")
    op.drop_column("contact_points", "wrong_at", schema="notifier")
    op.drop_table("questions", schema="notifier")
    op.drop_table("hearing", schema="notifier")
