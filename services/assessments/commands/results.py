"""What is told of answers: the scores that count, those that do not any more, and what was kept beside them."""

import json
from collections.abc import Sequence
from typing import Any, Final

from services.assessments.dependencies import Dependencies
from services.assessments.described import InstrumentBrief
from services.assessments.model import scoring
from services.assessments.model.haste import is_quick
from services.assessments.model.scoring import Answers
from services.assessments.store import checkins, uncounted_answers
from services.assessments.store.checkins import Checkin, KeptScore
from services.assessments.store.uncounted_answers import WhyUncounted
from shared.bus import publish
from shared.database import Transaction
from shared.events import AnswersSetAside, ResultChanged

MOST_ASIDE: Final = 20
"""Answers that are kept beside the scores of one check-in: whoever holds a link fills no disk."""
_RESULT: Final = "result"


def about(checkin: Checkin) -> dict[str, Any]:
    """Return what every event of a check-in says of it."""
    return {
        "clinic": checkin.clinic,
        "patient": checkin.patient,
        "checkin": checkin.id,
        "occurrence": checkin.occurrence,
        "instruments": checkin.instruments,
        "asked_for": checkin.asked_for,
    }


async def set_aside(
    tx: Transaction,
    deps: Dependencies,
    checkin: Checkin,
    instrument_id: str,
    *,
    given: Answers,
    words: str | None,
    why: WhyUncounted,
) -> bool:
    """Keep answers that count as no score, and tell staff of them; return false where there are too many of them.

    The same answers once more are kept already.
    """
    kept = await uncounted_answers.of_checkin(tx, deps.keyring, checkin.id)
    if any(one.instrument == instrument_id and (one.answers, one.words) == (dict(given), words) for one in kept):
        return True
    if len(kept) >= MOST_ASIDE:
        return False
    instrument = deps.packs.get(instrument_id)
    one = await uncounted_answers.add(
        tx,
        deps.keyring,
        checkin,
        instrument=instrument_id,
        instrument_version=instrument.version,
        why=why,
        answers=given,
        words=words,
    )
    content = {
        "instrument": instrument_id,
        "version": instrument.version,
        "about": brief(deps, instrument_id, instrument.version),
        "total": None if scoring.missing(instrument, given) else scoring.score(instrument, given).total,
        "flags": list(scoring.flags(instrument, given)),
        "answers": dict(given),
        "words": words,
    }
    await publish(
        tx,
        AnswersSetAside(
            **about(checkin),
            version=1,
            answers=one.id,
            why=str(why),
            at=tx.now,
            content=deps.keyring.seal(json.dumps(content), context=_RESULT),
        ),
    )
    return True


async def tell(tx: Transaction, deps: Dependencies, checkin: Checkin) -> None:
    """Tell what is on record of a check-in's answers, what counts and what does not any more."""
    kept = await checkins.scores_of_checkin(tx, deps.keyring, checkin.id)
    await publish(
        tx,
        ResultChanged(
            **about(checkin),
            version=checkin.version,
            state=checkin.state.value,
            completed_at=checkin.completed_at,
            result=sealed(deps, [one for one in kept if one.voided is None]),
            voided=sealed(deps, [one for one in kept if one.voided is not None]),
        ),
    )


def sealed(deps: Dependencies, kept: Sequence[KeptScore]) -> str:
    """Return scores as their events carry them."""
    return deps.keyring.seal(json.dumps([_result(deps, one) for one in kept]), context=_RESULT)


def brief(deps: Dependencies, instrument: str, version: int) -> dict[str, Any]:
    """Return what a score says of its instrument: its name, range, direction and bands."""
    return InstrumentBrief.of_instrument(deps.packs.get(instrument, version)).model_dump(mode="json")


def _result(deps: Dependencies, kept: KeptScore) -> dict[str, Any]:
    score, voided = kept.score, kept.voided
    said: dict[str, Any] = {
        "id": str(kept.id),
        "instrument": score.instrument,
        "version": score.version,
        "about": brief(deps, score.instrument, score.version),
        "total": score.total,
        "band": score.band,
        "flags": list(score.flags),
        "answers": dict(score.answers),
        "words": score.words,
        "at": kept.at.isoformat(),
        "entered_by": kept.entered_by,
        "seconds": kept.seconds_after,
        "quick": is_quick(kept.seconds_after),
    }
    if voided is not None:
        said["void"] = {
            "by": voided.by,
            "at": voided.at.isoformat(),
            "reason": voided.reason,
            "replaced": voided.replaced_by is not None,
        }
    return said
