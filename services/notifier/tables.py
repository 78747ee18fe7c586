"""The notifier's tables."""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

SCHEMA: Final = "notifier"
METADATA: Final = MetaData(schema=SCHEMA)
BUS: Final = bus_tables(METADATA, SCHEMA)
IDEMPOTENCY: Final = idempotency_table(METADATA, SCHEMA)

INSTANT: Final = DateTime(timezone=True)

CLINICS: Final = Table(
    "clinics",
    METADATA,
    Column("clinic", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("sender_name", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("opens", Text, nullable=False),
    Column("closes", Text, nullable=False),
    Column("crisis_en", Text, nullable=False),
    Column("crisis_es", Text, nullable=False),
    Column("oncall", JSONB, nullable=False, comment="[{kind, value: sealed}] of the staff to page"),
    Column("reach", JSONB, comment="[{kind, to: masked, trouble}] of them, as last told; null: not looked at yet"),
    Column("reach_version", Integer, nullable=False, server_default=text("0")),
)

PATIENTS: Final = Table(
    "patients",
    METADATA,
    Column("patient", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("discharged", Boolean, nullable=False),
    Column("consent_version", Integer, nullable=False, comment="counts changes of consent by text"),
    Column("joined_into", Uuid, comment="the person's other record, in which care goes on"),
    Index("patients_joined", "joined_into", postgresql_where=text("joined_into IS NOT NULL")),
)

CONTACT_POINTS: Final = Table(
    "contact_points",
    METADATA,
    Column("contact", Uuid, primary_key=True),
    Column("patient", Uuid, nullable=False),
    Column("clinic", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False, comment="sealed"),
    Column("fingerprint", Text, nullable=False),
    Column("position", SmallInteger, nullable=False, comment="the clinic's order of preference"),
    Column("purposes", ARRAY(Text), nullable=False, comment="consented to, as the clinic last said"),
    Column("retired", Boolean, nullable=False),
    Column("wrong_at", INSTANT, comment="when whoever has the number said that it is not this patient's"),
    Index("contact_points_patient", "patient"),
    Index("contact_points_fingerprint", "fingerprint"),
)

HELD_IN_CLEAR: Final = "granted AND purpose IS NOT NULL AND words IS NULL"
"""Which rows of the ledger hold the clinic's words in clear: it alone tells of a consent to a purpose."""

CONSENTS: Final = Table(
    "consents",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("clinic", Uuid),
    Column("patient", Uuid),
    Column("contact", Uuid),
    Column("fingerprint", Text, nullable=False),
    Column("purpose", Text, comment="null: whatever the number was used for"),
    Column("granted", Boolean, nullable=False),
    Column("how", Text, nullable=False),  # a code of ours; older versions kept the clinic's words here
    Column("at", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("words", Text, comment="how it was given, as the clinic wrote it, sealed"),
    Index("consents_patient", "patient", "id"),
    Index("consents_in_clear", "id", postgresql_where=text(HELD_IN_CLEAR)),
    comment="the ledger: rows are added, never removed, nor changed but to seal words (a trigger refuses it)",
)

STOPS: Final = Table(
    "stops",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("how", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    comment="numbers that said stop; only the number itself lifts it",
)

BAD_ADDRESSES: Final = Table(
    "bad_addresses",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("why", Text, nullable=False, comment="the provider's error code, or staff"),
    Column("by", Text, comment="who said so, where a person did"),
    Column("at", INSTANT, nullable=False),
    comment="numbers and mailboxes at which nothing arrives; nothing to patients goes there",
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("session", Uuid, primary_key=True),
    Column("patient", Uuid, nullable=False),
    Column("clinic", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("starts_at", Text, nullable=False, comment="wall time in zone"),
    Column("zone", Text, nullable=False),
    Column("starts_at_utc", INSTANT, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("placed", Integer, nullable=False, comment="the version that last changed the start"),
    Index("sessions_patient", "patient", "starts_at_utc"),
)

MESSAGES: Final = Table(
    "messages",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid),
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("occurrence", Text, nullable=False),
    Column("about", Uuid, comment="session, check-in, plan or alert"),
    Column("turn", Text, nullable=False, comment="tells apart what would else be the same occurrence"),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("next_at", INSTANT, nullable=False, comment="when it is looked at next: due, held, or after a pause"),
    Column("useful_until", INSTANT),
    Column("starts_at", INSTANT, comment="of the session it was planned for"),
    Column("not_before", INSTANT, comment="nothing of it can have gone out before; null: not known"),
    Column("lane", Text, nullable=False, comment="the recipient; one message of a lane is under way at a time"),
    Column("address", Text, comment="sealed; null: the patient's contact point as it is when it goes out"),
    Column("link", Text, comment="sealed"),
    Column("details", JSONB(none_as_null=True), comment="what else a reply names: wall times of sessions"),
    Column("to_masked", Text, nullable=False),
    Column("to_fingerprint", Text),
    Column("reason", Text),
    Column("error", Text),
    Column("sid", Text),
    Column("sent_at", INSTANT, comment="when the provider was known to have it"),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("trace", Text, comment="traceparent of what planned it; null: an older version did"),
    UniqueConstraint(
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
    Index("messages_due", "next_at", "id", postgresql_where=text("state = 'planned'")),
    Index("messages_lane", "lane", "next_at", "id", postgresql_where=text("state IN ('planned', 'sending')")),
    Index("messages_pending_about", "about", postgresql_where=text("state = 'planned'")),
    Index("messages_held", "about", postgresql_where=text("state = 'held'")),
    Index("messages_patient", "patient", "id"),
    Index("messages_sent", "patient", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
    Index("messages_lost", "updated_at", postgresql_where=text("state IN ('failed', 'undelivered')")),
    Index("messages_to", "to_fingerprint", postgresql_where=text("sent_at IS NOT NULL")),
    Index("messages_pages", "to_fingerprint", "updated_at", postgresql_where=text("purpose = 'page'")),
)

ATTEMPTS: Final = Table(
    "attempts",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("message", Uuid, nullable=False),
    Column("state", Text, nullable=False, comment="calling, accepted, refused, later, unknown, nothing, lost"),
    Column("owner", Integer, nullable=False, comment="of the process that calls, which holds this advisory lock"),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False, comment="sealed"),
    Column("body_print", Text, nullable=False, comment="fingerprint of the exact body, to find it at the provider"),
    Column("words", Text, comment="sealed, without the secret of a link; null: an older version kept none"),
    Column("started_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("detail", Text),
    Column("sid", Text, unique=True),
    Column("look_at", INSTANT),
    Column("empty_looks", SmallInteger, nullable=False),
    Index("attempts_message", "message"),
    Index("attempts_calling", "owner", postgresql_where=text("state = 'calling'")),
    Index("attempts_later", "ended_at", postgresql_where=text("state = 'later'")),
    Index("attempts_unknown", "look_at", postgresql_where=text("state = 'unknown'")),
)

CALLBACKS: Final = Table(
    "callbacks",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("message", Uuid),
    Column("sid", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("error", Text),
    Column("fields", JSONB, nullable=False, comment="all that came, without numbers and text"),
    Column("received_at", INSTANT, nullable=False),
    Index("callbacks_message", "message"),
)

INBOUND: Final = Table(
    "inbound",
    METADATA,
    Column("sid", Text, primary_key=True),
    Column("clinic", Uuid),
    Column("fingerprint", Text, nullable=False),
    Column("intent", Text, nullable=False),
    Column("body", Text, nullable=False, comment="sealed"),
    Column("received_at", INSTANT, nullable=False),
    Column("number", Text, comment="sealed"),
    Column("arrived_at", INSTANT, comment="by the machine's clock at the door; null: the provider's list told of it"),
    Column("turn_at", INSTANT, comment="by the machine's clock, when it was acted on"),
    Column("door", Text, comment="the process that it came to"),
    Column("words", Text, comment="fingerprint of its words: who repeats them may be a machine"),
    Column("sessions", JSONB(none_as_null=True), comment="that it said yes or no to: {session: placed}"),
    Column("told", JSONB(none_as_null=True), comment="[{type, body}] of the events it led to; null: an older version"),
    Index("inbound_number", "fingerprint", "received_at"),
    Index("inbound_received", "received_at", "sid"),
)

QUESTIONS: Final = Table(
    "questions",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("kind", Text, nullable=False, comment="stop: whether texts should end; confirm, decline: which session"),
    Column("options", JSONB, nullable=False, comment="[{patient, session, version, placed}] in the order asked"),
    Column("asked_at", INSTANT, nullable=False),
    comment="what a number was asked back and has not answered",
)

FORGERIES: Final = Table(
    "forgeries",
    METADATA,
    Column("path", Text, primary_key=True),
    Column("minute", INSTANT, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("ours", Integer, nullable=False, server_default=text("0"), comment="of these, that named our own account"),
    comment="webhook calls without a valid signature, by minute: a flood must not fill the disk",
)

WEBHOOK_HEALTH: Final = Table(
    "hearing",
    METADATA,
    Column("only", SmallInteger, primary_key=True, comment="1"),
    Column("heard_at", INSTANT, comment="when the provider's signature was last right"),
    Column("refused_since", INSTANT, comment="since when calls that name our account are refused; null: none is"),
    Column("refused", Integer, nullable=False, server_default=text("0"), comment="how many of them"),
    Column("read_at", INSTANT, comment="up to when the provider's list of inbound texts was read"),
    Column("first_refused_at", INSTANT, comment="when the first of them was refused; null: not known"),
    comment="whether the provider's calls come through, and what has to be fetched because they did not",
)

NOTES: Final = Table(
    "notes",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("message", Uuid, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("notes_message", "message"),
    comment="what a message's story cannot take from attempts and callbacks: holds, refusals, look-ups",
)

SENDERS: Final = Table(
    "senders",
    METADATA,
    Column("sender", Text, primary_key=True),
    Column("used_until", INSTANT, comment="up to here the sender's rate is spent"),
)

RESTORES: Final = Table(
    "restores",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("backed_up_at", INSTANT, nullable=False, comment="from here on the database has forgotten"),
    Column("restored_at", INSTANT, nullable=False),
    Column("forgotten", Boolean, nullable=False, comment="what changed in between cannot be read any more"),
    Column("texts_read_at", INSTANT, comment="when the texts that patients sent in between were fetched"),
    Column("closed_at", INSTANT, comment="when a person said that all is as it should be"),
    comment="restores to an earlier point; while one is open, what may have gone out before is settled first",
)

RESTORE_CHANGES: Final = Table(
    "restore_changes",
    METADATA,
    Column("restore", BigInteger, primary_key=True),
    Column("patient", Uuid, primary_key=True),
    Column("what", ARRAY(Text), nullable=False, comment="types of the events that were lost"),
    comment="patients whose record changed in the time that was lost",
)

HOLDS: Final = Table(
    "holds",
    METADATA,
    Column("message", Uuid, primary_key=True),
    Column("restore", BigInteger, nullable=False),
    Column("since", INSTANT, nullable=False),
    Column("address", Text, nullable=False, comment="sealed"),
    Column("body_prints", ARRAY(Text), nullable=False, comment="fingerprints of the words that it could have had"),
    Column("look_at", INSTANT, comment="when the provider is asked; null: a person is"),
    Column("why", Text),
    Column("seen", ARRAY(Text), comment="the provider's ids of the texts that a person was asked about"),
    Column("cleared_at", INSTANT, comment="when the provider or a person said that it may go"),
    Index("holds_due", "look_at", postgresql_where=text("cleared_at IS NULL AND look_at IS NOT NULL")),
    comment="messages that a restore held up",
)
