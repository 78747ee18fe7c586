"""Answers that came, who has seen them, and from whom none come."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Table, TextClause, func, select, text, update

from services.clinic.model.reads import Answers, CheckinState, Score, Silent
from services.clinic.model.worklist import Found
from services.clinic.store import reads
from services.clinic.store import rows as rows_of
from services.clinic.tables import CHECKINS, FURTHER
from shared.database import Reader, Transaction
from shared.ids import CheckinId, ClinicId, PatientId
from shared.protection import Keyring

LAST_ASKED: Final = 2
"""Check-ins in a row that nobody answered: then a patient counts as silent. Engineering default."""
SILENCE: Final = timedelta(days=14)
"""Without any answer, though something was asked: the same. Engineering default."""
_LOOK_BACK: Final = timedelta(days=90)
_ENDED: Final = [str(CheckinState.COMPLETED), str(CheckinState.EXPIRED)]
_AT: Final = func.coalesce(CHECKINS.c.completed_at, CHECKINS.c.expires_at)


async def unseen(reader: Reader, clinic: ClinicId, keyring: Keyring, *, limit: int, skip: int = 0) -> Found[Answers]:
    """Return answers that nobody has looked at, the oldest first."""
    whole = _answered() & reads.of_clinic(CHECKINS, clinic) & CHECKINS.c.seen_by.is_(None)
    beside = reads.of_clinic(FURTHER, clinic) & FURTHER.c.seen_by.is_(None)
    most = skip + limit
    rows = await reader.all(select(CHECKINS).where(whole).order_by(_AT, CHECKINS.c.id).limit(most))
    more = await reader.all(select(FURTHER).where(beside).order_by(FURTHER.c.at, FURTHER.c.id).limit(most))
    found = sorted(_both(rows, more, keyring), key=lambda one: one.at)
    total = await _count(reader, CHECKINS, whole) + await _count(reader, FURTHER, beside)
    return Found(found[skip : skip + limit], total)


async def of_records(
    reader: Reader, clinic: ClinicId, patients: Collection[PatientId], keyring: Keyring, *, limit: int
) -> list[Answers]:
    """Return the answers of one person, who may have several records, the newest first."""
    whole = reads.Wanted(clinic, patients).on(CHECKINS) & CHECKINS.c.result.is_not(None)
    beside = reads.Wanted(clinic, patients).on(FURTHER)
    rows = await reader.all(select(CHECKINS).where(whole).order_by(_AT.desc(), CHECKINS.c.id.desc()).limit(limit))
    more = await reader.all(select(FURTHER).where(beside).order_by(FURTHER.c.at.desc()).limit(limit))
    return sorted(_both(rows, more, keyring), key=lambda one: one.at, reverse=True)[:limit]


async def see_checkin(tx: Transaction, clinic: ClinicId, checkin: UUID, by: str) -> UUID | None:
    """Note who has looked at a check-in's answers first; return whose they are, None where the clinic has none such."""
    return await _see(tx, CHECKINS, clinic, checkin, by)


async def see_further(tx: Transaction, clinic: ClinicId, further: UUID, by: str) -> UUID | None:
    """Note who has looked first at answers that count as no score; return whose they are, as `see_checkin` does."""
    return await _see(tx, FURTHER, clinic, further, by)


async def _see(tx: Transaction, table: Table, clinic: ClinicId, thing: UUID, by: str) -> UUID | None:
    mine = (table.c.id == thing) & (table.c.clinic == clinic)
    first = {"seen_by": func.coalesce(table.c.seen_by, by), "seen_at": func.coalesce(table.c.seen_at, tx.now)}
    row = (await tx.execute(update(table).where(mine).values(first).returning(table.c.patient))).first()
    return None if row is None else row.patient


async def silent(reader: Reader, clinic: ClinicId, now: datetime, *, limit: int, skip: int = 0) -> Found[Silent]:
    """Return patients in care from whom no answer comes, the longest silent first.

    Silent is who left the last two check-ins unanswered, or has not answered for fourteen days though something was
    asked. Only a check-in counts of which a text or an e-mail went out: whom no message reached was not asked. Answers
    that came too late, or in part, are answers.
    """
    return await _found(reader, clinic, now, _SILENT, _COUNT_SILENT, limit=limit, skip=skip)


async def unasked(reader: Reader, clinic: ClinicId, now: datetime, *, limit: int, skip: int = 0) -> Found[Silent]:
    """Return patients in care whom nobody could ask how they are, who answered longest ago first.

    No text or e-mail of their last two check-ins, or more, went out: they agreed to none, there is no number or
    address, or it does not work, or said stop. Answers taken by phone are answers.
    """
    return await _found(reader, clinic, now, _UNASKED, _COUNT_UNASKED, limit=limit, skip=skip)


async def _found(
    reader: Reader, clinic: ClinicId, now: datetime, rows_of: TextClause, count_of: TextClause, *, limit: int, skip: int
) -> Found[Silent]:
    values = {
        "clinic": clinic,
        "since": (now - _LOOK_BACK).date(),
        "silence": now - SILENCE,
        "today": now.date(),
        "last": LAST_ASKED,
    }
    total = int(await reader.scalar(_bound(count_of, values)))
    rows = await reader.all(_bound(rows_of, {**values, "limit": limit, "skip": skip})) if total > skip else []
    return Found([Silent(PatientId(row.patient), row.last, row.asked, row.unanswered) for row in rows], total)


def _bound(statement: TextClause, values: Mapping[str, Any]) -> TextClause:
    """Return a statement with those of the values that it names."""
    return statement.bindparams(**{name: value for name, value in values.items() if f":{name}" in statement.text})


_FROM: Final = """
    FROM (
        SELECT c.patient, max(c.asked_for) AS asked,
               (SELECT max(at) FROM (
                   SELECT max(coalesce(a.completed_at, a.expires_at)) AS at FROM seen_checkins AS a
                       WHERE a.patient = c.patient AND a.result IS NOT NULL
                   UNION ALL SELECT max(f.at) FROM seen_further_answers AS f WHERE f.patient = c.patient) AS every
               ) AS last,
               array_agg(coalesce(c.expires_at, c.asked_for)) FILTER (WHERE c.result IS NULL) AS ends,
               array_agg(EXISTS (
                   SELECT FROM seen_messages AS m WHERE m.patient = c.patient AND m.about = c.id
                          AND m.purpose = 'checkin' AND m.state IN ('sent', 'delivered')
               )) FILTER (WHERE c.result IS NULL) AS told
        FROM seen_checkins AS c JOIN patients AS p ON p.id = c.patient AND p.state = 'enrolled'
        WHERE c.clinic = :clinic AND c.asked_for >= :since AND c.asked_for <= :today
              AND c.state IN ('expired', 'completed')
        GROUP BY c.patient
    ) AS whole,
    LATERAL (
        SELECT count(*) FILTER (WHERE told) AS unanswered, count(*) FILTER (WHERE NOT told) AS untold,
               min(e) FILTER (WHERE told) AS first_end
        FROM unnest(whole.ends, whole.told) AS lapsed (e, told) WHERE whole.last IS NULL OR e > whole.last
    ) AS after
"""
_IS_SILENT: Final = (
    " WHERE after.unanswered >= :last OR (after.unanswered > 0 AND coalesce(whole.last, after.first_end) <= :silence)"
)
_IS_UNASKED: Final = " WHERE after.unanswered = 0 AND after.untold >= :last"
_ORDER: Final = " ORDER BY whole.last ASC NULLS FIRST, whole.patient LIMIT :limit OFFSET :skip"
_SILENT: Final = text(f"SELECT whole.patient, whole.last, whole.asked, after.unanswered {_FROM}{_IS_SILENT}{_ORDER}")
_COUNT_SILENT: Final = text(f"SELECT count(*) {_FROM}{_IS_SILENT}")
_UNASKED: Final = text(
    f"SELECT whole.patient, whole.last, whole.asked, after.untold AS unanswered {_FROM}{_IS_UNASKED}{_ORDER}"
)
_COUNT_UNASKED: Final = text(f"SELECT count(*) {_FROM}{_IS_UNASKED}")


def _answered() -> ColumnElement[bool]:
    return CHECKINS.c.result.is_not(None) & CHECKINS.c.state.in_(_ENDED)


def _both(rows: Any, more: Any, keyring: Keyring) -> list[Answers]:
    return [_whole(row, keyring) for row in rows] + [_beside(row, keyring) for row in more]


def _whole(row: Row[Any], keyring: Keyring) -> Answers:
    scores = tuple(rows_of.scores_of(row, keyring))
    return Answers(
        id=row.id,
        checkin=CheckinId(row.id),
        patient=PatientId(row.patient),
        at=row.completed_at or max((one.at for one in scores), default=row.expires_at),
        occurrence=row.occurrence,
        scores=scores,
        why=None,
        seen_by=row.seen_by,
        seen_at=row.seen_at,
    )


def _beside(row: Row[Any], keyring: Keyring) -> Answers:
    one = json.loads(keyring.open(row.content, context="result"))
    score = Score(
        checkin=CheckinId(row.checkin),
        patient=PatientId(row.patient),
        instrument=one["instrument"],
        total=one["total"],
        band=None,
        asked_for=row.asked_for,
        at=row.at,
        flags=tuple(one["flags"]),
        answers=one["answers"],
        words=one["words"],
        scale=rows_of.scale_of(one),
    )
    return Answers(
        id=row.id,
        checkin=CheckinId(row.checkin),
        patient=PatientId(row.patient),
        at=row.at,
        occurrence=row.occurrence,
        scores=(score,),
        why=row.why,
        seen_by=row.seen_by,
        seen_at=row.seen_at,
    )


async def _count(reader: Reader, table: Table, where: ColumnElement[bool]) -> int:
    counted: Select[Any] = select(func.count()).select_from(table).where(where)
    return int(await reader.scalar(counted))
