"""Reading what other services own, as the clinic keeps it: pages say which rows they want, not how they are found."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from services.clinic.model.reads import (
    Alert,
    Checkin,
    Correction,
    Message,
    MessageState,
    OnCall,
    Page,
    Plan,
    Proposal,
    Reply,
    Score,
    Session,
    SessionState,
)
from services.clinic.model.states import known
from services.clinic.model.stopped import Stop, Stopped
from services.clinic.store.rows import (
    alert_of,
    checkin_of,
    message_of,
    plan_of,
    proposal_of,
    reply_of,
    scores_of,
    session_of,
    words_of,
)
from services.clinic.tables import (
    ALERTS,
    CHECKINS,
    CONSENTS,
    MESSAGES,
    ONCALL,
    PLANS,
    PROPOSALS,
    REPLIES,
    SESSIONS,
)
from shared.database import Reader
from shared.ids import ClinicId, PatientId
from shared.protection import Keyring

Condition = ColumnElement[bool]
WHOLE = "*"
"""Stands for every purpose of a contact point: a number that says stop says it for all, also for what comes later."""
MOST = 500
"""Rows of one kind that a page reads at most."""


@dataclass(frozen=True)
class Wanted:
    """Which rows are wanted, of whatever kind.

    Attributes:
        clinic: whose they are.
        patients: whom they are about; the whole clinic where None. One person may have several records.
        states: in one of these states; in any where empty.
    """

    clinic: ClinicId
    patients: Collection[PatientId] | None = None
    states: Sequence[str] = ()

    def on(self, table: Table) -> Condition:
        """Return the condition of these rows in a table."""
        found = of_clinic(table, self.clinic)
        if self.patients is not None:
            found &= table.c.patient.in_(self.patients)
        return found & table.c.state.in_(self.states) if self.states else found


def of_clinic(table: Table, clinic: ClinicId) -> Condition:
    """Return the condition of a clinic's rows."""
    return table.c.clinic == clinic


async def plan(reader: Reader, clinic: ClinicId, patient: PatientId) -> Plan | None:
    """Return a patient's newest plan."""
    found = await plans(reader, clinic, [patient])
    return found.get(patient)


async def plans(reader: Reader, clinic: ClinicId, patients: Iterable[PatientId]) -> dict[PatientId, Plan]:
    """Return the newest plan of each patient."""
    wanted = of_clinic(PLANS, clinic) & PLANS.c.patient.in_(set(patients))
    rows = await reader.all(select(PLANS).where(wanted).order_by(PLANS.c.id))
    return {PatientId(row.patient): plan_of(row) for row in rows}


async def corrections(reader: Reader, wanted: Wanted, keyring: Keyring) -> dict[UUID, Correction]:
    """Return the latest correction of each session that had one."""
    rows = await reader.all(select(SESSIONS).where(wanted.on(SESSIONS), SESSIONS.c.corrected_at.is_not(None)))
    return {
        row.id: Correction(
            before=known(SessionState, row.corrected_from),
            by=row.corrected_by,
            at=row.corrected_at,
            why=keyring.open(row.corrected_why, context="correction"),
        )
        for row in rows
    }


async def sessions(reader: Reader, wanted: Wanted) -> list[Session]:
    """Return sessions in the order of their instants."""
    return await sessions_where(reader, wanted.on(SESSIONS))


async def sessions_between(reader: Reader, clinic: ClinicId, start: datetime, end: datetime) -> list[Session]:
    """Return a clinic's sessions that start in a span of time, in the order of their instants."""
    within = (SESSIONS.c.starts_at_utc >= start) & (SESSIONS.c.starts_at_utc < end)
    return await sessions_where(reader, of_clinic(SESSIONS, clinic) & within)


async def sessions_where(reader: Reader, where: Condition, *, limit: int = MOST, skip: int = 0) -> list[Session]:
    """Return the sessions of which a condition holds, in the order of their instants."""
    ordered = select(SESSIONS).where(where).order_by(SESSIONS.c.starts_at_utc, SESSIONS.c.id)
    rows = await reader.all(ordered.limit(limit).offset(skip))
    return [session_of(row) for row in rows]


async def next_sessions(
    reader: Reader, clinic: ClinicId, patients: Iterable[PatientId], since: datetime
) -> dict[PatientId, Session]:
    """Return each patient's next open session from an instant on."""
    states = [str(SessionState.BOOKED), str(SessionState.CONFIRMED)]
    wanted = of_clinic(SESSIONS, clinic) & SESSIONS.c.patient.in_(set(patients)) & SESSIONS.c.state.in_(states)
    ahead = wanted & (SESSIONS.c.starts_at_utc >= since)
    first = select(SESSIONS).where(ahead).ext(distinct_on(SESSIONS.c.patient))
    rows = await reader.all(first.order_by(SESSIONS.c.patient, SESSIONS.c.starts_at_utc))
    return {PatientId(row.patient): session_of(row) for row in rows}


async def checkins(reader: Reader, wanted: Wanted, *, limit: int = MOST) -> list[Checkin]:
    """Return check-ins, the newest first."""
    rows = await reader.all(
        select(CHECKINS).where(wanted.on(CHECKINS)).order_by(CHECKINS.c.asked_for.desc()).limit(limit)
    )
    return [checkin_of(row) for row in rows]


async def scores(reader: Reader, wanted: Wanted, keyring: Keyring) -> list[Score]:
    """Return the scores that count, the oldest first."""
    done = wanted.on(CHECKINS) & CHECKINS.c.result.is_not(None)
    newest = select(CHECKINS).where(done).order_by(CHECKINS.c.asked_for.desc(), CHECKINS.c.id.desc()).limit(MOST)
    rows = await reader.all(newest)
    return [score for row in reversed(rows) for score in scores_of(row, keyring) if score.voided is None]


async def alerts(reader: Reader, wanted: Wanted, keyring: Keyring) -> list[Alert]:
    """Return alerts, the newest first."""
    rows = await reader.all(select(ALERTS).where(wanted.on(ALERTS)).order_by(ALERTS.c.raised_at.desc()).limit(MOST))
    about = (MESSAGES.c.purpose == "page", MESSAGES.c.about.in_([row.id for row in rows]))
    pages: dict[UUID, list[Page]] = {row.id: [] for row in rows}
    for row in await reader.all(select(MESSAGES).where(*about).order_by(MESSAGES.c.at, MESSAGES.c.id)):
        page = Page(row.channel, row.to, MessageState(row.state), row.reason, row.error, row.at, row.why)
        pages[row.about].append(page)
    return [alert_of(row, keyring, pages[row.id]) for row in rows]


async def oncall(reader: Reader, clinic: ClinicId) -> list[OnCall]:
    """Return who is on call, as the notifier last found them; nothing where it has not said so yet."""
    contacts = await reader.scalar(select(ONCALL.c.contacts).where(ONCALL.c.clinic == clinic))
    return [OnCall(each["kind"], each["to"], each["trouble"]) for each in contacts or []]


async def proposals(reader: Reader, wanted: Wanted, keyring: Keyring, *, limit: int = MOST) -> list[Proposal]:
    """Return proposals, the newest first."""
    rows = await reader.all(
        select(PROPOSALS).where(wanted.on(PROPOSALS)).order_by(PROPOSALS.c.proposed_at.desc()).limit(limit)
    )
    return [proposal_of(row, keyring) for row in rows]


async def messages(reader: Reader, wanted: Wanted, keyring: Keyring, *, limit: int = 100) -> list[Message]:
    """Return messages with their words, the newest first."""
    rows = await reader.all(select(MESSAGES).where(wanted.on(MESSAGES)).order_by(MESSAGES.c.at.desc()).limit(limit))
    return [replace(message_of(row), words=words_of(row.words, keyring)) for row in rows]


async def messages_in_order(reader: Reader, where: Condition, *, limit: int) -> list[Message]:
    """Return messages without their words, the oldest first."""
    rows = await reader.all(select(MESSAGES).where(where).order_by(MESSAGES.c.at, MESSAGES.c.id).limit(limit))
    return [message_of(row) for row in rows]


async def replies(reader: Reader, wanted: Wanted, keyring: Keyring, *, limit: int = 100) -> list[Reply]:
    """Return replies, the newest first."""
    rows = await reader.all(select(REPLIES).where(wanted.on(REPLIES)).order_by(REPLIES.c.at.desc()).limit(limit))
    return [reply_of(row, keyring) for row in rows]


async def unread(reader: Reader, wanted: Wanted, keyring: Keyring, *, limit: int = MOST, skip: int = 0) -> list[Reply]:
    """Return replies that a person must read and nobody has: the gravest first, and of those the oldest."""
    mine = wanted.on(REPLIES) & REPLIES.c.read_by.is_(None)
    in_order = select(REPLIES).where(mine).order_by(REPLIES.c.gravity.desc(), REPLIES.c.at, REPLIES.c.id)
    return [reply_of(row, keyring) for row in await reader.all(in_order.limit(limit).offset(skip))]


async def stopped(reader: Reader, patient: PatientId) -> Stopped:
    """Return what a patient has taken back, and which of their numbers said stop."""
    rows = await reader.all(select(CONSENTS).where(CONSENTS.c.patient == patient, ~CONSENTS.c.granted))
    return Stopped(
        frozenset((str(row.contact), row.purpose) for row in rows if row.purpose != WHOLE),
        {str(row.contact): Stop(row.how, row.at) for row in rows if row.purpose == WHOLE},
    )


async def count_alerts(reader: Reader, wanted: Wanted) -> int:
    """Return how many alerts there are."""
    return await _count(reader, ALERTS, wanted)


async def count_checkins(reader: Reader, wanted: Wanted) -> int:
    """Return how many check-ins there are."""
    return await _count(reader, CHECKINS, wanted)


async def count_proposals(reader: Reader, wanted: Wanted) -> int:
    """Return how many proposals there are."""
    return await _count(reader, PROPOSALS, wanted)


async def with_alerts(reader: Reader, wanted: Wanted) -> set[UUID]:
    """Return the patients who have such alerts."""
    return await _patients(reader, ALERTS, wanted)


async def with_proposals(reader: Reader, wanted: Wanted) -> set[UUID]:
    """Return the patients who have such proposals."""
    return await _patients(reader, PROPOSALS, wanted)


async def _count(reader: Reader, table: Table, wanted: Wanted) -> int:
    return int(await reader.scalar(select(func.count()).where(wanted.on(table))))


async def _patients(reader: Reader, table: Table, wanted: Wanted) -> set[UUID]:
    return {row.patient for row in await reader.all(select(table.c.patient).where(wanted.on(table)).distinct())}
