"""Open a check-in, keep its answers, score it, and let it expire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from services.assessments.commands import alerts, proposals, results
from services.assessments.commands.results import about, sealed
from services.assessments.dependencies import Dependencies, hash_of, new_token
from services.assessments.model import scoring
from services.assessments.model.haste import is_quick, seconds_after
from services.assessments.model.instrument import Instrument
from services.assessments.model.lifecycles import CHECKIN, CheckinState
from services.assessments.model.scoring import Answers
from services.assessments.store import answering, checkins, read_models, uncounted_answers
from services.assessments.store.answering import Earlier
from services.assessments.store.checkins import Checkin, KeptScore
from services.assessments.store.read_models import Patient
from services.assessments.store.uncounted_answers import WhyUncounted
from shared.bus import cancel_timers, publish
from shared.database import Transaction
from shared.events import CheckinCompleted, CheckinExpired, CheckinOpened, MessageEvent
from shared.ids import new_id
from shared.instruments import MEASURE

_LINK: Final = "link"
_CROSSED: Final = timedelta(minutes=10)
"""A link may have been under way to a number while its holder wrote that it is the wrong one."""
_FIRST_ANSWER: Final = 2
"""The version of a check-in that was answered whole at once: none of its scores can be on record yet."""


@dataclass(frozen=True)
class AnswerResult:
    """What became of answers.

    Args:
        alerted: these answers called for a safety alert, new or already raised.
        absent: required items of the instrument that still have no answer.
        changed: they took the place of others that were kept before.
    """

    checkin: Checkin
    alerted: bool
    absent: tuple[str, ...]
    changed: bool = False


class AlreadyAnsweredError(Exception):
    """This instrument of the check-in is complete; its answers stay as they are."""


async def open_for(
    tx: Transaction,
    deps: Dependencies,
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
        deps.packs.get(instrument)
    token = new_token()
    checkin = Checkin(
        id=new_id(),
        clinic=patient.clinic,
        patient=patient.id,
        plan=plan or await read_models.current_plan(tx, patient.id),
        session=session,
        version=1,
        occurrence=occurrence,
        asked_for=asked_for,
        instruments=tuple(instruments),
        state=CheckinState.OPEN,
        opened_at=tx.now,
        expires_at=tx.now + _stays_open(deps, instruments),
        completed_at=None,
    )
    if not await checkins.add(tx, checkin, hash_of(token)):
        return None
    await _tell_link(tx, deps, checkin, token, patient)
    return checkin


def _stays_open(deps: Dependencies, instruments: Sequence[str]) -> timedelta:
    validated = any(deps.packs.get(instrument).validated for instrument in instruments)
    return timedelta(hours=deps.times.weekly_hours if validated else deps.times.post_session_hours)


async def ask_again(tx: Transaction, deps: Dependencies, patient: Patient, checkin: Checkin) -> Checkin:
    """Open a check-in anew, as long as at first, since one of its scores was voided; tell what is left of it."""
    if patient.discharged:
        ended = await checkins.one_on(tx, checkin, state=CheckinState.EXPIRED, completed_at=None)
        await results.tell(tx, deps, ended)
        return ended
    begun = bool((await answering.earlier(tx, deps.keyring, checkin)).saved)
    state = CheckinState.PARTIAL if begun else CheckinState.OPEN
    expires_at = max(checkin.expires_at, tx.now + _stays_open(deps, checkin.instruments))
    opened = await checkins.one_on(tx, checkin, state=state, completed_at=None, expires_at=expires_at)
    await results.tell(tx, deps, opened)
    return await reopen(tx, deps, patient, opened)


async def renew_links(tx: Transaction, deps: Dependencies, patient: Patient) -> None:
    """Let every link of a patient die, and tell a new one for each check-in that still waits.

    A link is worth no more than the way it was sent by: once that is somebody else's, it opens nothing for them.
    """
    waiting = [one for one in await checkins.unanswered(tx, patient.id) if tx.now < one.expires_at]
    await checkins.close_links(tx, patient.id, but=[one.id for one in waiting])
    for checkin in waiting:
        await reopen(tx, deps, patient, checkin)


async def close_links(tx: Transaction, patient_id: UUID, *, said_at: datetime) -> None:
    """Let every link of a patient die: whoever has the number says that it is not theirs.

    Check-ins that wait can still be answered by phone, and get a new link once the clinic has changed the number. Where
    the text is heard of late, a link that went out since then went to another number, and stays.
    """
    await checkins.close_links(tx, patient_id, but=(), sent_before=said_at + _CROSSED)


async def reopen(tx: Transaction, deps: Dependencies, patient: Patient, checkin: Checkin) -> Checkin:
    """Give a check-in a new link in place of the one before, and tell it."""
    token = new_token()
    renewed = await checkins.renew(tx, checkin, hash_of(token))
    await _tell_link(tx, deps, renewed, token, patient)
    return renewed


async def _tell_link(tx: Transaction, deps: Dependencies, checkin: Checkin, token: str, patient: Patient) -> None:
    await publish(
        tx,
        CheckinOpened(
            **about(checkin),
            version=checkin.version,
            expires_at=checkin.expires_at,
            link=deps.keyring.seal(deps.link(token), context=_LINK),
            begun=checkin.state is CheckinState.PARTIAL,
            patient_version=patient.version,
        ),
    )
    await _set_expiry(tx, checkin)


async def answer(
    tx: Transaction,
    deps: Dependencies,
    checkin: Checkin,
    patient: Patient,
    *,
    instrument_id: str,
    given: Answers,
    words: str | None = None,
    entered_by: str | None = None,
    replacing: bool = False,
) -> AnswerResult:
    """Keep answers of one instrument, all or some; score it when it is complete, and the check-in with its last.

    Args:
        tx: the patient is locked in it, and the check-in was read after that.
        deps: of the service.
        checkin: whose answers they are.
        patient: whose check-in it is.
        instrument_id: which instrument of it.
        given: answers by item.
        words: what the patient wrote with them.
        entered_by: who took them by phone.
        replacing: an instrument that is complete may be answered anew while others are not.

    Raises:
        AnswersRefusedError: an unknown item or a value outside its scale.
        AlreadyAnsweredError: this instrument is complete.
        IllegalTransitionError: the check-in is completed or expired. Whichever it is, nothing was written.
    """
    CHECKIN.move(state_of(checkin, tx.now), CheckinState.PARTIAL)
    before = await answering.earlier(tx, deps.keyring, checkin)
    again = instrument_id in before.complete
    if again and (not replacing or before.holds(instrument_id, given, words)):
        raise AlreadyAnsweredError(f"{instrument_id} of this check-in is answered; its answers stay as they are.")
    instrument = deps.packs.get(instrument_id)
    saved, written = before.saved.get(instrument_id, {}), before.words.get(instrument_id)
    merged, words = {**saved, **given}, _both(written, words)
    scoring.check(instrument, merged)
    absent = tuple(item.id for item in scoring.missing(instrument, merged))
    score = None if absent else scoring.score(instrument, merged, words)
    changed_items = {item: value for item, value in saved.items() if merged[item] != value}
    if changed_items and not again:
        await _keep_replaced(tx, deps, checkin, instrument, saved)
    complete = before.complete if absent else before.complete | {instrument_id}
    done = set(checkin.instruments) <= complete
    score_id = new_id()
    if again:
        await _void_before(tx, deps, checkin, instrument_id, score_id)
    alert = await alerts.raise_for(tx, deps, checkin, instrument_id, merged, words=words)
    changed = await answering.keep(
        tx,
        deps.keyring,
        checkin,
        instrument_id,
        merged,
        words=words,
        score=score,
        state=CheckinState.COMPLETED if done else CheckinState.PARTIAL,
        entered_by=entered_by,
        score_id=score_id,
    )
    if done and score:
        kept = KeptScore(
            score_id, checkin.id, checkin.asked_for, tx.now, score, entered_by, None, _seconds(changed, tx.now)
        )
        await _tell(tx, deps, changed, kept if entered_by is None else replace(kept, seconds_after=None))
    else:
        await _set_expiry(tx, changed)
    if score is not None and score.instrument == MEASURE:
        await proposals.propose(tx, deps, patient, changed)
    return AnswerResult(changed, alerted=alert is not None, absent=absent, changed=bool(changed_items))


def state_of(checkin: Checkin, now: datetime) -> CheckinState:
    """Return how a check-in stands at an instant: its hour may have come before its timer has."""
    late = now >= checkin.expires_at and not CHECKIN.ended(checkin.state)
    return CheckinState.EXPIRED if late else checkin.state


def _both(earlier: str | None, later: str | None) -> str | None:
    """Return what was written at one time and at another: a second thought takes nothing of the first away."""
    if not later or (earlier and later in earlier):
        return earlier
    return f"{earlier}\n{later}" if earlier else later


async def _void_before(
    tx: Transaction, deps: Dependencies, checkin: Checkin, instrument_id: str, replaced_by: UUID
) -> None:
    for one in await checkins.scores_of_checkin(tx, deps.keyring, checkin.id):
        if one.score.instrument == instrument_id and one.voided is None:
            await checkins.void_score(tx, deps.keyring, one, by=None, reason=None, replaced_by=replaced_by)


async def _keep_replaced(
    tx: Transaction, deps: Dependencies, checkin: Checkin, instrument: Instrument, saved: Mapping[str, int]
) -> None:
    await uncounted_answers.add(
        tx,
        deps.keyring,
        checkin,
        instrument=instrument.id,
        instrument_version=instrument.version,
        why=WhyUncounted.REPLACED,
        answers=saved,
        words=None,
    )


async def expire(tx: Transaction, deps: Dependencies, event: CheckinExpired) -> None:
    """Let a check-in end that was not completed in time; what was answered of it is told to staff."""
    await read_models.lock_patient(tx, event.patient)
    checkin = await checkins.get(tx, event.checkin)
    if checkin is None or not CHECKIN.allows(checkin.state, CheckinState.EXPIRED):
        return
    if tx.now < checkin.expires_at:
        return  # a timer of before it was opened anew
    before = await answering.earlier(tx, deps.keyring, checkin)
    ended = await checkins.expired(tx, checkin)
    await _tell_what_there_is(tx, deps, ended, before)


async def end_all(tx: Transaction, deps: Dependencies, patient_id: UUID) -> None:
    """End every open check-in of a patient who has left; what was answered is told to staff."""
    await _end(tx, deps, await checkins.unanswered(tx, patient_id))


async def end_of_session(tx: Transaction, deps: Dependencies, patient_id: UUID, session_id: UUID) -> None:
    """End the open check-ins after a session that did not take place as it was recorded."""
    waiting = await checkins.unanswered(tx, patient_id)
    await _end(tx, deps, [checkin for checkin in waiting if checkin.session == session_id])


async def _end(tx: Transaction, deps: Dependencies, waiting: Sequence[Checkin]) -> None:
    for checkin in waiting:
        await cancel_timers(tx, _timer(checkin.id))
        before = await answering.earlier(tx, deps.keyring, checkin)
        ended = await checkins.expired(tx, checkin)
        await publish(tx, _expired(ended, ended.version))
        await _tell_what_there_is(tx, deps, ended, before)


async def _tell_what_there_is(tx: Transaction, deps: Dependencies, checkin: Checkin, before: Earlier) -> None:
    for instrument, given in before.saved.items():
        if instrument not in before.complete:
            await results.set_aside(
                tx,
                deps,
                checkin,
                instrument,
                given=given,
                words=before.words.get(instrument),
                why=WhyUncounted.UNFINISHED,
            )
    if before.complete:
        await results.tell(tx, deps, await checkins.one_on(tx, checkin))


def _seconds(checkin: Checkin, answered_at: datetime) -> int | None:
    return seconds_after(sent_at=checkin.sent_at, delivered_at=checkin.delivered_at, answered_at=answered_at)


async def heed_text(tx: Transaction, deps: Dependencies, event: MessageEvent, state: str) -> None:
    """Keep what became of the text with a link; it may show that answers came too soon after it for a person."""
    if event.about is None or await read_models.lock_patient(tx, event.patient or event.clinic) is None:
        return
    before = await checkins.scores_of_checkin(tx, deps.keyring, event.about)
    await checkins.note_text(tx, event, state)
    after = await checkins.scores_of_checkin(tx, deps.keyring, event.about) if before else []
    if [is_quick(one.seconds_after) for one in before] == [is_quick(one.seconds_after) for one in after]:
        return
    checkin = await checkins.get(tx, event.about)
    if checkin is not None:
        await results.tell(tx, deps, await checkins.one_on(tx, checkin))


async def _tell(tx: Transaction, deps: Dependencies, checkin: Checkin, last: KeptScore) -> None:
    """Tell the result of a completed check-in, whose timer ends with it."""
    kept = [last]
    if len(checkin.instruments) > 1 or checkin.version > _FIRST_ANSWER:
        kept = await checkins.scores_of_checkin(tx, deps.keyring, checkin.id)
    voided = [one for one in kept if one.voided is not None]
    await publish(
        tx,
        CheckinCompleted(
            **about(checkin),
            version=checkin.version,
            completed_at=tx.now,
            result=sealed(deps, [one for one in kept if one.voided is None]),
            voided=sealed(deps, voided) if voided else None,
        ),
        ends=_timer(checkin.id),
    )


async def _set_expiry(tx: Transaction, checkin: Checkin) -> None:
    """Set or replace the timer; it speaks of the version that the check-in will have when it expires."""
    await publish(tx, _expired(checkin, checkin.version + 1), at=checkin.expires_at, timer=_timer(checkin.id))


def _timer(checkin_id: UUID) -> str:
    return f"checkin:{checkin_id}"


def _expired(checkin: Checkin, version: int) -> CheckinExpired:
    return CheckinExpired(**about(checkin), version=version)
