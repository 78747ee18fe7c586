"""What this service learned from events: clinics, patients, plans, attended sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from services.assessments.model.interval.history import Plan
from services.assessments.tables import clinics, patients, plans, sessions
from shared.database import Reader, Transaction
from shared.events import ClinicChanged, PatientEnrolled, PlanStarted, SessionEvent
from shared.ids import ClinicId


@dataclass(frozen=True)
class Clinic:
    """What a patient's page says of the clinic."""

    id: UUID
    name: str
    phone: str
    crisis: dict[str, str]


@dataclass(frozen=True)
class Patient:
    """A patient, as far as asking goes.

    Attributes:
        version: of what is known of them; who sends a link must know at least as much.
        ways: fingerprints of their contact points, or None where they were not told yet.
        joined_into: the person's other record, in which care goes on.
    """

    id: UUID
    clinic: ClinicId
    language: str
    zone: str
    discharged: bool
    version: int = 0
    ways: tuple[str, ...] | None = None
    joined_into: UUID | None = None


@dataclass(frozen=True)
class KnownPlan:
    """A plan with its id and version, and what the interval rule looks at."""

    id: UUID
    version: int
    plan: Plan


async def save_clinic(tx: Transaction, event: ClinicChanged) -> bool:
    """Keep a clinic, unless a newer version is kept; return whether it was news."""
    values = {
        "version": event.version,
        "name": event.name,
        "phone": event.phone,
        "crisis_en": event.crisis.en,
        "crisis_es": event.crisis.es,
        "oncall": len(event.oncall),
    }
    result = await tx.execute(
        insert(clinics)
        .values(id=event.clinic, **values)
        .on_conflict_do_update(index_elements=[clinics.c.id], set_=values, where=clinics.c.version < event.version)
    )
    return int(result.rowcount) > 0


async def oncall(reader: Reader, clinic_id: UUID) -> int:
    """Return how many contacts an alert of a clinic pages, as far as is known here."""
    return int(await reader.scalar(select(clinics.c.oncall).where(clinics.c.id == clinic_id)) or 0)


async def lock_patients(tx: Transaction, *, after: UUID | None, limit: int) -> list[UUID]:
    """Lock patients in the order of their ids, from after one on; return their ids."""
    wanted = select(patients.c.id).order_by(patients.c.id).limit(limit)
    found = await tx.all((wanted if after is None else wanted.where(patients.c.id > after)).with_for_update())
    return [row.id for row in found]


async def clinic(reader: Reader, clinic_id: UUID) -> Clinic | None:
    """Return a clinic, or None while it is unknown."""
    row = await reader.one_or_none(select(clinics).where(clinics.c.id == clinic_id))
    if row is None:
        return None
    return _clinic(row)


async def only_clinic(reader: Reader) -> Clinic | None:
    """Return the clinic where there is but one: only then is it certain whose a link is that leads nowhere."""
    rows = await reader.all(select(clinics).limit(2))
    return _clinic(rows[0]) if len(rows) == 1 else None


def _clinic(row: Row[Any]) -> Clinic:
    return Clinic(row.id, row.name, row.phone, {"en": row.crisis_en, "es": row.crisis_es})


async def save_patient(tx: Transaction, event: PatientEnrolled, ways: Sequence[str], *, in_care: bool) -> bool:
    """Keep a patient with the fingerprints of their contact points; return false where a newer version is kept."""
    values: dict[str, Any] = {
        "clinic": event.clinic,
        "version": event.version,
        "language": event.language,
        "zone": event.zone,
        "given_name": event.given_name,
        "ways": list(ways),
        "discharged": not in_care,
    }
    result = await tx.execute(
        insert(patients)
        .values(id=event.patient, **values)
        .on_conflict_do_update(index_elements=[patients.c.id], set_=values, where=patients.c.version < event.version)
        .returning(patients.c.id)
    )
    return result.first() is not None


async def discharge(tx: Transaction, patient_id: UUID, version: int) -> None:
    """Mark a patient as discharged."""
    await tx.execute(
        update(patients).where(patients.c.id == patient_id).values(discharged=True, version=version),
    )


async def join(tx: Transaction, closed: UUID, kept: UUID, *, one_course: bool) -> None:
    """Keep that a record goes on in another one, and with it those that had been joined into it.

    Args:
        tx: both are locked in it.
        closed: the record that was closed.
        kept: the one that goes on.
        one_course: it was in care until then: what was answered under it belongs to the same course.
    """
    await tx.execute(
        update(patients).where(patients.c.id == closed).values(joined_into=kept, one_course=one_course),
    )
    await tx.execute(update(patients).where(patients.c.joined_into == closed).values(joined_into=kept))


@dataclass(frozen=True)
class Duplicate:
    """A record of a person that was joined into theirs; `one_course` says that it was in care until then."""

    id: UUID
    one_course: bool


async def duplicates(reader: Reader, patient_id: UUID) -> list[Duplicate]:
    """Return the records of a person that were joined into theirs; each PHQ-9 asks for them."""
    rows = await reader.fetch("SELECT id, one_course FROM patients WHERE joined_into = $1 ORDER BY id", patient_id)
    return [Duplicate(row["id"], row["one_course"]) for row in rows]


async def patient(reader: Reader, patient_id: UUID) -> Patient | None:
    """Return a patient, or None while unknown."""
    row = await reader.one_or_none(select(patients).where(patients.c.id == patient_id))
    return None if row is None else _patient(row)


async def lock_patient(tx: Transaction, patient_id: UUID) -> Patient | None:
    """Lock a patient's row and return it: what is written about one patient is written in order."""
    row = await tx.one_or_none(select(patients).where(patients.c.id == patient_id).with_for_update())
    return None if row is None else _patient(row)


def _patient(row: Row[Any]) -> Patient:
    ways = None if row.ways is None else tuple(row.ways)
    return Patient(row.id, row.clinic, row.language, row.zone, row.discharged, row.version, ways, row.joined_into)


async def save_session(tx: Transaction, event: SessionEvent, attended_on: date | None) -> bool:
    """Keep a session with the day on which it was attended, if it was; return False where a newer version is kept."""
    values = {"plan": event.plan, "version": event.version, "attended_on": attended_on}
    kept = await tx.execute(
        insert(sessions)
        .values(id=event.session, patient=event.patient, **values)
        .on_conflict_do_update(index_elements=[sessions.c.id], set_=values, where=sessions.c.version < event.version)
        .returning(sessions.c.id)
    )
    return kept.first() is not None


async def session_version(reader: Reader, session_id: UUID) -> int:
    """Return the version that is kept of a session, or 0."""
    return int(await reader.scalar(select(sessions.c.version).where(sessions.c.id == session_id)) or 0)


async def attended_on(reader: Reader, plan_id: UUID) -> tuple[date, ...]:
    """Return the dates of a plan's attended sessions, first to last."""
    rows = await reader.fetch(
        "SELECT attended_on FROM sessions WHERE plan = $1 AND attended_on IS NOT NULL ORDER BY attended_on", plan_id
    )
    return tuple(row["attended_on"] for row in rows)


async def attended_by(reader: Reader, plan_id: UUID, also: Sequence[UUID]) -> tuple[date, ...]:
    """Return the dates of a plan's attended sessions, and of those of further records of the person, first to last."""
    rows = await reader.fetch(
        "SELECT attended_on FROM sessions WHERE attended_on IS NOT NULL AND (plan = $1 OR patient = ANY ($2))"
        " ORDER BY attended_on",
        plan_id,
        list(also),
    )
    return tuple(row["attended_on"] for row in rows)


async def save_plan(tx: Transaction, event: PlanStarted, induction_completed_on: date | None) -> bool:
    """Keep a plan, unless a newer version is kept; return whether it was kept.

    The end of induction is kept once, until a corrected record says that it is not complete.
    """
    values = {
        "version": event.version,
        "protocol": event.protocol,
        "maintenance": event.maintains,
        "interval_days": event.interval_days,
        "seen_at": tx.now,
        "ladder": None if event.ladder is None else list(event.ladder),
        "opt_in_above": event.opt_in_above,
        "active": event.active,
    }
    if induction_completed_on is not None or not event.induction_complete:
        values["induction_completed_on"] = induction_completed_on
    # Kept before plans said their ladder, it is learnt when the plan is told anew as it stands.
    unsaid = (plans.c.version == event.version) & plans.c.ladder.is_(None) & (event.ladder is not None)
    newer = (plans.c.version < event.version) | unsaid
    result = await tx.execute(
        insert(plans)
        .values(id=event.plan, patient=event.patient, clinic=event.clinic, **values)
        .on_conflict_do_update(index_elements=[plans.c.id], set_=values, where=newer)
        .returning(plans.c.id)
    )
    return result.first() is not None


async def plan(reader: Reader, plan_id: UUID) -> KnownPlan | None:
    """Return a plan, or None while unknown; each PHQ-9 asks for it."""
    rows = await reader.fetch(
        "SELECT id, version, protocol, maintenance, induction_completed_on, interval_days, ladder, opt_in_above"
        " FROM plans WHERE id = $1",
        plan_id,
    )
    if not rows:
        return None
    found, version, protocol, maintenance, completed_on, interval_days, ladder, opt_in_above = rows[0]
    known = Plan(
        protocol=protocol,
        maintenance=maintenance,
        induction_completed_on=completed_on,
        interval_days=interval_days,
        ladder=None if ladder is None else tuple(ladder),
        opt_in_above=opt_in_above,
    )
    return KnownPlan(found, version, known)


async def current_plan(reader: Reader, patient_id: UUID) -> UUID | None:
    """Return the plan that goes on and was last heard of for a patient, or None."""
    mine = (plans.c.patient == patient_id) & plans.c.active
    found: UUID | None = await reader.scalar(
        select(plans.c.id).where(mine).order_by(plans.c.seen_at.desc(), plans.c.id.desc())
    )
    return found
