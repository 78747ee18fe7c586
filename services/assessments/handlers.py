"""What this service does about events."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from services.assessments.commands import alerts as alert_commands
from services.assessments.commands import checkins as checkin_commands
from services.assessments.commands import proposals as proposal_commands
from services.assessments.dependencies import Dependencies
from services.assessments.store import checkins, proposals, read_models
from services.assessments.store.read_models import KnownPlan
from shared.bus import Handlers, NotYet
from shared.database import Transaction
from shared.events import (
    AlertOverdue,
    CheckinDue,
    CheckinExpired,
    ClinicChanged,
    IntervalExpired,
    MessageDelivered,
    MessageEvent,
    MessageFailed,
    MessageSent,
    MessageWithheld,
    PatientChanged,
    PatientDischarged,
    PatientEnrolled,
    PlanChanged,
    PlanStarted,
    ReplyReceived,
    SessionAttended,
    SessionCorrected,
    UnknownNumberTexted,
)
from shared.events.clinic import stays
from shared.instruments import MEASURE
from shared.telemetry.log import get_logger
from shared.walltime import to_wall

log = get_logger(__name__)

_TEXT_STATES: Final = {
    MessageSent.TYPE: "sent",
    MessageDelivered.TYPE: "delivered",
    MessageFailed.TYPE: "failed",
    MessageWithheld.TYPE: "withheld",
}


WRONG_NUMBER: Final = "wrong-number"


def handlers(deps: Dependencies) -> Handlers:
    """Return this service's handlers."""
    found = Handlers()
    _read_models(found, deps)
    _follow(found, deps)
    _ask(found, deps)
    _hear(found, deps)
    _watch(found, deps)
    return found


def _read_models(found: Handlers, deps: Dependencies) -> None:
    """Keep what is told of clinics and patients; a link dies with the way that it was sent by."""

    @found.on(ClinicChanged)
    async def clinic_changed(tx: Transaction, event: ClinicChanged) -> None:
        await _keep_clinic(tx, event)

    @found.on(PatientEnrolled, PatientChanged)
    async def patient_changed(tx: Transaction, event: PatientEnrolled) -> None:
        before = await read_models.lock_patient(tx, event.patient)
        ways = tuple(deps.way_of(contact) for contact in event.contacts)
        in_care = stays(event, None if before is None else not before.discharged)
        if not await read_models.save_patient(tx, event, ways, in_care=in_care) or before is None:
            return
        if not in_care and not before.discharged:
            await _end_care(tx, deps, event.patient)  # Their leaving was missed here.
        # Where the ways before are not known, a link may have gone by one that is no longer the patient's.
        if before.ways is None or set(before.ways) - set(ways):
            now = replace(before, version=event.version, ways=ways)
            await checkin_commands.renew_links(tx, deps, now)

    @found.on(PatientDischarged)
    async def patient_discharged(tx: Transaction, event: PatientDischarged) -> None:
        await _discharged(tx, deps, event)


async def _discharged(tx: Transaction, deps: Dependencies, event: PatientDischarged) -> None:
    """End a patient's care; where the record goes on in another one, ask the rule again on what both hold."""
    # Both records of a person are locked in one order, whichever was joined into which.
    for one in sorted({event.patient, event.joined_into or event.patient}):
        await read_models.lock_patient(tx, one)
    patient = await read_models.patient(tx, event.patient)
    if patient is None:
        raise NotYet(f"Patient {event.patient} is not known here yet.")
    if event.version <= patient.version:
        return  # They are back in care since, or it is told once more.
    await read_models.discharge(tx, event.patient, event.version)
    await _end_care(tx, deps, event.patient)
    if event.joined_into is not None:
        await read_models.join(tx, event.patient, event.joined_into, one_course=not patient.discharged)
        kept = await read_models.patient(tx, event.joined_into)
        if kept is not None:
            await proposal_commands.reconsider(tx, deps, kept)


async def _end_care(tx: Transaction, deps: Dependencies, patient: UUID) -> None:
    await checkin_commands.end_all(tx, deps, patient)
    plan = await read_models.current_plan(tx, patient)
    if plan is not None:
        await proposal_commands.supersede(tx, plan)


def _follow(found: Handlers, deps: Dependencies) -> None:
    """Keep sessions and plans, and take back what rested on what they no longer say."""

    @found.on(SessionAttended)
    async def session_attended(tx: Transaction, event: SessionAttended) -> None:
        patient = await read_models.lock_patient(tx, event.patient)
        day = event.attended_on or _day(event, event.attended_at)
        if not await read_models.save_session(tx, event, day) or patient is None or event.plan is None:
            return
        # Recorded late, it may stand before measures that the rule has already looked at.
        late = day < to_wall(event.attended_at, event.zone).date()
        if late and await _measured_since(tx, event.patient, event.plan, day):
            await proposal_commands.reconsider(tx, deps, patient)

    @found.on(SessionCorrected)
    async def session_corrected(tx: Transaction, event: SessionCorrected) -> None:
        """Take back the check-ins that followed from the wrong record, and ask the rule again on the right one."""
        patient = await read_models.lock_patient(tx, event.patient)
        if patient is None:
            raise NotYet(f"Patient {event.patient} is not known here yet.")
        if not await read_models.save_session(tx, event, event.attended_on) or "attended" not in {
            event.before,
            event.state,
        }:
            return
        await checkin_commands.end_of_session(tx, deps, event.patient, event.session)
        if event.plan is not None and event.plan == await read_models.current_plan(tx, event.patient):
            await proposal_commands.reconsider(tx, deps, patient)
        elif event.plan is not None:
            await proposal_commands.supersede(tx, event.plan)

    @found.on(PlanStarted, PlanChanged)
    async def plan_changed(tx: Transaction, event: PlanStarted) -> None:
        await _heed_plan(tx, deps, event)


async def _heed_plan(tx: Transaction, deps: Dependencies, event: PlanStarted) -> None:
    """Keep a plan; ask the rule again where it looks at the same measures otherwise now.

    What was proposed under another interval is superseded.
    """
    patient, earlier = await read_models.lock_patient(tx, event.patient), await read_models.plan(tx, event.plan)
    ran = await read_models.current_plan(tx, event.patient)
    if not await read_models.save_plan(tx, event, await _induction_end(tx, event)):
        return
    current = patient is not None and event.plan == await read_models.current_plan(tx, event.patient)
    if event.taken_back is not None and patient is not None and current:
        # The interval of before holds again: what is still the latest evidence may be decided again.
        await proposal_commands.reconsider(tx, deps, patient)
        return
    waiting = await proposals.current_of_plan(tx, event.plan)
    after = await read_models.plan(tx, event.plan)
    # What its measures said when it ended, they say as it goes on.
    goes_on = earlier is not None and ran != event.plan
    if patient is not None and current and (goes_on or await _reads_otherwise(tx, patient.id, earlier, after)):
        await proposal_commands.reconsider(tx, deps, patient)
    elif waiting is not None and (not event.active or waiting.from_days != event.interval_days):
        await proposal_commands.supersede(tx, event.plan)


async def _reads_otherwise(tx: Transaction, patient: UUID, earlier: KnownPlan | None, after: KnownPlan | None) -> bool:
    """Tell whether measures that are on record already mean something else to the rule under a plan as it now stands.

    Induction that a session ends as it is recorded leaves the measures of before it what they were. Where the record
    came late, or was corrected, one may have come since, and there is nothing to wait for. The same holds where a
    correction leads back to induction, or a plan first says its ladder.
    """
    if earlier is None or after is None:
        return False
    before, now = earlier.plan, after.plan
    if replace(before, interval_days=now.interval_days) == now:
        return False
    done = now.induction_completed_on
    if before.maintenance or not now.maintenance or done is None:
        return True
    return await _measured_since(tx, patient, after.id, done)


async def _measured_since(tx: Transaction, patient: UUID, plan: UUID, day: date) -> bool:
    """Tell whether a running plan has measures from after a day."""
    if plan != await read_models.current_plan(tx, patient):
        return False
    readings = await checkins.readings_since(tx, patient, plan, MEASURE, day)
    return readings > 0


async def _keep_clinic(tx: Transaction, event: ClinicChanged) -> None:
    if await read_models.save_clinic(tx, event):
        await alert_commands.page_at_once(tx, event.clinic)


def _day(event: SessionAttended, recorded_at: datetime) -> date:
    """Return the day of a session in an event from before events said it.

    Staff often record a session late, and sometimes the patient came earlier than booked: the earlier day counts.
    """
    return min(to_wall(recorded_at, event.zone).date(), datetime.fromisoformat(event.starts_at).date())


async def _induction_end(tx: Transaction, event: PlanStarted) -> date | None:
    """Return the day of induction's last session; of an event that does not say it, when it says so first."""
    if event.induction_completed_on is not None:
        return event.induction_completed_on
    earlier = await read_models.plan(tx, event.plan)
    if not event.induction_complete or (earlier is not None and earlier.plan.induction_completed_on is not None):
        return None
    attended = await read_models.attended_on(tx, event.plan)
    if attended:
        return attended[-1]
    patient = await read_models.patient(tx, event.patient)
    return tx.now.date() if patient is None else to_wall(tx.now, patient.zone).date()


def _ask(found: Handlers, deps: Dependencies) -> None:
    """Open check-ins that are due and end those that nobody answered."""

    @found.on(CheckinDue)
    async def checkin_due(tx: Transaction, event: CheckinDue) -> None:
        patient = await read_models.lock_patient(tx, event.patient)
        if patient is None or await read_models.clinic(tx, event.clinic) is None:
            raise NotYet(f"Patient {event.patient} or the clinic is not known here yet.")
        overtaken = event.session is not None and event.version < await read_models.session_version(tx, event.session)
        if patient.discharged or overtaken:
            log.info("checkin.void", session=str(event.session), occurrence=event.occurrence)
            return
        # A protocol may name an instrument of a later version: what is known here is asked all the same.
        instruments = tuple(one for one in event.instruments if one in deps.packs.ids)
        for unknown in set(event.instruments) - set(instruments):
            log.error("checkin.instrument_not_known", instrument=unknown, occurrence=event.occurrence)
        if not instruments:
            return
        await checkin_commands.open_for(
            tx,
            deps,
            patient,
            occurrence=event.occurrence,
            asked_for=event.asked_for,
            instruments=instruments,
            session=event.session,
            plan=event.plan,
        )

    @found.on(CheckinExpired)
    async def checkin_expired(tx: Transaction, event: CheckinExpired) -> None:
        await checkin_commands.expire(tx, deps, event)

    @found.on(IntervalExpired)
    async def interval_expired(tx: Transaction, event: IntervalExpired) -> None:
        await read_models.lock_patient(tx, event.patient)
        await proposal_commands.expire(tx, event)


def _hear(found: Handlers, deps: Dependencies) -> None:
    """Heed what people write by text: words of crisis, and that a number is not the patient's."""

    @found.on(ReplyReceived)
    async def text_received(tx: Transaction, event: ReplyReceived) -> None:
        if await read_models.lock_patient(tx, event.patient) is None:
            raise NotYet(f"Patient {event.patient} is not known here yet.")
        await _read(tx, event, event.patient)
        if event.intent == WRONG_NUMBER:
            await checkin_commands.close_links(tx, event.patient, said_at=event.at)

    @found.on(UnknownNumberTexted)
    async def stranger_texted(tx: Transaction, event: UnknownNumberTexted) -> None:
        number = deps.keyring.open(event.number, context="contact")
        await _read(tx, event, None, deps.keyring.fingerprint(number, context="stranger"))

    async def _read(
        tx: Transaction, event: ReplyReceived | UnknownNumberTexted, patient: UUID | None, sender: str | None = None
    ) -> None:
        words = deps.keyring.open(event.wrote or event.text, context="reply")
        where = "Text message" if patient is not None else "Text message from a number that is no patient's"
        where += _late(tx.now - event.at)
        await alert_commands.raise_for_words(
            tx, deps, clinic=event.clinic, patient=patient, reply=event.reply, words=words, where=where, sender=sender
        )


def _late(age: timedelta) -> str:
    """Return what to add where words are read long after they were written: whoever is paged must know that."""
    hours = int(age.total_seconds() // 3600)
    return "" if hours < 1 else f", written {hours} hour{'s' if hours > 1 else ''} before it was read here"


def _watch(found: Handlers, deps: Dependencies) -> None:
    """Page again while nobody has acknowledged, and keep what became of pages and of texts with links."""

    @found.on(AlertOverdue)
    async def alert_overdue(tx: Transaction, event: AlertOverdue) -> None:
        await alert_commands.page_again(tx, deps, event)

    @found.on(MessageSent, MessageDelivered, MessageFailed, MessageWithheld)
    async def message_changed(tx: Transaction, event: MessageEvent) -> None:
        if event.about is None:
            return
        if event.purpose == "page":
            await alert_commands.heed_page(tx, deps, event, _TEXT_STATES[event.TYPE])
        elif event.purpose == "checkin":
            await checkin_commands.heed_text(tx, deps, event, _TEXT_STATES[event.TYPE])
