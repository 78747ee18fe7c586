"""clinics, patients and the console"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
PHASE = "before"


# The audit trail is evidence: whoever holds the service's role can add to it, and change or remove nothing.
APPEND_ONLY = """
CREATE FUNCTION clinic.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail only grows';
END $$;
"""
GUARD = """
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON clinic.audit
FOR EACH STATEMENT EXECUTE FUNCTION clinic.refuse_change();
"""


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("thing", sa.Uuid(), nullable=True),
        sa.Column("patient", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("audit_clinic", "audit", ["clinic", "at"], unique=False, schema="clinic")
    op.create_index("audit_patient", "audit", ["patient", "at"], unique=False, schema="clinic")
    op.create_table(
        "clinics",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sender_name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("quiet_from", sa.Text(), nullable=False),
        sa.Column("quiet_until", sa.Text(), nullable=False),
        sa.Column("crisis", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("oncall", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_table(
        "idempotency",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        schema="clinic",
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_table(
        "login_failures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("login_failures_account", "login_failures", ["account", "at"], unique=False, schema="clinic")
    op.create_index("login_failures_address", "login_failures", ["address", "at"], unique=False, schema="clinic")
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
        schema="clinic",
    )
    op.create_index("outbox_due", "outbox", ["due_at", "seq"], unique=False, schema="clinic")
    op.create_index(
        "outbox_timer_prefix",
        "outbox",
        ["timer"],
        unique=False,
        schema="clinic",
        postgresql_ops={"timer": "text_pattern_ops"},
    )
    op.create_table(
        "seen_alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("seen_alerts_patient", "seen_alerts", ["patient"], unique=False, schema="clinic")
    op.create_index("seen_alerts_state", "seen_alerts", ["clinic", "state"], unique=False, schema="clinic")
    op.create_table(
        "seen_checkins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("instruments", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("asked_for", sa.Date(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("seen_checkins_patient", "seen_checkins", ["patient"], unique=False, schema="clinic")
    op.create_index("seen_checkins_state", "seen_checkins", ["clinic", "state"], unique=False, schema="clinic")
    op.create_table(
        "seen_consents",
        sa.Column("contact", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("contact", "purpose"),
        schema="clinic",
    )
    op.create_index("seen_consents_patient", "seen_consents", ["patient"], unique=False, schema="clinic")
    op.create_table(
        "seen_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=True),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("story", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("seen_messages_patient", "seen_messages", ["patient"], unique=False, schema="clinic")
    op.create_index("seen_messages_state", "seen_messages", ["clinic", "state", "at"], unique=False, schema="clinic")
    op.create_table(
        "seen_plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("protocol_version", sa.Integer(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("interval_days", sa.Integer(), nullable=False),
        sa.Column("next_due_on", sa.Date(), nullable=False),
        sa.Column("induction_complete", sa.Boolean(), nullable=False),
        sa.Column("attended", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("seen_plans_patient", "seen_plans", ["patient"], unique=False, schema="clinic")
    op.create_table(
        "seen_proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("from_days", sa.Integer(), nullable=False),
        sa.Column("to_days", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_days", sa.Integer(), nullable=True),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("seen_proposals_patient", "seen_proposals", ["patient"], unique=False, schema="clinic")
    op.create_index("seen_proposals_state", "seen_proposals", ["clinic", "state"], unique=False, schema="clinic")
    op.create_table(
        "seen_replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("seen_replies_patient", "seen_replies", ["patient"], unique=False, schema="clinic")
    op.create_index("seen_replies_unread", "seen_replies", ["clinic", "read_by"], unique=False, schema="clinic")
    op.create_table(
        "seen_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("starts_at_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("seen_sessions_day", "seen_sessions", ["clinic", "starts_at_utc"], unique=False, schema="clinic")
    op.create_index("seen_sessions_patient", "seen_sessions", ["patient"], unique=False, schema="clinic")
    op.create_table(
        "patients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("external_print", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("discharged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discharge_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic"],
            ["clinic.clinics.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("patients_clinic", "patients", ["clinic", "id"], unique=False, schema="clinic")
    op.create_index("patients_external", "patients", ["clinic", "external_print"], unique=True, schema="clinic")
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic"],
            ["clinic.clinics.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("login"),
        schema="clinic",
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("print", sa.Text(), nullable=False),
        sa.Column("consents", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"],
            ["clinic.patients.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
    )
    op.create_index("contacts_patient", "contacts", ["patient", "place"], unique=False, schema="clinic")
    op.create_index("contacts_print", "contacts", ["print"], unique=False, schema="clinic")
    op.create_table(
        "logins",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("staff", sa.Uuid(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff"],
            ["clinic.staff.id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
        schema="clinic",
    )
    op.execute(APPEND_ONLY)
    op.execute(GUARD)


def downgrade() -> None:
    op.execute("DROP TRIGGER audit_only_grows ON clinic.audit")
    op.execute("DROP FUNCTION clinic.refuse_change()")
    op.drop_table("logins", schema="clinic")
    op.drop_index("contacts_print", table_name="contacts", schema="clinic")
    op.drop_index("contacts_patient", table_name="contacts", schema="clinic")
    op.drop_table("contacts", schema="clinic")
    op.drop_table("staff", schema="clinic")
    op.drop_index("patients_external", table_name="patients", schema="clinic")
    op.drop_index("patients_clinic", table_name="patients", schema="clinic")
    op.drop_table("patients", schema="clinic")
    op.drop_index("seen_sessions_patient", table_name="seen_sessions", schema="clinic")
    op.drop_index("seen_sessions_day", table_name="seen_sessions", schema="clinic")
    op.drop_table("seen_sessions", schema="clinic")
    op.drop_index("seen_replies_unread", table_name="seen_replies", schema="clinic")
    op.drop_index("seen_replies_patient", table_name="seen_replies", schema="clinic")
    op.drop_table("seen_replies", schema="clinic")
    op.drop_index("seen_proposals_state", table_name="seen_proposals", schema="clinic")
    op.drop_index("seen_proposals_patient", table_name="seen_proposals", schema="clinic")
    op.drop_table("seen_proposals", schema="clinic")
    op.drop_index("seen_plans_patient", table_name="seen_plans", schema="clinic")
    op.drop_table("seen_plans", schema="clinic")
    op.drop_index("seen_messages_state", table_name="seen_messages", schema="clinic")
    op.drop_index("seen_messages_patient", table_name="seen_messages", schema="clinic")
    op.drop_table("seen_messages", schema="clinic")
    op.drop_index("seen_consents_patient", table_name="seen_consents", schema="clinic")
    op.drop_table("seen_consents", schema="clinic")
    op.drop_index("seen_checkins_state", table_name="seen_checkins", schema="clinic")
    op.drop_index("seen_checkins_patient", table_name="seen_checkins", schema="clinic")
    op.drop_table("seen_checkins", schema="clinic")
    op.drop_index("seen_alerts_state", table_name="seen_alerts", schema="clinic")
    op.drop_index("seen_alerts_patient", table_name="seen_alerts", schema="clinic")
    op.drop_table("seen_alerts", schema="clinic")
    op.drop_index(
        "outbox_timer_prefix", table_name="outbox", schema="clinic", postgresql_ops={"timer": "text_pattern_ops"}
    )
    op.drop_index("outbox_due", table_name="outbox", schema="clinic")
    op.drop_table("outbox", schema="clinic")
    op.drop_index("login_failures_address", table_name="login_failures", schema="clinic")
    op.drop_index("login_failures_account", table_name="login_failures", schema="clinic")
    op.drop_table("login_failures", schema="clinic")
    op.drop_table("inbox", schema="clinic")
    op.drop_table("idempotency", schema="clinic")
    op.drop_table("clinics", schema="clinic")
    op.drop_index("audit_patient", table_name="audit", schema="clinic")
    op.drop_index("audit_clinic", table_name="audit", schema="clinic")
    op.drop_table("audit", schema="clinic")
