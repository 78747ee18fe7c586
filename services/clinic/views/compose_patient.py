"""One patient and the list of patients, out of the read models."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from services.clinic.model.chart import Point, Scale, draw
from services.clinic.model.contacts import HOME_REGION, ContactKind
from services.clinic.model.patient import Patient, PatientState
from services.clinic.model.people import Who, age_on
from services.clinic.model.reads import (
    Alert,
    AlertState,
    Answers,
    Checkin,
    Correction,
    Message,
    Plan,
    Proposal,
    ProposalState,
    Reply,
    Score,
    Session,
    SessionState,
)
from services.clinic.model.roles import Permission, Role, may
from services.clinic.model.stopped import Stopped
from services.clinic.model.worklist import OffWindow
from services.clinic.store.checks import Broken
from services.clinic.store.doubts import Doubt
from services.clinic.views.answers import answer_row, flag_words, mood_chip
from services.clinic.views.bookings import off_window_row
from services.clinic.views.components import (
    Chip,
    FormState,
    Tone,
    band_chip,
    day_moment,
    days,
    message_chip,
    moment,
    say_born,
    say_date,
    say_instrument,
    say_instrument_of,
    say_language,
    say_occurrence,
    session_chip,
    wall_moment,
)
from services.clinic.views.compose_list import scale_of, state_chip
from services.clinic.views.compose_today import may_attend, may_miss
from services.clinic.views.contacts import Findings, contact_view
from services.clinic.views.patient import (
    Able,
    Choice,
    MessageRow,
    PatientPage,
    PlanView,
    ProposalView,
    ScoreRow,
    ScoresView,
    SessionRow,
    StepView,
)
from services.clinic.views.picture import picture
from services.clinic.views.record import RecordFile
from services.clinic.views.rows import (
    Names,
    Sources,
    alert_row,
    checkin_row,
    first_of,
    intent_chip,
    message_words,
    proposal_view,
    reply_row,
    session_detail,
    why_words,
    words_hint,
)
from shared.ids import PatientId
from shared.instruments import MEASURE
from shared.languages import Language, say_time
from shared.walltime import to_wall

_OPEN: Final = (SessionState.BOOKED, SessionState.CONFIRMED)
_UNDECIDED: Final = (ProposalState.OPEN, ProposalState.HELD, ProposalState.SUPERSEDED)
_AS: Final = {
    SessionState.ATTENDED: "attended",
    SessionState.MISSED: "missed",
    SessionState.CANCELLED: "cancelled",
    SessionState.BOOKED: "booked again",
}
_USUAL_HOUR: Final = time(10)


@dataclass(frozen=True)
class Record:
    """What the read models hold of one patient; consents as they stand now, by contact and purpose.

    `joined` are the person's records that were closed as duplicates: what stands in them is read with the patient's
    own, but for their plans, which are `other_plans`.
    """

    plan: Plan | None
    sessions: Sequence[Session]
    checkins: Sequence[Checkin]
    scores: Sequence[Score]
    proposals: Sequence[Proposal]
    alerts: Sequence[Alert]
    messages: Sequence[Message]
    replies: Sequence[Reply]
    unread: Sequence[Reply]
    stopped: Stopped
    broken: Mapping[UUID, Broken] = field(default_factory=dict)
    answers: Sequence[Answers] = ()
    corrections: Mapping[UUID, Correction] = field(default_factory=dict)
    doubts: Mapping[UUID, Doubt] = field(default_factory=dict)
    off_window: Sequence[OffWindow] = ()
    joined: Mapping[PatientId, Who] = field(default_factory=dict)
    other_plans: Sequence[Plan] = ()


def able(role: Role) -> Able:
    """Return what a role may do, for the templates."""
    return Able(
        enrol=may(role, Permission.ENROL),
        sessions=may(role, Permission.PLAN_SESSIONS),
        checkins=may(role, Permission.RECORD_CHECKINS),
        alerts=may(role, Permission.HANDLE_ALERTS),
        plans=may(role, Permission.START_PLANS),
        decide=may(role, Permission.DECIDE),
        discharge=may(role, Permission.DISCHARGE),
    )


def patient_page(
    patient: Patient,
    record: Record,
    *,
    role: Role,
    now: datetime,
    zone: str,
    sources: Sources,
    off: Collection[str] = (),
    protocols: Sequence[Choice] = (),
    crisis: str = "",
    form: FormState | None = None,
    file: RecordFile | None = None,
    region: str = HOME_REGION,
) -> PatientPage:
    """Return the page of one patient; `zone` is the clinic's, in which all but the patient's own time is shown.

    `crisis` is what a person in crisis is told, in the patient's language: it stands beside an open alert. `off` holds
    the ids of the rules that do not run.
    """
    names = {patient.id: Who(patient.name, patient.birth_date), **record.joined}
    today = to_wall(now, zone).date()
    running = record.plan if record.plan and record.plan.active else None
    ordered = sorted((one.by_clock_of(zone) for one in record.sessions), key=lambda session: session.starts_at_utc)
    alarmed = any(alert.state is not AlertState.CLOSED and not alert.waits_only for alert in record.alerts)
    return PatientPage(
        id=patient.id,
        version=patient.version,
        name=patient.name,
        state=state_chip(patient.state),
        heading=_heading(patient, now, today),
        contacts=tuple(
            contact_view(contact, Findings(record.stopped, record.broken, record.doubts), zone, region)
            for contact in patient.contacts
        ),
        picture=picture(running, record.sessions, record.scores, record.alerts, now=now, zone=zone),
        enrolled=patient.state is PatientState.ENROLLED,
        zone=zone,
        able=able(role),
        plan=_plan(record.plan, protocols, late=_late(record, today)) if record.plan else None,
        protocols=tuple(protocols),
        start_on=today.isoformat(),
        book_at=_book_at(running, to_wall(now, zone)),
        off_window=tuple(off_window_row(one, names) for one in record.off_window),
        upcoming=tuple(_session(session, record, now, zone) for session in ordered if session.state in _OPEN),
        past=tuple(_session(session, record, now, zone) for session in reversed(ordered) if session.state not in _OPEN),
        proposal=_proposal(record, names, zone, sources, blocked=alarmed, off=off),
        decided=tuple(proposal_view(p, names, zone, sources) for p in record.proposals if p.state not in _UNDECIDED),
        alerts=tuple(alert_row(a, names, zone, now) for a in record.alerts if a.state is not AlertState.CLOSED),
        old_alerts=tuple(alert_row(a, names, zone, now) for a in record.alerts if a.state is AlertState.CLOSED),
        crisis=crisis,
        language=str(patient.language),
        answers=first_of([answer_row(one, names, zone) for one in record.answers]),
        checkins=first_of([checkin_row(checkin, names) for checkin in record.checkins]),
        measure=_measure(record.scores),
        scores=_scores(record),
        messages=first_of(_conversation(record, zone)),
        replies=tuple(reply_row(reply, names, zone, now) for reply in record.unread),
        form=form or FormState(),
        file=file or RecordFile(),
        patient_zone=patient.zone.replace("_", " ") if patient.zone != zone else None,
        mailed=any(contact.kind is ContactKind.EMAIL for contact in patient.contacts),
        born=say_born(patient.birth_date),
        joined=frozenset(record.joined),
        other_plans=tuple(_other_plan(plan, protocols) for plan in record.other_plans),
    )


def _proposal(
    record: Record, names: Names, zone: str, sources: Sources, *, blocked: bool, off: Collection[str]
) -> ProposalView | None:
    """Return the proposal that waits, or else what the rule last said for information."""
    for state in (ProposalState.OPEN, ProposalState.HELD):
        for one in record.proposals:
            if one.state is state:
                return proposal_view(one, names, zone, sources, blocked=blocked, off=off)
    return None


def _heading(patient: Patient, now: datetime, today: date) -> tuple[str, ...]:
    born = []
    if patient.birth_date:
        born = [f"{age_on(patient.birth_date, today)} years, born {say_date(patient.birth_date)[5:]}"]
    there = say_time(Language.EN, to_wall(now, patient.zone).time())
    record = [f"record {patient.external_id}"] if patient.external_id else []
    return (*born, say_language(patient.language), f"{patient.zone} ({there} there)", *record)


def _late(record: Record, today: date) -> bool:
    booked = any(session.state in _OPEN for session in record.sessions)
    return record.plan is not None and record.plan.active and record.plan.next_due_on < today and not booked


def _plan(plan: Plan, protocols: Sequence[Choice], *, late: bool) -> PlanView:
    name = next((choice.text for choice in protocols if choice.value == plan.protocol), plan.protocol)
    return PlanView(
        protocol=f"{name}, version {plan.protocol_version}",
        late=late,
        phase=Chip(plan.phase, Tone.ACCENT if plan.induction_complete else Tone.INFO) if plan.active else Chip("ended"),
        interval=f"every {days(plan.interval_days)}",
        next_due=day_moment(plan.next_due_on),
        why=plan.why,
        attended=plan.attended,
        ended=not plan.active,
    )


def _other_plan(plan: Plan, protocols: Sequence[Choice]) -> str:
    """Say what plan stands in a record that was joined; it ended with that record, and its sessions count there."""
    shown = _plan(plan, protocols, late=False)
    last = f"{plan.phase}, {shown.interval}, {plan.attended} attended"
    return f"{shown.protocol}: {last}. It ended as the records were joined; the plan above does not count its sessions."


def _book_at(plan: Plan | None, now: datetime) -> str:
    """Return when a session is likely to be wanted: at ten on the day that is due, never in the past."""
    ten = datetime.combine(plan.next_due_on if plan else now.date() + timedelta(days=1), _USUAL_HOUR)
    soonest = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return max(ten, soonest).isoformat(timespec="minutes")


def _session(session: Session, record: Record, now: datetime, zone: str) -> SessionRow:
    corrected = record.corrections.get(session.id)
    return SessionRow(
        session=session,
        at=wall_moment(session.starts_at, year=True),
        wall=session.starts_at.isoformat(timespec="minutes"),
        detail=session_detail(session),
        state=session_chip(session.state),
        open=session.state in _OPEN,
        may_attend=may_attend(session, now),
        may_miss=may_miss(session, now),
        others=tuple(Choice(str(state), _AS[state]) for state in _AS if state is not session.state),
        corrected=None if corrected is None else _corrected(corrected, zone),
        not_asked=", ".join(say_occurrence(one) for one in session.not_asked),
        joined=session.patient in record.joined,
    )


def _measure(scores: Sequence[Score]) -> Choice:
    """Return what the interval follows, by the name that its owner last gave it."""
    said = [say_instrument_of(score) for score in scores if score.instrument == MEASURE]
    return Choice(MEASURE, said[-1] if said else say_instrument(MEASURE))


def _corrected(correction: Correction, zone: str) -> str:
    """Say what was on record before, and who put it right when and why."""
    when = moment(correction.at, zone).text
    return f"Recorded as {correction.before} at first. Corrected by {correction.by}, {when}: {correction.why}"


def _scores(record: Record) -> tuple[ScoresView, ...]:
    by_instrument: dict[str, list[Score]] = {}
    for score in sorted(record.scores, key=lambda one: (one.asked_for, one.at)):
        by_instrument.setdefault(score.instrument, []).append(score)
    attended = [s.starts_at.date() for s in record.sessions if s.state is SessionState.ATTENDED]
    return tuple(
        _instrument(scores, attended, record.joined)
        for _, scores in sorted(by_instrument.items(), key=lambda item: item[1][-1].total is None)
    )


def _drawn(score: Score, scale: Scale) -> int | None:
    """Return the number to draw: the total, or the answer that stands for it."""
    return score.answers.get(scale.of) if score.total is None and scale.of is not None else score.total


def _instrument(scores: Sequence[Score], attended: Sequence[date], joined: Collection[PatientId]) -> ScoresView:
    scale, last = scale_of(scores), scores[-1]
    title = scale.name
    values = [(score, _drawn(score, scale)) for score in scores]
    readings = [Point(score.asked_for, value, "item9" in score.flags) for score, value in values if value is not None]
    return ScoresView(
        instrument=title,
        chart=draw(readings, attended, scale) if readings else None,
        summary=f"Last: {_score_chip(last).text}, {say_date(last.asked_for)}",
        rows=tuple(
            ScoreRow(
                day_moment(score.asked_for),
                _score_chip(score),
                title,
                "; ".join(flag_words(flag) for flag in score.flags),
                joined=score.patient in joined,
            )
            for score in reversed(scores)
        ),
    )


def _score_chip(score: Score) -> Chip:
    return (mood_chip(score.mood) if score.total is None else None) or band_chip(score)


def _conversation(record: Record, zone: str) -> list[MessageRow]:
    """Return what was sent and what came back, the newest first."""
    said = [(one.at, _message(one, zone, joined=one.patient in record.joined)) for one in record.messages]
    heard = [(one.at, _heard(one, zone, joined=one.patient in record.joined)) for one in record.replies]
    return [row for _, row in sorted(said + heard, key=lambda pair: pair[0], reverse=True)]


def _heard(reply: Reply, zone: str, *, joined: bool) -> MessageRow:
    return MessageRow(
        what="Text from the patient",
        to=None,
        at=moment(reply.at, zone),
        state=intent_chip(reply.intent),
        why=None,
        story=(),
        words=reply.text,
        joined=joined,
    )


def _message(message: Message, zone: str, *, joined: bool) -> MessageRow:
    words = message.words
    return MessageRow(
        what=message_words(message),
        to=message.to,
        at=moment(message.at, zone),
        state=message_chip(message.state),
        joined=joined,
        why=why_words(message),
        story=tuple(
            StepView(moment(step.at, zone), step.what + (f": {step.detail}" if step.detail else ""))
            for step in message.story
        ),
        words=words.body if words else None,
        subject=words.subject if words else "",
        hint=words_hint(message),
    )
