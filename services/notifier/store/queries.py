"""Reads of messages: for the interface, for replies, and for what a calendar already holds."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from services.notifier.model.explaining import WHY
from services.notifier.model.message import Message
from services.notifier.model.notices import Told
from services.notifier.model.purposes import NOTICES, Channel, Occurrence, Purpose
from services.notifier.model.send_rules import Reason
from services.notifier.model.states import ON_ITS_WAY, State
from services.notifier.store.messages import message_of
from services.notifier.tables import ATTEMPTS, CALLBACKS, MESSAGES, NOTES, PATIENTS, SESSIONS
from shared.database import Reader
from shared.ids import ClinicId
from shared.web.api import Page


@dataclass(frozen=True)
class Line:
    """A line of a message's story."""

    at: datetime
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class SessionAhead:
    """A session that is to take place.

    Attributes:
        wall: its start as the clinic's clock shows it, such as `2026-03-02T10:30`.
        placed: tells its present time from one that it had before.
        reminded: whether its patient was reminded of it, at the time that it still has.
    """

    id: UUID
    patient: UUID
    version: int
    state: str
    wall: str
    placed: int
    reminded: bool


@dataclass(frozen=True)
class Said:
    """What an attempt said or was about to say; `words` are sealed, None where they were not kept."""

    at: datetime
    state: str
    words: str | None


async def told_of(reader: Reader, clinic: UUID, patient: UUID, session: UUID) -> list[Told]:
    """Return what the patient has, or may have, read of a session."""
    told = select(MESSAGES.c.channel, MESSAGES.c.occurrence, MESSAGES.c.starts_at, _WENT.label("at")).where(
        *_about(clinic, patient, session), MESSAGES.c.state.in_(ON_ITS_WAY), MESSAGES.c.starts_at.is_not(None)
    )
    rows = await reader.all(told.order_by(_WENT, MESSAGES.c.id))
    return [Told(Channel(row.channel), row.occurrence, row.starts_at, row.at) for row in rows]


async def notices_waiting(reader: Reader, clinic: UUID, patient: UUID, session: UUID) -> list[Message]:
    """Return the notices about a session that have not gone out."""
    waiting = select(*MESSAGES.c).where(
        *_about(clinic, patient, session),
        MESSAGES.c.occurrence.in_(NOTICES),
        MESSAGES.c.state.in_([State.PLANNED, State.HELD]),
    )
    return list(map(message_of, await reader.all(waiting)))


_WENT: Final = func.coalesce(MESSAGES.c.sent_at, MESSAGES.c.updated_at)


def _about(clinic: UUID, patient: UUID, session: UUID) -> tuple[ColumnElement[bool], ...]:
    """Match by the beginning of the business key, which is an index."""
    return (
        MESSAGES.c.clinic == clinic,
        MESSAGES.c.patient == patient,
        MESSAGES.c.purpose == Purpose.REMINDER,
        MESSAGES.c.about == session,
    )


async def sessions_ahead(reader: Reader, patients: Sequence[UUID], now: datetime) -> list[SessionAhead]:
    """Return the sessions ahead of these patients, soonest first."""
    told = select(MESSAGES.c.id).where(
        MESSAGES.c.about == SESSIONS.c.session,
        MESSAGES.c.starts_at == SESSIONS.c.starts_at_utc,
        MESSAGES.c.patient == SESSIONS.c.patient,
        MESSAGES.c.purpose == Purpose.REMINDER,
        MESSAGES.c.occurrence != Occurrence.CANCELLED,
        MESSAGES.c.state.in_(ON_ITS_WAY),
    )
    ahead = select(*SESSIONS.c, told.exists().label("reminded")).where(
        SESSIONS.c.patient.in_(patients),
        SESSIONS.c.state.in_(["booked", "confirmed"]),
        SESSIONS.c.starts_at_utc > now,
    )
    rows = await reader.all(ahead.order_by(SESSIONS.c.starts_at_utc, SESSIONS.c.session))
    return [
        SessionAhead(row.session, row.patient, row.version, row.state, row.starts_at, row.placed, row.reminded)
        for row in rows
    ]


async def patient_is_of(reader: Reader, patient: UUID, clinic: ClinicId) -> bool:
    mine = select(func.count()).where(PATIENTS.c.patient == patient, PATIENTS.c.clinic == clinic)
    return bool(await reader.scalar(mine))


async def message(reader: Reader, message_id: UUID, clinic: ClinicId) -> Message | None:
    mine = select(MESSAGES).where(MESSAGES.c.id == message_id, MESSAGES.c.clinic == clinic)
    row = await reader.one_or_none(mine)
    return None if row is None else message_of(row)


async def messages_of(reader: Reader, patient: UUID, page: Page) -> list[Message]:
    """Return a page of a patient's messages, oldest first, and one more."""
    mine = select(MESSAGES).where(MESSAGES.c.patient == patient)
    if page.after is not None:
        mine = mine.where(MESSAGES.c.id > page.after)
    return list(map(message_of, await reader.all(mine.order_by(MESSAGES.c.id).limit(page.limit + 1))))


async def stories(reader: Reader, messages: Sequence[Message]) -> dict[UUID, list[Line]]:
    """Return what happened to messages and why, in order, from all that is on record."""
    ids = [message.id for message in messages]
    told: dict[UUID, list[Line]] = defaultdict(list)
    for message in messages:
        told[message.id].append(Line(message.created_at, "planned", f"due {message.due_at.isoformat()}"))
        if message.state in {State.WITHHELD, State.EXPIRED}:
            why = WHY[Reason(message.reason)] if message.reason else ""
            told[message.id].append(Line(message.updated_at, message.state, why))
    for attempt in await reader.all(select(ATTEMPTS).where(ATTEMPTS.c.message.in_(ids)).order_by(ATTEMPTS.c.id)):
        told[attempt.message].append(Line(attempt.started_at, "attempt", f"by {attempt.channel}"))
        if attempt.ended_at is not None:
            told[attempt.message].append(Line(attempt.ended_at, attempt.state, attempt.detail or ""))
    for callback in await reader.all(select(CALLBACKS).where(CALLBACKS.c.message.in_(ids)).order_by(CALLBACKS.c.id)):
        detail = f"{callback.status} {callback.error}" if callback.error else callback.status
        told[callback.message].append(Line(callback.received_at, "provider reported", detail))
    for line in await reader.all(select(NOTES).where(NOTES.c.message.in_(ids)).order_by(NOTES.c.id)):
        told[line.message].append(Line(line.at, line.what, line.detail))
    return {key: sorted(lines, key=lambda line: line.at) for key, lines in told.items()}


async def said(reader: Reader, messages: Sequence[Message]) -> dict[UUID, list[Said]]:
    """Return what each attempt of messages said, in order."""
    columns = (ATTEMPTS.c.message, ATTEMPTS.c.started_at, ATTEMPTS.c.state, ATTEMPTS.c.words)
    mine = select(*columns).where(ATTEMPTS.c.message.in_([message.id for message in messages]))
    told: dict[UUID, list[Said]] = defaultdict(list)
    for attempt in await reader.all(mine.order_by(ATTEMPTS.c.id)):
        told[attempt.message].append(Said(attempt.started_at, attempt.state, attempt.words))
    return told
