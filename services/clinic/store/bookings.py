"""Sessions that are booked away from the day on which they are due, and who said that one stays there."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, or_, select, update

from services.clinic.model.patient import PatientState
from services.clinic.model.reads import SessionState
from services.clinic.model.worklist import Found, OffWindow
from services.clinic.store import reads
from services.clinic.tables import PATIENTS, PLANS, SESSIONS
from shared.database import Reader, Transaction
from shared.ids import ClinicId, PatientId, SessionId

# Written out, not bound: PostgreSQL takes a partial index only where it sees the values.
_OPEN: Final[list[ColumnElement[str]]] = [
    literal_column(f"'{state}'") for state in (SessionState.BOOKED, SessionState.CONFIRMED)
]


async def off_window(
    reader: Reader, clinic: ClinicId, *, limit: int, skip: int = 0, patient: PatientId | None = None
) -> Found[OffWindow]:
    """Return the next sessions that are booked outside the window of their plan, the soonest first.

    Only the next session of a plan counts: the later ones follow from when that takes place. Whose last session nobody
    recorded is not among them: that comes first, and moves the date. Nor is one of which somebody said that it stays,
    as long as neither its time nor the due date changes. A plan that has not said its window is not judged.

    Args:
        reader: whose `now` parts the sessions ahead from the others.
        clinic: whose patients.
        limit: of rows.
        skip: rows before them.
        patient: look at this one alone.
    """
    newer, sooner = PLANS.alias("newer"), SESSIONS.alias("sooner")
    replaced = select(newer.c.id).where(newer.c.patient == PLANS.c.patient, newer.c.id > PLANS.c.id).exists()
    another = (
        select(sooner.c.id)
        .where(
            sooner.c.patient == SESSIONS.c.patient,
            sooner.c.state.in_(_OPEN),
            sooner.c.kind == SESSIONS.c.kind,
            sooner.c.starts_at_utc < SESSIONS.c.starts_at_utc,
        )
        .exists()
    )
    starts_on = func.date(SESSIONS.c.starts_at)
    found = (
        select(SESSIONS.c.id, SESSIONS.c.patient, starts_on.label("on"), SESSIONS.c.starts_at_utc, PLANS.c.next_due_on)
        .join(PLANS, PLANS.c.patient == SESSIONS.c.patient)
        .join(PATIENTS, PATIENTS.c.id == PLANS.c.patient)
        .where(
            reads.of_clinic(SESSIONS, clinic),
            SESSIONS.c.state.in_(_OPEN),
            SESSIONS.c.kind == "treatment",
            SESSIONS.c.starts_at_utc >= reader.now,
            PATIENTS.c.state == str(PatientState.ENROLLED),
            PLANS.c.active,
            or_(
                starts_on > PLANS.c.next_due_on + PLANS.c.window_later_days,
                starts_on < PLANS.c.next_due_on - PLANS.c.window_earlier_days,
            ),
            func.coalesce(SESSIONS.c.kept_due_on != PLANS.c.next_due_on, True)
            | (SESSIONS.c.kept_starts_at != SESSIONS.c.starts_at_utc),
            ~replaced,
            ~another,
            *([] if patient is None else [SESSIONS.c.patient == patient]),
        )
    )
    ordered = found.order_by(SESSIONS.c.starts_at_utc, SESSIONS.c.id).limit(limit).offset(skip)
    rows = [
        OffWindow(SessionId(row.id), PatientId(row.patient), row.on, row.starts_at_utc, row.next_due_on)
        for row in await reader.all(ordered)
    ]
    total = select(func.count()).select_from(found.subquery())
    return Found(rows, int(await reader.scalar(total)))


async def keep(
    tx: Transaction, clinic: ClinicId, session: UUID, *, due_on: date, starts_at: datetime, by: str
) -> UUID | None:
    """Note that a session stays where it is booked, as it was shown; return whose it is, None where there is none."""
    mine = (SESSIONS.c.id == session) & (SESSIONS.c.clinic == clinic)
    said = {"kept_by": by, "kept_due_on": due_on, "kept_starts_at": starts_at}
    row = (await tx.execute(update(SESSIONS).where(mine).values(said).returning(SESSIONS.c.patient))).first()
    return None if row is None else row.patient
