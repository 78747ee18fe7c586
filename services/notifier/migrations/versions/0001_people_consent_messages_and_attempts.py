"""people consent messages and attempts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
PHASE = "before"

APPEND_ONLY = (
    """
    CREATE FUNCTION notifier.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'The ledger of consent is only added to.';
    END $$
    """,
    """
    CREATE TRIGGER consents_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON notifier.consents
        FOR EACH STATEMENT EXECUTE FUNCTION notifier.refuse_change()
    """,
)


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message", sa.Uuid(), nullable=False),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="calling, accepted, refused, later, unknown, nothing, lost"
        ),
        sa.Column(
            "owner", sa.Integer(), nullable=False, comment="of the process that calls, which holds this advisory lock"
        ),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="sealed"),
        sa.Column(
            "body_print", sa.Text(), nullable=False, comment="fingerprint of the exact body, to find it at the provider"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("sid", sa.Text(), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("empty_looks", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sid"),
        schema="notifier",
    )
    op.create_index(
        "attempts_calling",
        "attempts",
        ["owner"],
        unique=False,
        schema="notifier",
        postgresql_where=sa.text("state = 'calling'"),
    )
    op.create_index("attempts_message", "attempts", ["message"], unique=False, schema="notifier")
    op.create_index(
        "attempts_unknown",
        "attempts",
        ["look_at"],
        unique=False,
        schema="notifier",
        postgresql_where=sa.text("state = 'unknown'"),
    )
    op.create_table(
        "callbacks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("message", sa.Uuid(), nullable=True),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "fields",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="all that came, without numbers and text",
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="notifier",
    )
    op.create_index("callbacks_message", "callbacks", ["message"], unique=False, schema="notifier")
    op.create_table(
        "clinics",
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sender_name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("opens", sa.Text(), nullable=False),
        sa.Column("closes", sa.Text(), nullable=False),
        sa.Column("crisis_en", sa.Text(), nullable=False),
        sa.Column("crisis_es", sa.Text(), nullable=False),
        sa.Column(
            "oncall",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[{kind, value: sealed}] of the staff to page",
        ),
        sa.PrimaryKeyConstraint("clinic"),
        schema="notifier",
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=True),
        sa.Column("patient", sa.Uuid(), nullable=True),
        sa.Column("contact", sa.Uuid(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=True, comment="null: whatever the number was used for"),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="notifier",
        comment="the ledger: rows are added, never changed or removed (a trigger refuses it)",
    )
    op.create_index("consents_patient", "consents", ["patient", "id"], unique=False, schema="notifier")
    op.create_table(
        "contact_points",
        sa.Column("contact", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False, comment="sealed"),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="the clinic's order of preference"),
        sa.Column("purposes", sa.ARRAY(sa.Text()), nullable=False, comment="consented to, as the clinic last said"),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("contact"),
        schema="notifier",
    )
    op.create_index("contact_points_fingerprint", "contact_points", ["fingerprint"], unique=False, schema="notifier")
    op.create_index("contact_points_patient", "contact_points", ["patient"], unique=False, schema="notifier")
    op.create_table(
        "forgeries",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("path", "minute"),
        schema="notifier",
        comment="webhook calls without a valid signature, by minute: a flood must not fill the disk",
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
        schema="notifier",
    )
    op.create_table(
        "inbound",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="sealed"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
        schema="notifier",
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="notifier",
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=True, comment="session, check-in, plan or alert"),
        sa.Column("turn", sa.Text(), nullable=False, comment="tells apart what would else be the same occurrence"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it is looked at next: due, held, or after a pause",
        ),
        sa.Column("useful_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True, comment="of the session it was planned for"),
        sa.Column(
            "lane", sa.Text(), nullable=False, comment="the recipient; one message of a lane is under way at a time"
        ),
        sa.Column(
            "address",
            sa.Text(),
            nullable=True,
            comment="sealed; null: the patient's contact point as it is when it goes out",
        ),
        sa.Column("link", sa.Text(), nullable=True, comment="sealed"),
        sa.Column("to_masked", sa.Text(), nullable=False),
        sa.Column("to_fingerprint", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sid", sa.Text(), nullable=True),
        sa.Column(
            "sent_at", sa.DateTime(timezone=True), nullable=True, comment="when the provider was known to have it"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "clinic",
            "patient",
            "purpose",
            "about",
            "occurrence",
            "turn",
            "channel",
            name="messages_business_key",
            postgresql_nulls_not_distinct=True,
        ),
        schema="notifier",
    )
    op.create_index(
        "messages_due",
        "messages",
        ["next_at", "id"],
        unique=False,
        schema="notifier",
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "messages_lane",
        "messages",
        ["lane", "next_at", "id"],
        unique=False,
        schema="notifier",
        postgresql_where=sa.text("state IN ('planned', 'sending')"),
    )
    op.create_index("messages_patient", "messages", ["patient", "id"], unique=False, schema="notifier")
    op.create_index(
        "messages_pending_about",
        "messages",
        ["about"],
        unique=False,
        schema="notifier",
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "messages_sent",
        "messages",
        ["patient", "sent_at"],
        unique=False,
        schema="notifier",
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    op.create_index(
        "messages_to",
        "messages",
        ["to_fingerprint"],
        unique=False,
        schema="notifier",
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("message", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="notifier",
        comment="what a message's story cannot take from attempts and callbacks: holds, refusals, look-ups",
    )
    op.create_index("notes_message", "notes", ["message"], unique=False, schema="notifier")
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
        schema="notifier",
    )
    op.create_index("outbox_due", "outbox", ["due_at", "seq"], unique=False, schema="notifier")
    op.create_index(
        "outbox_timer_prefix",
        "outbox",
        ["timer"],
        unique=False,
        schema="notifier",
        postgresql_ops={"timer": "text_pattern_ops"},
    )
    op.create_table(
        "patients",
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("discharged", sa.Boolean(), nullable=False),
        sa.Column("consent_version", sa.Integer(), nullable=False, comment="counts changes of consent by text"),
        sa.PrimaryKeyConstraint("patient"),
        schema="notifier",
    )
    op.create_table(
        "senders",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column(
            "used_until", sa.DateTime(timezone=True), nullable=True, comment="up to here the sender's rate is spent"
        ),
        sa.PrimaryKeyConstraint("sender"),
        schema="notifier",
    )
    op.create_table(
        "sessions",
        sa.Column("session", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.Text(), nullable=False, comment="wall time in zone"),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("starts_at_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("placed", sa.Integer(), nullable=False, comment="the version that last changed the start"),
        sa.PrimaryKeyConstraint("session"),
        schema="notifier",
    )
    op.create_index("sessions_patient", "sessions", ["patient", "starts_at_utc"], unique=False, schema="notifier")
    op.create_table(
        "stops",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
        schema="notifier",
        comment="numbers that said stop; only the number itself lifts it",
    )
    for statement in APPEND_ONLY:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("stops", schema="notifier")
    op.drop_index("sessions_patient", table_name="sessions", schema="notifier")
    op.drop_table("sessions", schema="notifier")
    op.drop_table("senders", schema="notifier")
    op.drop_table("patients", schema="notifier")
    op.drop_index(
        "outbox_timer_prefix", table_name="outbox", schema="notifier", postgresql_ops={"timer": "text_pattern_ops"}
    )
    op.drop_index("outbox_due", table_name="outbox", schema="notifier")
    op.drop_table("outbox", schema="notifier")
    op.drop_index("notes_message", table_name="notes", schema="notifier")
    op.drop_table("notes", schema="notifier")
    op.drop_index(
        "messages_to", table_name="messages", schema="notifier", postgresql_where=sa.text("sent_at IS NOT NULL")
    )
    op.drop_index(
        "messages_sent", table_name="messages", schema="notifier", postgresql_where=sa.text("sent_at IS NOT NULL")
    )
    op.drop_index(
        "messages_pending_about",
        table_name="messages",
        schema="notifier",
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.drop_index("messages_patient", table_name="messages", schema="notifier")
    op.drop_index(
        "messages_lane",
        table_name="messages",
        schema="notifier",
        postgresql_where=sa.text("state IN ('planned', 'sending')"),
    )
    op.drop_index(
        "messages_due", table_name="messages", schema="notifier", postgresql_where=sa.text("state = 'planned'")
    )
    op.drop_table("messages", schema="notifier")
    op.drop_table("inbox", schema="notifier")
    op.drop_table("inbound", schema="notifier")
    op.drop_table("idempotency", schema="notifier")
    op.drop_table("forgeries", schema="notifier")
    op.drop_index("contact_points_patient", table_name="contact_points", schema="notifier")
    op.drop_index("contact_points_fingerprint", table_name="contact_points", schema="notifier")
    op.drop_table("contact_points", schema="notifier")
    op.drop_index("consents_patient", table_name="consents", schema="notifier")
    op.drop_table("consents", schema="notifier")
    op.drop_table("clinics", schema="notifier")
    op.drop_index("callbacks_message", table_name="callbacks", schema="notifier")
    op.drop_table("callbacks", schema="notifier")
    op.drop_index(
        "attempts_unknown", table_name="attempts", schema="notifier", postgresql_where=sa.text("state = 'unknown'")
    )
    op.drop_index("attempts_message", table_name="attempts", schema="notifier")
    op.drop_index(
        "attempts_calling", table_name="attempts", schema="notifier", postgresql_where=sa.text("state = 'calling'")
    )
    op.drop_table("attempts", schema="notifier")
    op.execute("DROP FUNCTION notifier.refuse_change")
