"""The scheduler's tables."""

from typing import Final

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)

from services.scheduler.model.sessions import DISCHARGED
from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

SCHEMA: Final = "scheduler"
METADATA: Final = MetaData(schema=SCHEMA)
BUS: Final = bus_tables(METADATA, SCHEMA)
IDEMPOTENCY: Final = idempotency_table(METADATA, SCHEMA)

clinics: Final = Table(
    "clinics",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("zone", Text, nullable=False),
)

patients: Final = Table(
    "patients",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("zone", Text, nullable=False),
    Column("in_care", Boolean, nullable=False),
)

plans: Final = Table(
    "plans",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, ForeignKey(patients.c.id), nullable=False),
    Column("version", Integer, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("protocol_version", Integer, nullable=False),
    Column("start_on", Date, nullable=False),
    Column("phase", Text, nullable=False),
    Column("attended", Integer, nullable=False),
    Column("last_attended_on", Date),
    Column("interval_days", Integer, nullable=False),
    Column("next_due_on", Date, nullable=False),
    Column("why", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("decided_days", Integer),
    Column("decided_on", Date),
    Column("before_on", Date),
    Column("measured_on", Date),
    Index("plans_one_active", "patient", unique=True, postgresql_where=text("active")),
)

HELD_IN_CLEAR: Final = f"note IS NOT NULL OR reason <> '{DISCHARGED}'::text"
"""Which sessions hold what people wrote in clear."""

sessions: Final = Table(
    "sessions",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, ForeignKey(patients.c.id), nullable=False),
    Column("plan", Uuid, ForeignKey(plans.c.id)),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    # The appointment is the wall time and its zone; the instant is derived from both.
    Column("starts_at", DateTime(timezone=False), nullable=False),
    Column("zone", Text, nullable=False),
    Column("starts_at_utc", DateTime(timezone=True), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("number", Integer),
    Column("attended_at", DateTime(timezone=True)),
    Column("attended_on", Date),
    # A code of ours, such as discharged, and nothing: older versions kept people's words in both.
    Column("reason", Text),
    Column("note", Text),
    Column("sealed_reason", Text, comment="why it was cancelled or missed, as staff wrote it, sealed"),
    Column("sealed_note", Text, comment="what else they wrote, sealed"),
    Column("kind", Text, nullable=False, server_default=text("'treatment'")),
    Column("not_asked", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    CheckConstraint("state IN ('booked', 'confirmed', 'attended', 'missed', 'cancelled')", name="sessions_state"),
    CheckConstraint("(state = 'attended') = (attended_at IS NOT NULL)", name="sessions_attended_at"),
    Index("sessions_patient", "patient", "id"),
    Index("sessions_in_clear", "id", postgresql_where=text(HELD_IN_CLEAR)),
)

corrections: Final = Table(
    "corrections",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, ForeignKey(patients.c.id), nullable=False),
    Column("session", Uuid, ForeignKey(sessions.c.id), nullable=False),
    Column("version", Integer, nullable=False, comment="of the session, as it was corrected"),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("staff", Uuid, comment="whose account it was; none for a program"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("reason", Text, nullable=False, comment="sealed"),
    Index("corrections_session", "session"),
)

decisions: Final = Table(
    "decisions",
    METADATA,
    Column("proposal", Uuid, primary_key=True),
    Column("patient", Uuid, ForeignKey(patients.c.id), nullable=False),
    Column("plan", Uuid, ForeignKey(plans.c.id), nullable=False),
    Column("version", Integer, nullable=False),
    Column("decision", Text, nullable=False),
    Column("interval_days", Integer),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),
)

replies: Final = Table(
    "replies",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("patient", Uuid, ForeignKey(patients.c.id), nullable=False),
    Column("session", Uuid),
    Column("session_version", Integer),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),
)
