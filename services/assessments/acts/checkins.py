"""Open a check-in, keep its answers, score it, and let it expire."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from services.assessments.acts import alerts, proposals
from services.assessments.kit import Kit, hash_of, new_token
from services.assessments.model import scoring
from services.assessments.model.lifecycles import CHECKIN, CheckinState
from services.assessments.model.scoring import Answers, Score
from services.assessments.store import checkins, known
from services.assessments.store.checkins import Checkin
from services.assessments.store.known import Patient
from shared.bus import NotYet, cancel_timers, publish
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
            clinic=checkin.clinic,
            patient=checkin.patient,
            checkin=checkin.id,
            version=checkin.version,
            occurrence=checkin.occurrence,
            instruments=checkin.instruments,
            asked_for=checkin.asked_for,
            expires_at=checkin.expires_at,
            link=kit.keyring.seal(kit.link(token), context=_LINK),
        ),
    )
    await _set_expiry(tx, checkin)
    return checkin


async def answer(
    tx: Transaction,
    kit: Kit,
    checkin_id: UUID,
    instrument_id: str,
    given: Answers,
    *,
    patient_id: UUID | None = None,
    entered_by: str | None = None,
) -> Outcome:
    """Keep answers of one instrument, all or some; score it when it is complete, and the check-in with its last.

    Whose check-in it is, is looked up where the caller does not know.

    Raises:
        AnswersRefusedError: an unknown item or a value outside its scale; nothing is kept.
        AlreadyAnsweredError: this instrument is complete.
        IllegalTransitionError: the check-in is completed or expired.
        NotYet: the patient is unknown.
    """
    checkin, patient = await _locked(tx, checkin_id, patient_id)
    state = CheckinState.EXPIRED if tx.now >= checkin.expires_at and not CHECKIN.ended(checkin.state) else checkin.state
    CHECKIN.move(state, CheckinState.PARTIAL)
    complete = await checkins.completed_instruments(tx, checkin.id)
    if instrument_id in complete:
        raise AlreadyAnsweredError(f"{instrument_id} of this check-in is answered; its answers stay as they are.")
    instrument = kit.packs.get(instrument_id)
    saved = await checkins.saved_answers(tx, kit.keyring, checkin.id)
    merged = {**saved.get(instrument_id, {}), **given}
    scoring.check(instrument, merged)
    absent = tuple(item.id for item in scoring.missing(instrument, merged))
    await checkins.save_answers(
        tx, kit.keyring, checkin.id, instrument_id, merged, complete=not absent, entered_by=entered_by
    )
    alert = await alerts.raise_for(tx, kit, checkin, instrument_id, merged)
    if absent:
        checkin = await _half_done(tx, checkin)
    else:
        score = scoring.score(instrument, merged)
        checkin = await _move_on(tx, kit, patient, checkin, score, complete=complete | {instrument_id})
    return Outcome(checkin, alerted=alert is not None, absent=absent)


async def expire(tx: Transaction, event: CheckinExpired) -> None:
    """Let a check-in end that was not completed in time."""
    await known.lock_patient(tx, event.patient)
    checkin = await checkins.get(tx, event.checkin)
    if checkin is not None and CHECKIN.allows(checkin.state, CheckinState.EXPIRED):
        await checkins.set_state(tx, checkin, CheckinState.EXPIRED)


async def end_all(tx: Transaction, patient_id: UUID) -> None:
    """End every open check-in of a patient who has left."""
    for checkin in await checkins.unanswered(tx, patient_id):
        await cancel_timers(tx, _timer(checkin.id))
        ended = await checkins.set_state(tx, checkin, CheckinState.EXPIRED)
        await publish(tx, _expired(ended, ended.version))


async def _locked(tx: Transaction, checkin_id: UUID, patient_id: UUID | None) -> tuple[Checkin, Patient]:
    """Lock the patient first and read the check-in after: two answers at once come one after the other."""
    if patient_id is None:
        before = await checkins.get(tx, checkin_id)
        patient_id = None if before is None else before.patient
    patient = None if patient_id is None else await known.lock_patient(tx, patient_id)
    checkin = None if patient is None else await checkins.get(tx, checkin_id)
    if checkin is None or patient is None:
        raise NotYet(f"Check-in {checkin_id} or its patient is not known here.")
    return checkin, patient


async def _half_done(tx: Transaction, checkin: Checkin) -> Checkin:
    changed = await checkins.set_state(tx, checkin, CheckinState.PARTIAL)
    await _set_expiry(tx, changed)
    return changed


async def _move_on(
    tx: Transaction, kit: Kit, patient: Patient, checkin: Checkin, score: Score, *, complete: frozenset[str]
) -> Checkin:
    await checkins.add_score(tx, kit.keyring, checkin, score)
    done = set(checkin.instruments) <= complete
    changed = await _complete(tx, kit, checkin, score) if done else await _half_done(tx, checkin)
    if score.instrument == proposals.INSTRUMENT:
        await proposals.propose(tx, kit, patient, changed)
    return changed


async def _complete(tx: Transaction, kit: Kit, checkin: Checkin, last: Score) -> Checkin:
    changed = await checkins.set_state(tx, checkin, CheckinState.COMPLETED)
    await cancel_timers(tx, _timer(checkin.id))
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
            clinic=changed.clinic,
            patient=changed.patient,
            checkin=changed.id,
            version=changed.version,
            occurrence=changed.occurrence,
            instruments=changed.instruments,
            asked_for=changed.asked_for,
            completed_at=tx.now,
            result=kit.keyring.seal(json.dumps(result), context=_RESULT),
        ),
    )
    return changed


async def _set_expiry(tx: Transaction, checkin: Checkin) -> None:
    """Set or replace the timer; it speaks of the version that the check-in will have when it expires."""
    await publish(tx, _expired(checkin, checkin.version + 1), at=checkin.expires_at, timer=_timer(checkin.id))


def _timer(checkin_id: UUID) -> str:
    return f"checkin:{checkin_id}"


def _expired(checkin: Checkin, version: int) -> CheckinExpired:
    return CheckinExpired(
        clinic=checkin.clinic,
        patient=checkin.patient,
        checkin=checkin.id,
        version=version,
        occurrence=checkin.occurrence,
        instruments=checkin.instruments,
        asked_for=checkin.asked_for,
    )
