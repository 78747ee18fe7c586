"""Reads of messages: for the interface, for replies, and for what a calendar already holds."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select

from services.notifier.model.explaining import WHY
from services.notifier.model.judging import Reason
from services.notifier.model.notices import Told
from services.notifier.model.purposes import NOTICES, Channel, Occurrence, Purpose
from services.notifier.model.states import ON_ITS_WAY, State
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


async def notices_waiting(reader: Reader, clinic: UUID, patient: UUID, session: UUID) -> Sequence[Row[Any]]:
    """Return the notices about a session that have not gone out."""
    waiting = select(*MESSAGES.c).where(
        *_about(clinic, patient, session),
        MESSAGES.c.occurrence.in_(NOTICES),
        MESSAGES.c.state.in_([State.PLANNED, State.HELD]),
    )
    return await reader.all(waiting)


_WENT: Final = func.coalesce(MESSAGES.c.sent_at, MESSAGES.c.updated_at)


def _about(clinic: UUID, patient: UUID, session: UUID) -> tuple[ColumnElement[bool], ...]:
    """Match by the beginning of the business key, which is an index."""
    return (
        MESSAGES.c.clinic == clinic,
        MESSAGES.c.patient == patient,
        MESSAGES.c.purpose == Purpose.REMINDER,
        MESSAGES.c.about == session,
    )


async def sessions_ahead(reader: Reader, patients: Sequence[UUID], now: datetime) -> Sequence[Row[Any]]:
    """Return the sessions ahead of these patients, soonest first.

    `reminded` tells whether they were reminded of one, at the time that it still has.
    """
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
    return await reader.all(ahead.order_by(SESSIONS.c.starts_at_utc, SESSIONS.c.session))


async def patient_is_of(reader: Reader, patient: UUID, clinic: ClinicId) -> bool:
    """Tell whether a clinic has this patient."""
    mine = select(func.count()).where(PATIENTS.c.patient == patient, PATIENTS.c.clinic == clinic)
    return bool(await reader.scalar(mine))


async def message(reader: Reader, message_id: UUID, clinic: ClinicId) -> Row[Any] | None:
    """Return a clinic's message."""
    return await reader.one_or_none(select(MESSAGES).where(MESSAGES.c.id == message_id, MESSAGES.c.clinic == clinic))


async def messages_of(reader: Reader, patient: UUID, page: Page) -> Sequence[Row[Any]]:
    """Return a page of a patient's messages, oldest first, and one more."""
    mine = select(MESSAGES).where(MESSAGES.c.patient == patient)
    if page.after is not None:
        mine = mine.where(MESSAGES.c.id > page.after)
    return await reader.all(mine.order_by(MESSAGES.c.id).limit(page.limit + 1))


async def stories(reader: Reader, rows: Sequence[Row[Any]]) -> dict[UUID, list[Line]]:
    """Return what happened to messages and why, in order, from all that is on record."""
    ids = [row.id for row in rows]
    told: dict[UUID, list[Line]] = defaultdict(list)
    for row in rows:
        told[row.id].append(Line(row.created_at, "planned", f"due {row.due_at.isoformat()}"))
        if row.state in {"withheld", "expired"}:
            told[row.id].append(Line(row.updated_at, row.state, WHY[Reason(row.reason)] if row.reason else ""))
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


async def said(reader: Reader, rows: Sequence[Row[Any]]) -> dict[UUID, list[Said]]:
    """Return what each attempt of messages said, in order."""
    columns = (ATTEMPTS.c.message, ATTEMPTS.c.started_at, ATTEMPTS.c.state, ATTEMPTS.c.words)
    mine = select(*columns).where(ATTEMPTS.c.message.in_([row.id for row in rows]))
    told: dict[UUID, list[Said]] = defaultdict(list)
    for attempt in await reader.all(mine.order_by(ATTEMPTS.c.id)):
        told[attempt.message].append(Said(attempt.started_at, attempt.state, attempt.words))
    return told
