"""patients plans and sessions"""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
PHASE = "before"


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        schema="scheduler",
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="scheduler",
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timer", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("timer"),
        schema="scheduler",
    )
    op.create_index("outbox_due", "outbox", ["due_at", "seq"], unique=False, schema="scheduler")
    op.create_index(
        "outbox_timer_prefix",
        "outbox",
        ["timer"],
        unique=False,
        schema="scheduler",
        postgresql_ops={"timer": "text_pattern_ops"},
    )
    op.create_table(
        "patients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("in_care", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="scheduler",
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("protocol_version", sa.Integer(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("attended", sa.Integer(), nullable=False),
        sa.Column("last_attended_on", sa.Date(), nullable=True),
        sa.Column("interval_days", sa.Integer(), nullable=False),
        sa.Column("next_due_on", sa.Date(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("phase IN ('induction', 'maintenance')", name="plans_phase"),
        sa.ForeignKeyConstraint(
            ["patient"],
            ["scheduler.patients.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="scheduler",
    )
    op.create_index(
        "plans_one_active", "plans", ["patient"], unique=True, schema="scheduler", postgresql_where=sa.text("active")
    )
    op.create_table(
        "replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("session", sa.Uuid(), nullable=True),
        sa.Column("session_version", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"],
            ["scheduler.patients.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="scheduler",
    )
    op.create_table(
        "decisions",
        sa.Column("proposal", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("interval_days", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"],
            ["scheduler.patients.id"],
        ),
        sa.ForeignKeyConstraint(
            ["plan"],
            ["scheduler.plans.id"],
        ),
        sa.PrimaryKeyConstraint("proposal"),
        schema="scheduler",
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("starts_at_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("attended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attended_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'attended') = (attended_at IS NOT NULL)", name="sessions_attended_at"),
        sa.CheckConstraint(
            "state IN ('booked', 'confirmed', 'attended', 'missed', 'cancelled')", name="sessions_state"
        ),
        sa.ForeignKeyConstraint(
            ["patient"],
            ["scheduler.patients.id"],
        ),
        sa.ForeignKeyConstraint(
            ["plan"],
            ["scheduler.plans.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="scheduler",
    )
    op.create_index("sessions_patient", "sessions", ["patient", "id"], unique=False, schema="scheduler")


def downgrade() -> None:
    op.drop_index("sessions_patient", table_name="sessions", schema="scheduler")
    op.drop_table("sessions", schema="scheduler")
    op.drop_table("decisions", schema="scheduler")
    op.drop_table("replies", schema="scheduler")
    op.drop_index("plans_one_active", table_name="plans", schema="scheduler", postgresql_where=sa.text("active"))
    op.drop_table("plans", schema="scheduler")
    op.drop_table("patients", schema="scheduler")
    op.drop_index(
        "outbox_timer_prefix", table_name="outbox", schema="scheduler", postgresql_ops={"timer": "text_pattern_ops"}
    )
    op.drop_index("outbox_due", table_name="outbox", schema="scheduler")
    op.drop_table("outbox", schema="scheduler")
    op.drop_table("inbox", schema="scheduler")
    op.drop_table("idempotency", schema="scheduler")
