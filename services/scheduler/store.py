"""The scheduler's SQL. Whoever writes about a patient has locked the patient's row first: that orders their events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Table, select, text
from sqlalchemy.dialects.postgresql import insert

from services.scheduler.model.catalogue import exactly
from services.scheduler.model.decisions import HOLDS, Decision
from services.scheduler.model.patients import Patient
from services.scheduler.model.plans import Plan
from services.scheduler.model.replies import Reply
from services.scheduler.model.sessions import (
    DISCHARGED,
    OPEN,
    SESSION_NOTE,
    SESSION_REASON,
    Session,
    SessionKind,
    SessionState,
    Slot,
)
from services.scheduler.tables import HELD_IN_CLEAR, clinics, corrections, decisions, patients, plans, replies, sessions
from shared.database import Reader, Transaction, from_row
from shared.ids import ClinicId
from shared.protection import Keyring
from shared.sealing import InClear
from shared.walltime import to_wall


@dataclass(frozen=True)
class Correction:
    """What was recorded of a session before, what holds since, who said so and why; the reason is sealed."""

    id: UUID
    session: UUID
    version: int
    before: SessionState
    after: SessionState
    by: str
    staff: UUID | None
    at: datetime
    sealed: str


_OPEN = tuple(state.value for state in OPEN)


async def save_clinic(tx: Transaction, clinic: ClinicId, version: int, zone: str) -> None:
    """Keep where a clinic's clock hangs, unless a newer version is kept."""
    statement = insert(clinics).values(id=clinic, version=version, zone=zone)
    newer = clinics.c.version < statement.excluded.version
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[clinics.c.id], set_={"version": version, "zone": zone}, where=newer
        )
    )


async def clinic_zone(reader: Reader, clinic: ClinicId) -> str | None:
    """Return the zone of a clinic's clock, or None where the clinic is not known."""
    found: str | None = await reader.scalar(select(clinics.c.zone).where(clinics.c.id == clinic))
    return found


async def find_patient(reader: Reader, patient: UUID) -> Patient | None:
    """Return a patient, or None where none is known by this id."""
    row = await reader.one_or_none(select(patients).where(patients.c.id == patient))
    return None if row is None else _patient(row)


async def lock_patient(tx: Transaction, patient: UUID) -> Patient | None:
    """Return a patient and hold the row until the transaction ends."""
    row = await tx.one_or_none(select(patients).where(patients.c.id == patient).with_for_update())
    return None if row is None else _patient(row)


async def lock_patients(tx: Transaction, *, after: UUID | None, limit: int) -> list[UUID]:
    """Lock patients in the order of their ids, from after one on; return their ids."""
    wanted = select(patients.c.id).order_by(patients.c.id).limit(limit)
    found = await tx.all((wanted if after is None else wanted.where(patients.c.id > after)).with_for_update())
    return [row.id for row in found]


async def save_patient(tx: Transaction, patient: Patient) -> None:
    """Write a patient, new or changed."""
    await _upsert(tx, patients, **vars(patient))


async def active_plan(reader: Reader, patient: UUID) -> Plan | None:
    """Return the patient's running plan, or None."""
    row = await reader.one_or_none(select(plans).where(plans.c.patient == patient, plans.c.active))
    return None if row is None else _plan(row)


async def newest_plan(reader: Reader, patient: UUID) -> Plan | None:
    """Return the plan that a patient began last, running or ended, or None."""
    mine = select(plans).where(plans.c.patient == patient).order_by(plans.c.id.desc()).limit(1)
    row = await reader.one_or_none(mine)
    return None if row is None else _plan(row)


async def find_plan(reader: Reader, plan: UUID) -> Plan | None:
    """Return a plan, running or ended."""
    row = await reader.one_or_none(select(plans).where(plans.c.id == plan))
    return None if row is None else _plan(row)


async def save_plan(tx: Transaction, plan: Plan) -> None:
    """Write a plan, new or changed."""
    protocol = {"protocol": plan.protocol.id, "protocol_version": plan.protocol.version}
    await _upsert(tx, plans, **{**vars(plan), **protocol})


async def find_session(reader: Reader, session: UUID) -> Session | None:
    """Return a session, or None where none has this id."""
    row = await reader.one_or_none(select(sessions).where(sessions.c.id == session))
    return None if row is None else _session(row)


async def open_sessions(reader: Reader, patient: UUID) -> list[Session]:
    """Return the patient's booked and confirmed sessions, also those whose time has passed, in the order of time."""
    wanted = select(sessions).where(sessions.c.patient == patient, sessions.c.state.in_(_OPEN))
    return [_session(row) for row in await reader.all(wanted.order_by(sessions.c.starts_at_utc))]


async def attended_on(reader: Reader, plan: UUID) -> tuple[date, ...]:
    """Return the days of a plan's attended sessions, first to last."""
    wanted = select(sessions.c.attended_on).where(sessions.c.plan == plan, sessions.c.attended_on.is_not(None))
    return tuple(row.attended_on for row in await reader.all(wanted.order_by(sessions.c.attended_on)))


async def latest_treatment(reader: Reader, patient: UUID) -> Session | None:
    """Return the patient's attended treatment of the latest day, or None."""
    treated = (sessions.c.patient == patient) & sessions.c.attended_on.is_not(None)
    wanted = select(sessions).where(treated, sessions.c.kind == SessionKind.TREATMENT.value)
    latest = wanted.order_by(sessions.c.attended_on.desc(), sessions.c.starts_at_utc.desc()).limit(1)
    row = await reader.one_or_none(latest)
    return None if row is None else _session(row)


async def sessions_that_matter(reader: Reader, patient: UUID, *, since: datetime) -> list[Session]:
    """Return a patient's sessions that are open or began after an instant, in the order in which they were booked."""
    matters = sessions.c.state.in_(_OPEN) | (sessions.c.starts_at_utc > since)
    rows = await reader.all(select(sessions).where(sessions.c.patient == patient, matters).order_by(sessions.c.id))
    return [_session(row) for row in rows]


async def sessions_of(reader: Reader, patient: UUID, *, limit: int, after: UUID | None) -> list[Session]:
    """Return a page of the patient's sessions in the order in which they were booked, from after an id."""
    wanted = select(sessions).where(sessions.c.patient == patient).order_by(sessions.c.id).limit(limit)
    if after is not None:
        wanted = wanted.where(sessions.c.id > after)
    return [_session(row) for row in await reader.all(wanted)]


async def save_session(tx: Transaction, session: Session) -> None:
    """Write a session, new or changed."""
    await _upsert(tx, sessions, **session.flat())


async def add_correction(tx: Transaction, session: Session, correction: Correction) -> None:
    """Keep a correction beside the session."""
    await tx.execute(
        insert(corrections).values(
            id=correction.id,
            clinic=session.clinic,
            patient=session.patient,
            session=correction.session,
            version=correction.version,
            before=correction.before.value,
            after=correction.after.value,
            by=correction.by,
            staff=correction.staff,
            at=correction.at,
            reason=correction.sealed,
        )
    )


async def corrections_of(reader: Reader, session: UUID) -> list[Correction]:
    """Return the corrections of a session, oldest first."""
    wanted = select(corrections).where(corrections.c.session == session).order_by(corrections.c.version)
    return [
        Correction(
            id=row.id,
            session=row.session,
            version=row.version,
            before=SessionState(row.before),
            after=SessionState(row.after),
            by=row.by,
            staff=row.staff,
            at=row.at,
            sealed=row.reason,
        )
        for row in await reader.all(wanted)
    ]


async def save_reply(tx: Transaction, reply: Reply) -> None:
    """Keep what a reply did; what is kept stays."""
    statement = insert(replies).values({**vars(reply), "outcome": reply.outcome.value})
    await tx.execute(statement.on_conflict_do_nothing())


async def decision_holds(reader: Reader, proposal: UUID) -> bool:
    """Tell whether the plan goes by the decision about a proposal."""
    outcome = await reader.scalar(select(decisions.c.outcome).where(decisions.c.proposal == proposal))
    return outcome in HOLDS


async def decided_before(reader: Reader, plan: Plan, zone: str) -> tuple[int, date] | None:
    """Return the interval, in days, and the day of the latest decision about a plan that stands."""
    mine = (decisions.c.plan == plan.id) & decisions.c.outcome.in_([outcome.value for outcome in HOLDS])
    row = await reader.one_or_none(select(decisions).where(mine).order_by(decisions.c.decided_at.desc()).limit(1))
    return None if row is None else (row.interval_days, to_wall(row.decided_at, zone).date())


async def save_decision(tx: Transaction, decision: Decision) -> bool:
    """Keep what became of a decision, unless a newer version is kept; return whether it was news."""
    statement = insert(decisions).values({**vars(decision), "outcome": decision.outcome.value})
    changed = {
        name: statement.excluded[name] for name in ("version", "decision", "interval_days", "decided_at", "outcome")
    }
    kept = statement.on_conflict_do_update(
        index_elements=[decisions.c.proposal],
        set_=changed,
        where=decisions.c.version < statement.excluded.version,
    ).returning(decisions.c.proposal)
    return (await tx.execute(kept)).first() is not None


async def _upsert(tx: Transaction, table: Table, **values: object) -> None:
    statement = insert(table).values(**values)
    changed = {name: statement.excluded[name] for name in values if name != "id"}
    await tx.execute(statement.on_conflict_do_update(index_elements=[table.c.id], set_=changed))


def _patient(row: Row[Any]) -> Patient:
    return from_row(Patient, row)


def _plan(row: Row[Any]) -> Plan:
    return from_row(Plan, row, protocol=exactly(row.protocol, row.protocol_version))


def _session(row: Row[Any]) -> Session:
    return from_row(
        Session,
        row,
        state=SessionState(row.state),
        slot=from_row(Slot, row),
        kind=SessionKind(row.kind),
        not_asked=tuple(row.not_asked),
    )


def _sealed(held: Mapping[str, Any], keyring: Keyring) -> Mapping[str, object]:
    """Return what a session's words become; what is sealed already is the newer."""
    code = held["reason"] == DISCHARGED
    reason = keyring.seal(held["reason"], context=SESSION_REASON) if held["reason"] and not code else None
    note = keyring.seal(held["note"], context=SESSION_NOTE) if held["note"] else None
    return {
        "reason": held["reason"] if code else None,
        "note": None,
        "sealed_reason": held["sealed_reason"] or reason,
        "sealed_note": held["sealed_note"] or note,
    }


IN_CLEAR: Final = (InClear(sessions, text(HELD_IN_CLEAR), _sealed),)
