"""The tables of the clinic service: what it owns, and what it has learnt of the other services."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

SCHEMA = "clinic"
METADATA = MetaData(schema=SCHEMA)
BUS = bus_tables(METADATA, SCHEMA)
IDEMPOTENCY = idempotency_table(METADATA, SCHEMA)


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


CLINICS = Table(
    "clinics",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("sender_name", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("quiet_from", Text, nullable=False),
    Column("quiet_until", Text, nullable=False),
    Column("hours_reason", Text),  # why texts go out at unusual hours
    Column("crisis", JSONB, nullable=False),
    Column("oncall", JSONB, nullable=False),  # [{kind, value}], each value sealed
    _instant("changed_at"),
    schema=SCHEMA,
)

STAFF = Table(
    "staff",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, ForeignKey(CLINICS.c.id), nullable=False),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("must_change", Boolean, nullable=False),  # the password is for one login
    schema=SCHEMA,
)

LOGINS = Table(
    "logins",
    METADATA,
    Column("token_hash", Text, primary_key=True),  # SHA-256 of the cookie: a stolen table opens nothing
    Column("staff", Uuid, ForeignKey(STAFF.c.id), nullable=False),
    _instant("began_at"),
    _instant("seen_at"),
    schema=SCHEMA,
)

LOGIN_FAILURES = Table(
    "login_failures",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("account", Text, nullable=False),  # fingerprint of the login that was typed
    Column("address", Text, nullable=False),  # fingerprint of the network address
    _instant("at"),
    Index("login_failures_account", "account", "at"),
    Index("login_failures_address", "address", "at"),
    schema=SCHEMA,
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    _instant("at"),
    Column("who", Text, nullable=False),  # staff:<id> or token:<name>
    Column("what", Text, nullable=False),  # such as patient.read
    Column("thing", Uuid),
    Column("patient", Uuid),
    Index("audit_patient", "patient", "at"),
    Index("audit_clinic", "clinic", "at"),
    schema=SCHEMA,
)

PATIENTS = Table(
    "patients",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, ForeignKey(CLINICS.c.id), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("given_name", Text, nullable=False),  # sealed, as are the next three
    Column("family_name", Text, nullable=False),
    Column("birth_date", Text),
    Column("external_id", Text),
    Column("external_print", Text),
    Column("zone", Text, nullable=False),
    Column("language", Text, nullable=False),
    _instant("enrolled_at"),
    _instant("discharged_at", nullable=True),
    Column("discharge_reason", Text),  # sealed
    Column("earlier", Uuid),  # the record of their last time in this clinic's care
    Column("joined_into", Uuid),  # the record that goes on, where this one was its duplicate
    Index("patients_clinic", "clinic", "id"),
    Index(
        "patients_external",
        "clinic",
        "external_print",
        unique=True,
        postgresql_where=text("state = 'enrolled'"),  # who was discharged may come back with the same number
    ),
    Index("patients_earlier", "earlier", postgresql_where=text("earlier IS NOT NULL")),
    Index("patients_joined", "joined_into", postgresql_where=text("joined_into IS NOT NULL")),
    schema=SCHEMA,
)

REASONS = Table(
    "reasons",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, ForeignKey(PATIENTS.c.id), nullable=False),
    Column("thing", Uuid, nullable=False),  # the patient, or what of another service it was about
    Column("what", Text, nullable=False),  # such as cancelled
    Column("reason", Text, nullable=False),  # sealed
    Column("by", Text, nullable=False),
    _instant("at"),
    Index("reasons_patient", "patient", "at"),
    comment="why staff did what they did, in their words",
    schema=SCHEMA,
)

CONTACTS = Table(
    "contacts",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("patient", Uuid, ForeignKey(PATIENTS.c.id), nullable=False),
    Column("place", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),  # sealed
    Column("print", Text, nullable=False),
    Column("consents", JSONB, nullable=False),  # [{purpose, words: sealed, at, by, noted_at}] as they were given
    Index("contacts_patient", "patient", "place"),
    Index("contacts_print", "print"),
    schema=SCHEMA,
)

# What follows is learnt from events. A row keeps the owner's version; an older event changes nothing.


def _learnt(name: str, *columns: Column[object] | Index) -> Table:
    return Table(
        name,
        METADATA,
        Column("id", Uuid, primary_key=True),
        Column("clinic", Uuid, nullable=False),
        Column("patient", Uuid, nullable=name in {"seen_messages", "seen_replies", "seen_alerts"}),
        Column("version", Integer, nullable=False),
        *columns,
        Index(f"{name}_patient", "patient"),
        schema=SCHEMA,
    )


_OPEN = "state = ANY (ARRAY['booked'::text, 'confirmed'::text])"
_UNSEEN = "seen_by IS NULL AND state = ANY (ARRAY['failed'::text, 'withheld'::text])"
_UNSEEN_ANSWERS = "seen_by IS NULL AND result IS NOT NULL"

PLANS = _learnt(
    "seen_plans",
    Column("protocol", Text, nullable=False),
    Column("protocol_version", Integer, nullable=False),
    Column("phase", Text, nullable=False),
    Column("interval_days", Integer, nullable=False),
    Column("next_due_on", Date, nullable=False),
    Column("induction_complete", Boolean, nullable=False),
    Column("attended", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("window_earlier_days", Integer, comment="before the due date a session may be booked; null: not said"),
    Column("window_later_days", Integer, comment="the same after it"),
    Index("seen_plans_due", "clinic", "next_due_on"),
)

SESSIONS = _learnt(
    "seen_sessions",
    Column("plan", Uuid),
    Column("starts_at", DateTime(timezone=False), nullable=False),
    Column("zone", Text, nullable=False),
    _instant("starts_at_utc"),
    Column("minutes", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("number", Integer),
    Column("kind", Text, nullable=False, server_default=text("'treatment'")),
    Column("not_asked", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("corrected_from", Text),
    Column("corrected_by", Text),
    _instant("corrected_at", nullable=True),
    Column("corrected_why", Text),  # sealed
    Column("kept_by", Text, comment="who said that it stays, though it is not booked near its due date"),
    Column("kept_due_on", Date, comment="the due date of which that was said"),
    _instant("kept_starts_at", nullable=True),  # the start of which that was said
    Index("seen_sessions_day", "clinic", "starts_at_utc"),
    Index("seen_sessions_open", "clinic", "starts_at_utc", postgresql_where=text(_OPEN)),
    Index("seen_sessions_booked", "patient", postgresql_where=text(_OPEN)),
)

CHECKINS = _learnt(
    "seen_checkins",
    Column("state", Text, nullable=False),
    Column("occurrence", Text, nullable=False),
    Column("instruments", ARRAY(Text), nullable=False),
    Column("asked_for", Date, nullable=False),
    _instant("expires_at", nullable=True),
    _instant("completed_at", nullable=True),
    Column("result", Text),  # sealed
    Column("voided", Text),  # sealed
    Column("seen_by", Text),  # who has looked at the answers
    _instant("seen_at", nullable=True),
    Index("seen_checkins_state", "clinic", "state"),
    Index("seen_checkins_unseen", "clinic", "completed_at", postgresql_where=text(_UNSEEN_ANSWERS)),
)

FURTHER = _learnt(
    "seen_further_answers",
    Column("checkin", Uuid, nullable=False),
    Column("why", Text, nullable=False),
    _instant("at"),
    Column("occurrence", Text, nullable=False),
    Column("asked_for", Date, nullable=False),
    Column("content", Text, nullable=False),  # sealed
    Column("seen_by", Text),
    _instant("seen_at", nullable=True),
    Index("seen_further_answers_unseen", "clinic", "at", postgresql_where=text("seen_by IS NULL")),
)

ALERTS = _learnt(
    "seen_alerts",
    Column("level", Text, nullable=False),
    Column("cause", Text, nullable=False),  # sealed
    _instant("raised_at"),
    Column("pages", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("by", Text),
    _instant("at", nullable=True),
    Column("disposition", Text),  # sealed
    _instant("next_page_at", nullable=True),  # when those on call are paged again while it is acknowledged
    Index("seen_alerts_state", "clinic", "state"),
)

PROPOSALS = _learnt(
    "seen_proposals",
    Column("plan", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("from_days", Integer, nullable=False),
    Column("to_days", Integer, nullable=False),
    Column("rule", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("detail", Text, nullable=False),  # sealed
    _instant("proposed_at"),
    _instant("expires_at"),
    Column("decided_days", Integer),
    Column("by", Text),
    _instant("at", nullable=True),
    Column("reason", Text),  # sealed
    Column("overruled", Text),  # sealed
    Column("decision", Text, comment="of a decision that was taken back: what it was"),
    Column("taken_back_by", Text),
    _instant("taken_back_at", nullable=True),
    Column("taken_back_why", Text),  # sealed
    Index("seen_proposals_state", "clinic", "state"),
)

MESSAGES = _learnt(
    "seen_messages",
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("occurrence", Text, nullable=False),
    Column("about", Uuid),
    Column("to", Text, nullable=False),  # masked by the notifier
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("error", Text),
    Column("why", Text, comment="of reason or error, in the notifier's words"),
    Column("step", Text, comment="what a person can do about it, in the notifier's words"),
    Column("words", Text, comment="what it said, sealed; null: not told"),
    _instant("at"),
    Column("story", JSONB, nullable=False),  # [{at, what, detail}]
    Column("seen_by", Text),  # who has seen to a message that did not go out
    Index("seen_messages_state", "clinic", "state", "at"),
    Index("seen_messages_pages", "about", postgresql_where=text("purpose = 'page'")),
    Index("seen_messages_unseen", "clinic", postgresql_where=text(_UNSEEN)),
)

REPLIES = _learnt(
    "seen_replies",
    Column("intent", Text, nullable=False),
    Column("text", Text, nullable=False),  # sealed
    _instant("at"),
    Column("read_by", Text),
    Column("flags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("gravity", SmallInteger, nullable=False, server_default=text("0")),
    Column("sender", Text),  # sealed; of a text from a number that is no patient's
    Index("seen_replies_unread", "clinic", "read_by"),
)

ONCALL = Table(
    "seen_oncall",
    METADATA,
    Column("clinic", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("contacts", JSONB, nullable=False, comment="[{kind, to, trouble, since}] as the notifier last found them"),
    schema=SCHEMA,
)

FINDINGS = Table(
    "seen_findings",
    METADATA,
    Column("clinic", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("what", Text),  # null: it is over
    _instant("at"),
    schema=SCHEMA,
)

CHECKS = Table(
    "seen_contact_checks",
    METADATA,
    Column("contact", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("works", Boolean, nullable=False),
    Column("why", Text, nullable=False),
    Column("words", Text, comment="what the code in why means, in the notifier's words"),
    Column("by", Text),
    _instant("at"),
    Index("seen_contact_checks_patient", "patient"),
    schema=SCHEMA,
)

DOUBTS = Table(
    "seen_doubts",
    METADATA,
    Column("contact", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("wrote", Text),  # sealed
    _instant("at"),
    Index("seen_doubts_patient", "patient"),
    comment="numbers that were asked whether they want texts",
    schema=SCHEMA,
)

CONSENTS = Table(
    "seen_consents",
    METADATA,
    Column("contact", Uuid, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("how", Text, nullable=False),
    _instant("at"),
    Index("seen_consents_patient", "patient"),
    schema=SCHEMA,
)
