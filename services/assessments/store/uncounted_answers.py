"""Answers that were sent and do not count as a score: kept sealed, none is thrown away."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, select

from services.assessments.store.checkins import Checkin
from services.assessments.tables import further_answers
from shared.database import Reader, Transaction
from shared.ids import new_id
from shared.protection import Keyring

_CONTEXT: Final = "answers"


class WhyUncounted(StrEnum):
    """Why answers do not count as a score."""

    LATE = "late"
    """They came after the check-in had ended."""
    AGAIN = "again"
    """The check-in was answered already, with other answers."""
    REPLACED = "replaced"
    """Whoever answers changed them before all was sent."""
    UNFINISHED = "unfinished"
    """The check-in ended before its questions were all answered."""


@dataclass(frozen=True)
class UncountedAnswers:
    """Answers kept beside the score."""

    id: UUID
    checkin: UUID
    instrument: str
    instrument_version: int
    why: WhyUncounted
    at: datetime
    answers: Mapping[str, int]
    words: str | None


async def add(
    tx: Transaction,
    keyring: Keyring,
    checkin: Checkin,
    *,
    instrument: str,
    instrument_version: int,
    why: WhyUncounted,
    answers: Mapping[str, int],
    words: str | None,
) -> UncountedAnswers:
    """Keep answers beside the score."""
    kept = UncountedAnswers(new_id(), checkin.id, instrument, instrument_version, why, tx.now, dict(answers), words)
    await tx.execute(
        insert(further_answers).values(
            id=kept.id,
            checkin=checkin.id,
            clinic=checkin.clinic,
            patient=checkin.patient,
            instrument=instrument,
            instrument_version=instrument_version,
            why=why,
            at=tx.now,
            sealed=keyring.seal(json.dumps({"answers": dict(answers), "words": words}), context=_CONTEXT),
        )
    )
    return kept


async def of_checkin(reader: Reader, keyring: Keyring, checkin_id: UUID) -> list[UncountedAnswers]:
    """Return what is kept beside a check-in's scores, first to last."""
    mine = select(further_answers).where(further_answers.c.checkin == checkin_id)
    return [_uncounted(keyring, row) for row in await reader.all(mine.order_by(further_answers.c.id))]


def _uncounted(keyring: Keyring, row: Row[Any]) -> UncountedAnswers:
    content = json.loads(keyring.open(row.sealed, context=_CONTEXT))
    return UncountedAnswers(
        id=row.id,
        checkin=row.checkin,
        instrument=row.instrument,
        instrument_version=row.instrument_version,
        why=WhyUncounted(row.why),
        at=row.at,
        answers=content["answers"],
        words=content["words"],
    )
