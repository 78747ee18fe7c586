"""Open a check-in, keep its answers, score it, and let it expire."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from services.assessments.acts import alerts, proposals
from services.assessments.kit import Kit, hash_of, new_token
from services.assessments.model import scoring
from services.assessments.model.lifecycles import CHECKIN, CheckinState
from services.assessments.model.scoring import Answers, Score
from services.assessments.store import answering, checkins, known
from services.assessments.store.checkins import Checkin
from services.assessments.store.known import Patient
from shared.bus import cancel_timers, publish
from shared.database import Transaction
from shared.events import CheckinCompleted, CheckinExpired, CheckinOpened
from shared.ids import new_id

_LINK: Final = "link"
_RESULT: Final = "result"


@dataclass(frozen=True)
class Outcome:
    """What became of answers.

    Args:
        alerted: these answers called for a safety alert, new or already raised.
        absent: required items of the instrument that still have no answer.
    """

    checkin: Checkin
    alerted: bool
    absent: tuple[str, ...]


class AlreadyAnsweredError(Exception):
    """This instrument of the check-in is complete; its answers stay as they are."""


async def open_for(
    tx: Transaction,
    kit: Kit,
    patient: Patient,
    *,
    occurrence: str,
    asked_for: date,
    instruments: Sequence[str],
    session: UUID | None = None,
    plan: UUID | None = None,
) -> Checkin | None:
    """Open a check-in and tell its link, sealed; None where the session was already asked about for this occurrence.

    Raises:
        UnknownInstrumentError: there is no such instrument.
    """
    for instrument in instruments:
        kit.packs.get(instrument)
    validated = any(kit.packs.get(instrument).validated for instrument in instruments)
    hours = kit.times.weekly_hours if validated else kit.times.post_session_hours
    token = new_token()
    checkin = Checkin(
        id=new_id(),
        clinic=patient.clinic,
        patient=patient.id,
        plan=plan or await known.current_plan(tx, patient.id),
        session=session,
        version=1,
        occurrence=occurrence,
        asked_for=asked_for,
        instruments=tuple(instruments),
        state=CheckinState.OPEN,
        opened_at=tx.now,
        expires_at=tx.now + timedelta(hours=hours),
        completed_at=None,
    )
    if not await checkins.add(tx, checkin, hash_of(token)):
        return None
    await publish(
        tx,
        CheckinOpened(
            **_about(checkin),
            version=checkin.version,
            expires_at=checkin.expires_at,
            link=kit.keyring.seal(kit.link(token), context=_LINK),
        ),
    )
    await _set_expiry(tx, checkin)
    return checkin


async def answer(
    tx: Transaction,
    kit: Kit,
    checkin: Checkin,
    patient: Patient,
    *,
    instrument_id: str,
    given: Answers,
    entered_by: str | None = None,
) -> Outcome:
    """Keep answers of one instrument, all or some; score it when it is complete, and the check-in with its last.

    Args:
        tx: the patient is locked in it, and the check-in was read after that.
        kit: of the service.
        checkin: whose answers they are.
        patient: whose check-in it is.
        instrument_id: which instrument of it.
        given: answers by item.
        entered_by: who took them by phone.

    Raises:
        AnswersRefusedError: an unknown item or a value outside its scale.
        AlreadyAnsweredError: this instrument is complete.
        IllegalTransitionError: the check-in is completed or expired. Whichever it is, nothing was written.
    """
    state = CheckinState.EXPIRED if tx.now >= checkin.expires_at and not CHECKIN.ended(checkin.state) else checkin.state
    CHECKIN.move(state, CheckinState.PARTIAL)
    before = await answering.earlier(tx, kit.keyring, checkin)
    if instrument_id in before.complete:
        raise AlreadyAnsweredError(f"{instrument_id} of this check-in is answered; its answers stay as they are.")
    instrument = kit.packs.get(instrument_id)
    merged = {**before.saved.get(instrument_id, {}), **given}
    scoring.check(instrument, merged)
    absent = tuple(item.id for item in scoring.missing(instrument, merged))
    score = None if absent else scoring.score(instrument, merged)
    complete = before.complete if absent else before.complete | {instrument_id}
    done = set(checkin.instruments) <= complete
    alert = await alerts.raise_for(tx, kit, checkin, instrument_id, merged)
    changed = await answering.keep(
        tx,
        kit.keyring,
        checkin,
        instrument_id,
        merged,
        score=score,
        state=CheckinState.COMPLETED if done else CheckinState.PARTIAL,
        entered_by=entered_by,
    )
    await (_tell(tx, kit, changed, score) if done and score else _set_expiry(tx, changed))
    if score is not None and score.instrument == proposals.INSTRUMENT:
        await proposals.propose(tx, kit, patient, changed)
    return Outcome(changed, alerted=alert is not None, absent=absent)


async def expire(tx: Transaction, event: CheckinExpired) -> None:
    """Let a check-in end that was not completed in time."""
    await known.lock_patient(tx, event.patient)
    checkin = await checkins.get(tx, event.checkin)
    if checkin is not None and CHECKIN.allows(checkin.state, CheckinState.EXPIRED):
        await checkins.expired(tx, checkin)


async def end_all(tx: Transaction, patient_id: UUID) -> None:
    """End every open check-in of a patient who has left."""
    for checkin in await checkins.unanswered(tx, patient_id):
        await cancel_timers(tx, _timer(checkin.id))
        ended = await checkins.expired(tx, checkin)
        await publish(tx, _expired(ended, ended.version))


async def _tell(tx: Transaction, kit: Kit, checkin: Checkin, last: Score) -> None:
    """Tell the result of a completed check-in, whose timer ends with it."""
    scores = [last]
    if len(checkin.instruments) > 1:
        scores = [one.score for one in await checkins.scores_of_checkin(tx, kit.keyring, checkin.id)]
    result = [
        {
            "instrument": one.instrument,
            "version": one.version,
            "total": one.total,
            "band": one.band,
            "flags": list(one.flags),
            "answers": dict(one.answers),
        }
        for one in scores
    ]
    await publish(
        tx,
        CheckinCompleted(
            **_about(checkin),
            version=checkin.version,
            completed_at=tx.now,
            result=kit.keyring.seal(json.dumps(result), context=_RESULT),
        ),
        ends=_timer(checkin.id),
    )


async def _set_expiry(tx: Transaction, checkin: Checkin) -> None:
    """Set or replace the timer; it speaks of the version that the check-in will have when it expires."""
    await publish(tx, _expired(checkin, checkin.version + 1), at=checkin.expires_at, timer=_timer(checkin.id))


def _timer(checkin_id: UUID) -> str:
    return f"checkin:{checkin_id}"


def _expired(checkin: Checkin, version: int) -> CheckinExpired:
    return CheckinExpired(**_about(checkin), version=version)


def _about(checkin: Checkin) -> dict[str, Any]:
    """Return what every event of a check-in says of it."""
    return {
        "clinic": checkin.clinic,
        "patient": checkin.patient,
        "checkin": checkin.id,
        "occurrence": checkin.occurrence,
        "instruments": checkin.instruments,
        "asked_for": checkin.asked_for,
    }
