"""alerts of every kind: of a text as well as of an answer, and more than one of a check-in"""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
PHASE = "before"  # adds, and asks less of what is there

SCHEMA = "assessments"


def upgrade() -> None:
    op.add_column(
        "alerts",
        sa.Column(
            "again_of", sa.Uuid(), comment="the check-in, where an earlier alert of it has its place in `checkin`"
        ),
        schema=SCHEMA,
    )
    op.add_column("alerts", sa.Column("reply", sa.Uuid(), comment="the text that raised it"), schema=SCHEMA)
    op.add_column(
        "alerts",
        sa.Column("sender", sa.Text(), comment="fingerprint of the number, where it is no patient's"),
        schema=SCHEMA,
    )
    op.add_column(
        "alerts", sa.Column("kind", sa.Text(), comment="sealed; null: an older version raised it"), schema=SCHEMA
    )
    op.add_column(
        "alerts", sa.Column("severity", sa.Text(), comment="sealed; null: an older version raised it"), schema=SCHEMA
    )
    op.add_column("alerts", sa.Column("acknowledged_staff", sa.Uuid()), schema=SCHEMA)
    op.add_column("alerts", sa.Column("closed_staff", sa.Uuid()), schema=SCHEMA)
    op.alter_column("alerts", "patient", nullable=True, schema=SCHEMA)
    op.alter_column("alerts", "checkin", nullable=True, schema=SCHEMA)
    op.create_index(
        "alerts_again", "alerts", ["again_of"], schema=SCHEMA, postgresql_where=sa.text("again_of IS NOT NULL")
    )
    op.create_index(
        "alerts_reply", "alerts", ["reply"], unique=True, schema=SCHEMA, postgresql_where=sa.text("reply IS NOT NULL")
    )
    op.add_column(
        "clinics",
        sa.Column(
            "oncall",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="how many contacts an alert pages",
        ),
        schema=SCHEMA,
    )
    op.add_column(
        "pages", sa.Column("channel", sa.Text(), server_default=sa.text("'sms'"), nullable=False), schema=SCHEMA
    )
    op.add_column(
        "pages",
        sa.Column(
            "round",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="which page of the alert it is part of",
        ),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table, columns in (("pages", ("round", "channel")), ("clinics", ("oncall",))):
        for column in columns:
            op.drop_column(table, column, schema=SCHEMA)
    op.drop_index("alerts_reply", table_name="alerts", schema=SCHEMA)
    op.drop_index("alerts_again", table_name="alerts", schema=SCHEMA)
    op.execute("DELETE FROM assessments.pages WHERE alert IN (SELECT id FROM assessments.alerts WHERE checkin IS NULL)")
    op.execute("DELETE FROM assessments.alerts WHERE checkin IS NULL")
    op.alter_column("alerts", "checkin", nullable=False, schema=SCHEMA)
    op.alter_column("alerts", "patient", nullable=False, schema=SCHEMA)
    for column in ("closed_staff", "acknowledged_staff", "severity", "kind", "reply", "again_of"):
        op.drop_column("alerts", column, schema=SCHEMA)
