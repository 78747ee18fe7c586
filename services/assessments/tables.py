"""The tables of the assessments service, all in its own schema.

What a patient answered, why an alert was raised, what was decided and why are sealed at rest too: a stolen table tells
who was asked and when, not how they are.
"""

from typing import Final

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

SCHEMA: Final = "assessments"

METADATA = MetaData(schema=SCHEMA)
BUS = bus_tables(METADATA, SCHEMA)
IDEMPOTENCY = idempotency_table(METADATA, SCHEMA)

clinics = Table(
    "clinics",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("crisis_en", Text, nullable=False),
    Column("crisis_es", Text, nullable=False),
    Column("oncall", Integer, nullable=False, server_default=text("0"), comment="how many contacts an alert pages"),
    schema=SCHEMA,
)

patients = Table(
    "patients",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("discharged", Boolean, nullable=False, server_default=text("false")),
    Column("given_name", Text, comment="sealed; null: not told since it is kept"),
    Column("ways", ARRAY(Text), comment="fingerprints of the patient's contact points; null: not told since"),
    Column("joined_into", Uuid, comment="the person's other record, in which care goes on"),
    Column(
        "one_course",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="in care until it was joined: its answers belong to the course of the other record",
    ),
    Index("patients_joined", "joined_into", postgresql_where=text("joined_into IS NOT NULL")),
    Index("patients_ways", "ways", postgresql_using="gin"),
    schema=SCHEMA,
)

plans = Table(
    "plans",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("patient", Uuid, nullable=False, index=True),
    Column("clinic", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("maintenance", Boolean, nullable=False),
    Column("interval_days", Integer, nullable=False),
    Column("induction_completed_on", Date),
    Column("ladder", ARRAY(Integer), comment="days, rising; null where the plan has not said it"),
    Column("opt_in_above", Integer),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

sessions = Table(
    "sessions",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("patient", Uuid, nullable=False, index=True),
    Column("plan", Uuid),
    Column("version", Integer, nullable=False),
    Column("attended_on", Date),  # none where it was recorded as attended and corrected since
    schema=SCHEMA,
)

checkins = Table(
    "checkins",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, nullable=False),
    Column("plan", Uuid),
    Column("session", Uuid),
    Column("version", Integer, nullable=False),
    Column("occurrence", Text, nullable=False),
    Column("asked_for", Date, nullable=False),
    Column("instruments", ARRAY(Text), nullable=False),
    Column("state", Text, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("completed_at", DateTime(timezone=True)),
    Column("text_message", Uuid, comment="the message that the next five speak of"),
    Column("text_version", Integer, nullable=False, server_default=text("0")),
    Column("text_state", Text),
    Column("text_reason", Text),
    Column("text_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True), comment="when the link that holds was last sent"),
    Column("delivered_at", DateTime(timezone=True), comment="when it last arrived"),
    UniqueConstraint("session", "occurrence", name="checkins_once"),
    # A baseline, or a week of the induction, belongs to the plan: each is asked once there.
    Index("checkins_once_a_plan", "plan", "occurrence", unique=True, postgresql_where=text("session IS NULL")),
    Index("checkins_patient", "patient", "id"),
    Index("checkins_waiting", "expires_at", postgresql_where=text("state IN ('open', 'partial')")),
    schema=SCHEMA,
)

answers = Table(
    "answers",
    METADATA,
    Column("checkin", Uuid, ForeignKey(checkins.c.id), primary_key=True),
    Column("instrument", Text, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("entered_by", Text),
    Column("saved_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

scores = Table(
    "scores",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("checkin", Uuid, ForeignKey(checkins.c.id), nullable=False),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, nullable=False),
    Column("plan", Uuid),
    Column("instrument", Text, nullable=False),
    Column("instrument_version", Integer, nullable=False),
    Column("asked_for", Date, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("sealed", Text, nullable=False),
    Column("entered_by", Text, comment="who took the answers by phone, or corrected them"),
    UniqueConstraint("checkin", "instrument", name="scores_once"),
    Index("scores_patient", "patient", "id"),
    schema=SCHEMA,
)

voided_scores = Table(
    "voided_scores",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("checkin", Uuid, ForeignKey(checkins.c.id), nullable=False, index=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, nullable=False),
    Column("plan", Uuid),
    Column("instrument", Text, nullable=False),
    Column("instrument_version", Integer, nullable=False),
    Column("asked_for", Date, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("sealed", Text, nullable=False),
    Column("entered_by", Text),
    Column("voided_at", DateTime(timezone=True), nullable=False, comment="since when it does not count"),
    Column("voided_by", Text, comment="null: the patient changed the answers before all was sent"),
    Column("void_reason", Text, comment="sealed"),
    Column("replaced_by", Uuid, comment="the score that counts in its place"),
    Column("seconds_after", Integer, comment="from the arrival of its link to the answer"),
    Index("voided_scores_patient", "patient", "id"),
    schema=SCHEMA,
    comment="scores that do not count any more: nothing but their history reads them",
)

further_answers = Table(
    "further_answers",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("checkin", Uuid, ForeignKey(checkins.c.id), nullable=False),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("instrument_version", Integer, nullable=False),
    Column("why", Text, nullable=False, comment="late, again or replaced"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("sealed", Text, nullable=False),
    Index("further_answers_checkin", "checkin", "id"),
    Index("further_answers_patient", "patient", "id"),
    schema=SCHEMA,
    comment="answers that were sent and do not count as a score: none is thrown away",
)

alerts = Table(
    "alerts",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, index=True),
    Column("checkin", Uuid, ForeignKey(checkins.c.id), unique=True),
    Column("again_of", Uuid, comment="the check-in, where an earlier alert of it has its place in `checkin`"),
    Column("reply", Uuid, comment="the text that raised it"),
    Column("sender", Text, comment="fingerprint of the number, where it is no patient's"),
    Column("kind", Text, comment="sealed; null: an older version raised it"),
    Column("version", Integer, nullable=False),
    Column("level", Text, nullable=False),
    Column("severity", Text, comment="sealed; null: an older version raised it"),
    Column("cause", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("pages", Integer, nullable=False),
    Column("acknowledged_by", Text),
    Column("acknowledged_staff", Uuid),
    Column("acknowledged_at", DateTime(timezone=True)),
    Column("closed_by", Text),
    Column("closed_staff", Uuid),
    Column("closed_at", DateTime(timezone=True)),
    Column("disposition", Text),
    Index("alerts_clinic", "clinic", "state", "id"),
    Index("alerts_again", "again_of", postgresql_where=text("again_of IS NOT NULL")),
    Index("alerts_reply", "reply", unique=True, postgresql_where=text("reply IS NOT NULL")),
    Index("alerts_open", "raised_at", postgresql_where=text("state = 'open'")),
    schema=SCHEMA,
)

pages = Table(
    "pages",
    METADATA,
    Column("message", Uuid, primary_key=True),
    Column("alert", Uuid, ForeignKey(alerts.c.id), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("to", Text, nullable=False),
    Column("channel", Text, nullable=False, server_default=text("'sms'")),
    Column("round", Integer, nullable=False, server_default=text("0"), comment="which page of the alert it is part of"),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

proposals = Table(
    "proposals",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, nullable=False),
    Column("plan", Uuid, nullable=False),
    Column("checkin", Uuid, ForeignKey(checkins.c.id), nullable=False),
    Column("version", Integer, nullable=False),
    Column("direction", Text, nullable=False),
    Column("review", Boolean, nullable=False),
    Column("from_days", Integer, nullable=False),
    Column("to_days", Integer, nullable=False),
    Column("rule", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("decision", Text),
    Column("interval_days", Integer),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("reason", Text),
    Column("overruled", Text),
    Column("taken_back_by", Text, comment="who took the decision back; it counts no more"),
    Column("taken_back_staff", Uuid, comment="whose account it was; none for a program"),
    Column("taken_back_at", DateTime(timezone=True)),
    Column("taken_back_why", Text, comment="sealed"),
    Index("proposals_patient", "patient", "id"),
    Index("proposals_one_open", "plan", unique=True, postgresql_where=text("state = 'open'")),
    schema=SCHEMA,
)

outside_changes = Table(
    "outside_changes",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False),
    Column("patient", Uuid, nullable=False, index=True),
    Column("happened_on", Date, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("noted_by", Text, nullable=False),
    Column("noted_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

signatures = Table(
    "signatures",
    METADATA,
    Column("clinic", Uuid, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("rule_version", Integer, primary_key=True),
    Column("signed_by", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    Column("note", Text),
    schema=SCHEMA,
)

withdrawn_signatures = Table(
    "withdrawn_signatures",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("clinic", Uuid, nullable=False, index=True),
    Column("rule", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("signed_by", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    Column("note", Text),
    Column("withdrawn_by", Text, nullable=False),
    Column("staff", Uuid, comment="whose account it was; none for a program"),
    Column("withdrawn_at", DateTime(timezone=True), nullable=False),
    Column("reason", Text, nullable=False, comment="sealed"),
    schema=SCHEMA,
)
