"""Check-ins, answers and scores."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, Row, Select, Text, delete, func, literal, null, select, union_all, update
from sqlalchemy.dialects.postgresql import insert

from services.assessments.model.haste import seconds_after
from services.assessments.model.interval.history import Reading
from services.assessments.model.lifecycles import CheckinState
from services.assessments.model.scoring import Score
from services.assessments.tables import checkins, scores, voided_scores
from shared.database import Reader, Transaction
from shared.events import MessageEvent
from shared.ids import ClinicId
from shared.protection import Keyring

SCORE: Final = "score"
"""The context that a score is sealed for."""
REASON: Final = "reason"
"""The context that a reason of staff is sealed for."""
_ARRIVAL: Final = {"sent": "sent_at", "delivered": "delivered_at"}


@dataclass(frozen=True)
class Checkin:
    """A check-in as it stands."""

    id: UUID
    clinic: ClinicId
    patient: UUID
    plan: UUID | None
    session: UUID | None
    version: int
    occurrence: str
    asked_for: date
    instruments: tuple[str, ...]
    state: CheckinState
    opened_at: datetime
    expires_at: datetime
    completed_at: datetime | None
    text_state: str | None = None
    text_reason: str | None = None
    text_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True)
class KeptScore:
    """A score with where it came from.

    Attributes:
        entered_by: who took the answers by phone, or corrected them.
        voided: why it does not count any more.
        seconds_after: from the arrival of its link to the answer, where it was answered by link.
    """

    id: UUID
    checkin: UUID
    asked_for: date
    at: datetime
    score: Score
    entered_by: str | None = None
    voided: "Voided | None" = None
    seconds_after: int | None = None


@dataclass(frozen=True)
class Voided:
    """Why a score does not count any more.

    Attributes:
        by: who said so; None where the patient changed the answers before all was sent.
        reason: in clear.
        replaced_by: the score that counts in its place.
    """

    at: datetime
    by: str | None
    reason: str | None
    replaced_by: UUID | None


def checkin_of(row: Row[Any]) -> Checkin:
    """Return the check-in of a row that has all its columns, and maybe others."""
    return Checkin(
        id=row.id,
        clinic=row.clinic,
        patient=row.patient,
        plan=row.plan,
        session=row.session,
        version=row.version,
        occurrence=row.occurrence,
        asked_for=row.asked_for,
        instruments=tuple(row.instruments),
        state=CheckinState(row.state),
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        completed_at=row.completed_at,
        text_state=row.text_state,
        text_reason=row.text_reason,
        text_at=row.text_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
    )


async def add(tx: Transaction, checkin: Checkin, token_hash: str) -> bool:
    """Insert a check-in; return false where its session, or its plan, was already asked about for this occurrence."""
    result = await tx.execute(
        insert(checkins)
        .values(
            id=checkin.id,
            clinic=checkin.clinic,
            patient=checkin.patient,
            plan=checkin.plan,
            session=checkin.session,
            version=checkin.version,
            occurrence=checkin.occurrence,
            asked_for=checkin.asked_for,
            instruments=list(checkin.instruments),
            state=checkin.state,
            token_hash=token_hash,
            opened_at=checkin.opened_at,
            expires_at=checkin.expires_at,
        )
        .on_conflict_do_nothing()
        .returning(checkins.c.id)
    )
    return result.first() is not None


async def get(reader: Reader, checkin_id: UUID) -> Checkin | None:
    """Return a check-in, or None."""
    row = await reader.one_or_none(select(checkins).where(checkins.c.id == checkin_id))
    return None if row is None else checkin_of(row)


async def of_patient(reader: Reader, patient_id: UUID, *, limit: int, after: UUID | None) -> list[Checkin]:
    """Return a patient's check-ins, newest first."""
    wanted = select(checkins).where(checkins.c.patient == patient_id)
    rows = await reader.all(_newest_first(wanted, checkins.c.opened_at, checkins.c.id, after, limit))
    return [checkin_of(row) for row in rows]


async def unanswered(reader: Reader, patient_id: UUID) -> list[Checkin]:
    """Return a patient's check-ins that still wait for answers."""
    waiting = [CheckinState.OPEN, CheckinState.PARTIAL]
    rows = await reader.all(
        select(checkins)
        .where(checkins.c.patient == patient_id, checkins.c.state.in_(waiting))
        .order_by(checkins.c.opened_at, checkins.c.id)
    )
    return [checkin_of(row) for row in rows]


async def expired(tx: Transaction, checkin: Checkin) -> Checkin:
    """Let a check-in end unanswered, one version on; return it as it now stands."""
    row = await tx.execute(
        update(checkins)
        .where(checkins.c.id == checkin.id)
        .values(state=CheckinState.EXPIRED, version=checkins.c.version + 1, completed_at=None)
        .returning(checkins)
    )
    return checkin_of(row.one())


async def one_on(tx: Transaction, checkin: Checkin, **changes: Any) -> Checkin:
    """Change a check-in, one version on, for what is told of it; return it as it now stands."""
    counted = update(checkins).where(checkins.c.id == checkin.id).values(version=checkins.c.version + 1, **changes)
    return checkin_of((await tx.execute(counted.returning(checkins))).one())


async def renew(tx: Transaction, checkin: Checkin, token_hash: str) -> Checkin:
    """Give a check-in another link, one version on: the one before leads nowhere from now on."""
    no_text = dict.fromkeys(("text_message", "text_state", "text_reason", "text_at", "sent_at", "delivered_at"))
    row = await tx.execute(
        update(checkins)
        .where(checkins.c.id == checkin.id)
        .values(token_hash=token_hash, version=checkins.c.version + 1, text_version=0, **no_text)
        .returning(checkins)
    )
    return checkin_of(row.one())


async def close_links(
    tx: Transaction, patient_id: UUID, *, but: Sequence[UUID], sent_before: datetime | None = None
) -> None:
    """Let every link of a patient lead nowhere, but those of some check-ins, and those that were sent since."""
    nowhere = func.concat("closed-", checkins.c.id.cast(Text))
    mine = (checkins.c.patient == patient_id) & checkins.c.id.not_in(but)
    if sent_before is not None:
        mine &= checkins.c.sent_at.is_(None) | (checkins.c.sent_at <= sent_before)
    await tx.execute(update(checkins).where(mine).values(token_hash=nowhere))


async def note_text(tx: Transaction, event: MessageEvent, state: str) -> None:
    """Keep what became of the text with the link, unless something newer is kept."""
    values: dict[str, Any] = {
        "text_message": event.message,
        "text_version": event.version,
        "text_state": state,
        "text_reason": event.reason or event.error,
        "text_at": event.at,
    }
    if state in _ARRIVAL:
        values[_ARRIVAL[state]] = event.at
    other = checkins.c.text_message.is_distinct_from(event.message)
    newer = (checkins.c.text_version < event.version) & ~other | other & (
        checkins.c.text_at.is_(None) | (checkins.c.text_at <= event.at)
    )
    await tx.execute(update(checkins).where(checkins.c.id == event.about, newer).values(values))


_VOID: Final = [column for column in voided_scores.c if column.name not in scores.c]
_EVERY: Final = union_all(
    select(
        *scores.c,
        *(null().cast(column.type).label(column.name) for column in _VOID),
        checkins.c.sent_at,
        checkins.c.delivered_at,
    ).join(checkins, checkins.c.id == scores.c.checkin),
    select(
        *(voided_scores.c[column.name] for column in scores.c),
        *_VOID,
        null().cast(DateTime(timezone=True)),
        null().cast(DateTime(timezone=True)),
    ),
).subquery("every")
"""Scores that count and those that do not any more."""


def _score(keyring: Keyring, row: Row[Any]) -> KeptScore:
    content = json.loads(keyring.open(row.sealed, context=SCORE))
    score = Score(
        instrument=row.instrument,
        version=row.instrument_version,
        total=content["total"],
        band=content["band"],
        flags=tuple(content["flags"]),
        answers=content["answers"],
        words=content.get("words"),
    )
    voided = None
    if row.voided_at is not None:
        reason = row.void_reason and keyring.open(row.void_reason, context=REASON)
        voided = Voided(row.voided_at, row.voided_by, reason, row.replaced_by)
    seconds = row.seconds_after
    if voided is None and row.entered_by is None:
        seconds = seconds_after(sent_at=row.sent_at, delivered_at=row.delivered_at, answered_at=row.at)
    return KeptScore(row.id, row.checkin, row.asked_for, row.at, score, row.entered_by, voided, seconds)


def content_of(score: Score) -> str:
    """Return what is sealed of a score."""
    return json.dumps(
        {
            "total": score.total,
            "band": score.band,
            "flags": list(score.flags),
            "answers": dict(score.answers),
            "words": score.words,
        }
    )


async def score(reader: Reader, keyring: Keyring, score_id: UUID) -> KeptScore | None:
    """Return a score, whether it counts or not; or None."""
    row = await reader.one_or_none(select(_EVERY).where(_EVERY.c.id == score_id))
    return None if row is None else _score(keyring, row)


async def void_score(
    tx: Transaction, keyring: Keyring, kept: KeptScore, *, by: str | None, reason: str | None, replaced_by: UUID | None
) -> None:
    """Let a score count no more; it stays on record, where nothing but its history reads it."""
    sealed = None if reason is None else keyring.seal(reason, context=REASON)
    said = {
        "voided_at": tx.now,
        "voided_by": by,
        "void_reason": sealed,
        "replaced_by": replaced_by,
        "seconds_after": kept.seconds_after,
    }
    constants = [literal(value, voided_scores.c[name].type) for name, value in said.items()]
    names = [column.name for column in scores.c]
    moved = select(*scores.c, *constants).where(scores.c.id == kept.id)
    await tx.execute(insert(voided_scores).from_select([*names, *said], moved))
    await tx.execute(delete(scores).where(scores.c.id == kept.id))


async def add_score(tx: Transaction, keyring: Keyring, checkin: Checkin, kept: KeptScore) -> None:
    """Keep a score that takes the place of another one."""
    await tx.execute(
        insert(scores).values(
            id=kept.id,
            checkin=checkin.id,
            clinic=checkin.clinic,
            patient=checkin.patient,
            plan=checkin.plan,
            instrument=kept.score.instrument,
            instrument_version=kept.score.version,
            asked_for=kept.asked_for,
            at=kept.at,
            sealed=keyring.seal(content_of(kept.score), context=SCORE),
            entered_by=kept.entered_by,
        )
    )


async def scores_of_patient(
    reader: Reader, keyring: Keyring, patient_id: UUID, *, limit: int, after: UUID | None
) -> list[KeptScore]:
    """Return a patient's scores, newest first."""
    wanted = select(_EVERY).where(_EVERY.c.patient == patient_id)
    rows = await reader.all(_newest_first(wanted, _EVERY.c.at, _EVERY.c.id, after, limit))
    return [_score(keyring, row) for row in rows]


async def scores_of_checkin(reader: Reader, keyring: Keyring, checkin_id: UUID) -> list[KeptScore]:
    """Return the scores of a check-in in the order that they came, those that count no more too."""
    rows = await reader.all(select(_EVERY).where(_EVERY.c.checkin == checkin_id).order_by(_EVERY.c.at, _EVERY.c.id))
    return [_score(keyring, row) for row in rows]


async def readings(
    reader: Reader, keyring: Keyring, patient_id: UUID, plan_id: UUID, instrument: str, *, also: Sequence[UUID] = ()
) -> tuple[Reading, ...]:
    """Return the totals of an instrument under a plan, those from before it, and those of further records.

    Where a person answered for one day under two records, the higher total stands: it is one day, not two.
    """
    rows = await reader.fetch(
        "SELECT checkin, asked_for, at, sealed, patient <> $1 AS other FROM scores WHERE instrument = $2"
        " AND ((patient = $1 AND coalesce(plan, $3) = $3) OR patient = ANY ($4)) ORDER BY asked_for, at",
        patient_id,
        instrument,
        plan_id,
        list(also),
    )
    kept = [(row, json.loads(keyring.open(row["sealed"], context=SCORE))["total"]) for row in rows]
    found = [
        (row["other"], Reading(checkin=row["checkin"], asked_for=row["asked_for"], completed_at=row["at"], total=total))
        for row, total in kept
        if total is not None
    ]
    twice = {one.asked_for for other, one in found if other}
    highest = {day: max((one for _, one in found if one.asked_for == day), key=lambda one: one.total) for day in twice}
    return tuple(one for _, one in found if one.asked_for not in twice or one is highest[one.asked_for])


async def readings_since(reader: Reader, patient_id: UUID, plan_id: UUID, instrument: str, day: date) -> int:
    """Return how many readings of an instrument under a plan are for days after one."""
    rows = await reader.fetch(
        "SELECT count(*) FROM scores"
        " WHERE patient = $1 AND instrument = $2 AND coalesce(plan, $3) = $3 AND asked_for > $4",
        patient_id,
        instrument,
        plan_id,
        day,
    )
    return int(rows[0]["count"])


async def asked(
    reader: Reader, patient_id: UUID, plan_id: UUID, instrument: str, *, also: Sequence[UUID] = ()
) -> tuple[date, ...]:
    """Return for which days an instrument was asked under a plan and is answered, or can be answered no more.

    Of further records of the person those days count that were answered: who is asked twice need not answer twice.
    """
    rows = await reader.fetch(
        "SELECT c.asked_for, c.patient <> $1 AS other, s.checkin IS NOT NULL AS answered"
        " FROM checkins AS c LEFT JOIN scores AS s ON s.checkin = c.id AND s.instrument = $2"
        " WHERE $2 = ANY (c.instruments) AND (c.state NOT IN ('open', 'partial') OR s.checkin IS NOT NULL)"
        " AND ((c.patient = $1 AND coalesce(c.plan, $3) = $3) OR (c.patient = ANY ($4) AND s.checkin IS NOT NULL))",
        patient_id,
        instrument,
        plan_id,
        list(also),
    )
    others = {row["asked_for"] for row in rows if row["other"]}
    own = [row["asked_for"] for row in rows if not row["other"] and row["asked_for"] not in others]
    return (*own, *others)


def _newest_first(wanted: Select[Any], at: Any, row_id: Any, after: UUID | None, limit: int) -> Select[Any]:
    if after is not None:
        edge = select(at).where(row_id == after).scalar_subquery()
        wanted = wanted.where((at < edge) | ((at == edge) & (row_id < after)))
    return wanted.order_by(at.desc(), row_id.desc()).limit(limit + 1)
