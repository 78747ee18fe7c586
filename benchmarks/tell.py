"""Telling services what others would tell them: real events over the real Kafka."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg

from benchmarks.stand import CLOCK, Stand
from services.notifier.store.people import recipient_of
from services.notifier.tables import CONTACT_POINTS, PATIENTS, SESSIONS
from shared.bus.envelope import headers
from shared.bus.producer import Producer, Record
from shared.bus.publish import shard_of
from shared.events import (
    ClinicChanged,
    Consent,
    Contact,
    CrisisTexts,
    Event,
    PatientEnrolled,
    SessionBooked,
    SessionDue,
)
from shared.ids import ClinicId, new_id
from shared.telemetry import trace
from shared.walltime import to_wall

CLINIC = ClinicId(uuid4())
PATIENCE = 300.0
"""Seconds for a service to take in what it was told."""


def zone_at_noon() -> str:
    """Return a zone where it is about noon now: a reminder is held back at night."""
    ahead = 12 - CLOCK.now().hour
    return "Etc/GMT" if ahead == 0 else f"Etc/GMT{-ahead:+d}"


async def tell(here: Stand, events: Sequence[Event]) -> None:
    """Send events as the services that own them would."""
    producer = Producer(here.kafka)
    for begin in range(0, len(events), 2000):
        await producer.send([_record(event) for event in events[begin : begin + 2000]])
    await producer.close()


def _record(event: Event) -> Record:
    attributes = headers(
        event_id=new_id(),
        event_type=event.TYPE,
        service=str(event.TOPIC).partition(".")[2],
        time=CLOCK.now(),
        subject=str(event.key),
        trace=trace.begin(None),
    )
    return Record(str(event.TOPIC), str(event.key).encode(), event.model_dump_json().encode(), attributes)


async def arrived(sql: asyncpg.Connection, table: str, count: int) -> None:
    """Wait until a service holds so many rows of what it was told."""
    limit = CLOCK.now() + timedelta(seconds=PATIENCE)
    while (there := await sql.fetchval(f"SELECT count(*) FROM {table}")) < count:  # noqa: S608 - a name of ours
        if CLOCK.now() > limit:
            raise RuntimeError(f"{table} holds {there} rows of {count} after {PATIENCE:.0f} s.")
        await CLOCK.pause(0.05)


def clinic(zone: str) -> ClinicChanged:
    return ClinicChanged(
        clinic=CLINIC,
        version=1,
        name="Benchmark Clinic",
        sender_name="Benchmark",
        zone=zone,
        phone="+1 555 010 0100",
        crisis=CrisisTexts(en="In a crisis call or text 988.", es="En crisis llame al 988."),
    )


def patient(here: Stand, number: int, zone: str) -> PatientEnrolled:
    keyring = here.keyring
    consent = tuple(Consent(purpose=each, how="form", at=CLOCK.now()) for each in ("reminders", "checkins", "booking"))
    sealed = keyring.seal(f"+1555{number:07d}", context="contact")
    return PatientEnrolled(
        clinic=CLINIC,
        version=1,
        patient=uuid4(),
        language="en",
        zone=zone,
        given_name=keyring.seal("Ana", context="name"),
        contacts=(Contact(id=new_id(), kind="sms", value=sealed, consents=consent),),
    )


def booked(of: PatientEnrolled) -> SessionBooked:
    starts_at = (CLOCK.now() + timedelta(hours=23)).replace(second=0, microsecond=0)
    return SessionBooked(
        clinic=CLINIC,
        version=1,
        patient=of.patient,
        session=uuid4(),
        plan=None,
        starts_at=to_wall(starts_at, of.zone).strftime("%Y-%m-%dT%H:%M"),
        zone=of.zone,
        starts_at_utc=starts_at,
        minutes=90,
        state="booked",
    )


async def open_clinic(sql: asyncpg.Connection, zone: str) -> None:
    """Write the clinic into the notifier's tables, as it keeps it."""
    told = clinic(zone)
    await sql.execute(
        "INSERT INTO notifier.clinics VALUES ($1, 1, $2, $3, $4, '08:00', '21:00', $5, $6, '[]')",
        told.clinic,
        told.sender_name,
        zone,
        told.phone,
        told.crisis.en,
        told.crisis.es,
    )


async def enrol(here: Stand, sql: asyncpg.Connection, patients: Sequence[PatientEnrolled]) -> None:
    """Write patients into the notifier's tables at once, as it keeps them; told one by one they take minutes."""
    people: list[dict[str, object]] = []
    points: list[dict[str, object]] = []
    for each in patients:
        people.append(
            {
                "patient": each.patient,
                "clinic": each.clinic,
                "version": 1,
                "language": each.language,
                "zone": each.zone,
                "discharged": False,
                "consent_version": 0,
            }
        )
        for position, contact in enumerate(each.contacts):
            known_by = recipient_of(here.keyring, contact.value).fingerprint
            purposes = [consent.purpose for consent in contact.consents]
            row = {
                "contact": contact.id,
                "patient": each.patient,
                "clinic": each.clinic,
                "kind": contact.kind,
                "value": contact.value,
                "fingerprint": known_by,
                "position": position,
                "purposes": purposes,
                "retired": False,
            }
            points.append(row)
    for table, rows in ((PATIENTS, people), (CONTACT_POINTS, points)):
        # What a row does not name is as the database makes it.
        columns = list(rows[0])
        records = [tuple(row.values()) for row in rows]
        await sql.copy_records_to_table(table.name, schema_name="notifier", columns=columns, records=records)


async def keep(sql: asyncpg.Connection, sessions: Sequence[SessionBooked]) -> None:
    """Write sessions into the notifier's tables at once, as it keeps them."""
    rows = [
        (
            each.session,
            each.patient,
            each.clinic,
            each.version,
            each.state,
            each.starts_at,
            each.zone,
            each.starts_at_utc,
            each.minutes,
            each.version,
        )
        for each in sessions
    ]
    columns = [column.name for column in SESSIONS.columns]
    await sql.copy_records_to_table("sessions", schema_name="notifier", columns=columns, records=rows)


async def set_timers(sql: asyncpg.Connection, sessions: Sequence[SessionBooked], instants: Sequence[datetime]) -> None:
    """Write reminders' timers into the scheduler's outbox, as the scheduler does when it books."""
    rows = []
    for session, at in zip(sessions, instants, strict=True):
        due = SessionDue(
            clinic=session.clinic,
            version=session.version,
            patient=session.patient,
            session=session.session,
            occurrence="1d",
            starts_at=session.starts_at,
            zone=session.zone,
            starts_at_utc=session.starts_at_utc,
            minutes=session.minutes,
        )
        name = f"patient/{session.patient}/session/{session.session}/1d"
        rows.append(
            (
                shard_of(due.key),
                at,
                CLOCK.now(),
                name,
                new_id(),
                due.TYPE,
                str(due.TOPIC),
                str(due.key),
                trace.begin(None),
                due.model_dump_json(),
            )
        )
    columns = ["shard", "due_at", "written_at", "timer", "id", "type", "topic", "key", "trace", "body"]
    await sql.copy_records_to_table("outbox", schema_name="scheduler", columns=columns, records=rows)
