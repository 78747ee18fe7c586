"""Reading what waits for somebody: the first of each kind in the order of its urgency, and how many there are."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, Table, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from services.clinic.model.patient import PatientState
from services.clinic.model.reads import MessageState, Reply, Session, SessionState
from services.clinic.model.worklist import CHANGES, NEEDS_SOMEONE, Due, Failure, Found
from services.clinic.store import reads
from services.clinic.tables import FINDINGS, MESSAGES, PATIENTS, PLANS, REPLIES, SESSIONS
from shared.database import Reader, Transaction
from shared.ids import ClinicId, PatientId
from shared.protection import Keyring

# Written out, not bound: PostgreSQL takes a partial index only where it sees the values.
_OPEN: Final[list[ColumnElement[str]]] = [
    literal_column(f"'{state}'") for state in (SessionState.BOOKED, SessionState.CONFIRMED)
]
_FAILED: Final[ColumnElement[str]] = literal_column(f"'{MessageState.FAILED}'")
_WITHHELD: Final[ColumnElement[str]] = literal_column(f"'{MessageState.WITHHELD}'")
_NAMED: Final = 3
"""Patients whom a failure names; the others are counted."""


async def unrecorded(
    reader: Reader, clinic: ClinicId, before: datetime, *, limit: int, skip: int = 0
) -> Found[Session]:
    """Return sessions that began before an instant and of which nobody said what happened, the oldest first."""
    where = reads.of_clinic(SESSIONS, clinic) & SESSIONS.c.state.in_(_OPEN) & (SESSIONS.c.starts_at_utc < before)
    return Found(
        await reads.sessions_where(reader, where, limit=limit, skip=skip), await _count(reader, SESSIONS, where)
    )


async def due(reader: Reader, clinic: ClinicId, by: date, *, limit: int, skip: int = 0) -> Found[Due]:
    """Return patients in care whose next session is due by a day and who have no open session, the longest due first.

    Whose last session nobody recorded is not among them: that comes first, and may move the date.
    """
    newer, held = PLANS.alias("newer"), SESSIONS.alias("held")
    replaced = select(newer.c.id).where(newer.c.patient == PLANS.c.patient, newer.c.id > PLANS.c.id).exists()
    booked = select(held.c.id).where(held.c.patient == PLANS.c.patient, held.c.state.in_(_OPEN)).exists()
    found = (
        select(PLANS.c.patient, PLANS.c.phase, PLANS.c.attended, PLANS.c.next_due_on)
        .join(PATIENTS, PATIENTS.c.id == PLANS.c.patient)
        .where(
            reads.of_clinic(PLANS, clinic),
            PATIENTS.c.state == str(PatientState.ENROLLED),
            PLANS.c.active,
            PLANS.c.next_due_on <= by,
            ~replaced,
            ~booked,
        )
    )
    ordered = found.order_by(PLANS.c.next_due_on, PLANS.c.patient).limit(limit).offset(skip)
    rows = [Due(PatientId(row.patient), row.phase, row.attended, row.next_due_on) for row in await reader.all(ordered)]
    return Found(rows, await _total(reader, found))


async def findings(reader: Reader, clinic: ClinicId) -> list[str]:
    """Return what keeps texts from coming or going and a person must mend, in sentences."""
    open_ones = select(FINDINGS.c.what).where(FINDINGS.c.clinic == clinic, FINDINGS.c.what.is_not(None))
    return [row.what for row in await reader.all(open_ones.order_by(FINDINGS.c.at))]


async def unread(reader: Reader, clinic: ClinicId, keyring: Keyring, *, limit: int, skip: int = 0) -> Found[Reply]:
    """Return texts that a person must read and nobody has: the gravest first, then the oldest."""
    rows = await reads.unread(reader, reads.Wanted(clinic), keyring, limit=limit, skip=skip)
    unread_ones = reads.of_clinic(REPLIES, clinic) & REPLIES.c.read_by.is_(None)
    return Found(rows, await _count(reader, REPLIES, unread_ones))


async def failures(reader: Reader, clinic: ClinicId, *, limit: int) -> Found[Failure]:
    """Return messages that did not go out and that nobody has seen to, one for each cause, the most frequent first."""
    cause, patient = _cause(), MESSAGES.c.patient
    newest = func.array_agg(aggregate_order_by(patient, MESSAGES.c.at.desc())).filter(patient.is_not(None))
    grouped = (
        select(
            MESSAGES.c.state,
            MESSAGES.c.channel,
            cause.label("cause"),
            func.count().label("number"),
            func.count(patient.distinct()).label("people"),
            newest.label("patients"),
            func.min(MESSAGES.c.at).label("first"),
            func.max(MESSAGES.c.at).label("last"),
            func.max(MESSAGES.c.why).label("why"),
            func.max(MESSAGES.c.step).label("step"),
        )
        .where(_unseen(clinic))
        .group_by(MESSAGES.c.state, MESSAGES.c.channel, cause)
    )
    rows = await reader.all(grouped.order_by(func.count().desc(), func.min(MESSAGES.c.at)).limit(limit))
    found = [
        Failure(
            MessageState(row.state),
            row.channel,
            row.cause,
            row.number,
            row.people,
            tuple(PatientId(one) for one in list(dict.fromkeys(row.patients or ()))[:_NAMED]),
            row.first,
            row.last,
            row.why,
            row.step,
        )
        for row in rows
    ]
    return Found(found, await _total(reader, grouped))


async def saw_failures(tx: Transaction, clinic: ClinicId, which: Failure, *, by: str) -> int:
    """Note who has seen to the messages of one cause up to the newest that was shown; return how many."""
    same = (MESSAGES.c.state == str(which.state)) & (MESSAGES.c.channel == which.channel) & (_cause() == which.cause)
    mine = _unseen(clinic) & same & (MESSAGES.c.at <= which.last)
    done = await tx.execute(update(MESSAGES).where(mine).values(seen_by=by).returning(MESSAGES.c.id))
    return len(done.all())


def _cause() -> ColumnElement[str]:
    return func.coalesce(MESSAGES.c.error, MESSAGES.c.reason, "")


def _unseen(clinic: ClinicId) -> ColumnElement[bool]:
    open_ = MESSAGES.c.seen_by.is_(None) & MESSAGES.c.state.in_([_FAILED, _WITHHELD])
    matters = or_(MESSAGES.c.state == _FAILED, MESSAGES.c.reason.in_(sorted(NEEDS_SOMEONE)))
    # Words of a change that did not arrive are calls to make, one by one.
    return reads.of_clinic(MESSAGES, clinic) & open_ & matters & MESSAGES.c.occurrence.not_in(CHANGES)


async def _count(reader: Reader, table: Table, where: ColumnElement[bool]) -> int:
    return int(await reader.scalar(select(func.count()).select_from(table).where(where)))


async def _total(reader: Reader, found: Select[tuple[object, ...]]) -> int:
    return int(await reader.scalar(select(func.count()).select_from(found.subquery())))
