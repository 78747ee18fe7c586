"""Rows that several pages show: an alert, a check-in, a proposal, a reply, a message that did not go out."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final, TypeVar

from services.clinic.model.people import Who
from services.clinic.model.reads import (
    COMES_LATE,
    Alert,
    AlertState,
    Checkin,
    CheckinState,
    Message,
    MessageState,
    Page,
    Proposal,
    ProposalState,
    Reply,
    Session,
    Source,
)
from services.clinic.model.worklist import Dead, Due, Failure
from services.clinic.store.checks import Broken
from services.clinic.views.components import (
    Chip,
    Person,
    Shelf,
    Tone,
    age,
    day_moment,
    days,
    moment,
    named,
    plain_chip,
    proposal_chip,
    say_date,
    say_due,
    say_instrument,
    say_occurrence,
)
from services.clinic.views.patient import ProposalView
from services.clinic.views.today import (
    AlertRow,
    CheckinRow,
    DueRow,
    FailureRow,
    ProposalRow,
    ReplyRow,
    UnrecordedRow,
)
from shared.ids import PatientId
from shared.languages import Language, say_time
from shared.walltime import to_wall

Names = Mapping[PatientId, Who]
Sources = Mapping[str, tuple[Source, ...]]

T = TypeVar("T")
SHOWN: Final = 8
"""Rows of a kind that a patient's page shows unfolded."""

_INTENTS: Final = {
    "confirm": Chip("confirms", Tone.GOOD),
    "stop": Chip("no more texts", Tone.WARN),
    "start": Chip("texts again", Tone.INFO),
    "help": Chip("asks for help", Tone.WARN),
    "decline": Chip("may not come", Tone.WARN),
    "reaction": Chip("reaction", Tone.PLAIN),
    "wrong-number": Chip("wrong number", Tone.WARN),
    "doubt": Chip("unclear: stop?", Tone.WARN),
    "crisis": Chip("danger", Tone.DANGER),
    "other": Chip("free text", Tone.ACCENT),
}
_REPLY_NOTES: Final = {
    "may-mean-visit": "This word ends texts by the carriers' rule. It may also have meant the visit: ask.",
    "dislike": "A thumbs-down on one of our texts.",
    "running-late": "May be running late.",
    "question": "Asks something.",
    "picture": "Came with a picture or file, which Keepwell does not keep. Ask what it showed.",
    "overtaken": "Came together with STOP, so texts stay off. To get them back the number texts START once more.",
    "repeated": "The same words came again and again: perhaps a machine. Not answered any more.",
    "asked": "Asked back what is meant. No other texts go out before the answer.",
    "asked-which": "Asked back which visit is meant.",
    "automatic": "Looks like an automatic answer of a phone or mailbox.",
    "crisis": "Words of crisis.",
    "unanswered": "Got no answer: the number said stop.",
}
_PURPOSES: Final = {
    "reminder": "Reminder",
    "checkin": "Check-in link",
    "booking": "Asked to book",
    "page": "Page to staff",
    "reply": "Answer to a text",
}
_WAYS: Final = {"sms": "text", "email": "e-mail"}
_COMES_LATE: Final = "it comes after the time that the patient was told, so please call them"
_WORDED: Final = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED})
_NEVER_WORDED: Final = "unsendable"
"""The notifier's error of a message that could not be made."""
_LINK_LEFT_OUT: Final = "The patient's own link is left out here: whoever opens it answers for them."
_ANY_STEP: Final = "Tell them by phone what they should know today."
_DECISIONS: Final = {"approve": "approved", "change": "changed", "refuse": "refused"}
_STANDS: Final = (ProposalState.APPROVED, ProposalState.CHANGED, ProposalState.REFUSED)
_DIRECTIONS: Final = {"shorten": "Shorten", "hold": "Hold", "lengthen": "Lengthen"}
_CHECKINS: Final[dict[str, Chip]] = {
    CheckinState.OPEN: Chip("not answered yet"),
    CheckinState.PARTIAL: Chip("begun, not finished"),
    CheckinState.COMPLETED: Chip("answered", Tone.GOOD),
    CheckinState.EXPIRED: Chip("no answer came"),
}


def person(patient: PatientId, names: Names) -> Person:
    """Return a patient for a page."""
    found = names.get(patient)
    return Person(patient, "Unknown patient") if found is None else named(patient, found)


def say_paged(alert: Alert, zone: str) -> str:
    """Return who was told of an alert, by what, when and whether it arrived."""
    if alert.waits_only:
        return "Nobody is paged for this; it waits until it is closed."
    reached = [each for each in alert.paged if each.reached]
    if reached:
        last, times = reached[-1], f" {len(reached)} messages so far." if len(reached) > 1 else ""
        to = f"{_WAYS.get(last.channel, last.channel)} to {last.to}"
        arrived = "delivered" if last.state is MessageState.DELIVERED else "taken by the provider, not yet delivered"
        return f"Paged: {to}, {arrived}, {moment(last.at, zone).text}.{times}"
    if not alert.paged:
        return "A page is on its way; nothing says yet that it reached anybody."
    tried = {f"{_WAYS.get(each.channel, each.channel)} to {each.to or 'nobody'}": _why(each) for each in alert.paged}
    return "No page has reached anybody: " + "; ".join(f"{way}: {why}" for way, why in tried.items()) + "."


def _why(page: Page) -> str:
    return page.why or plain_cause(page.reason or page.error) or "it failed"


def plain_cause(code: str | None) -> str | None:
    """Return a reason or an error code of which its owner has not said the words."""
    return code and code.replace("_", " ")


def alert_row(alert: Alert, names: Names, zone: str, now: datetime) -> AlertRow:
    """Return an alert; "paged" is said of what the provider took, with whom and when, and of nothing else."""
    paged = say_paged(alert, zone)
    if alert.state is AlertState.OPEN and not alert.waits_only:
        paged += " Nobody has acknowledged it yet. Those on call are paged again and again until somebody does."
    handled = None
    if alert.by and alert.at:
        closed = alert.state is AlertState.CLOSED
        handled = f"{'Closed' if closed else 'Acknowledged'} by {alert.by}, {moment(alert.at, zone).text}"
        if not closed:
            handled += f" ({age(alert.at, now)}). It stays here until it is closed with what was done."
            handled += "" if alert.waits_only else _paged_again(alert.next_page_at, zone, now)
    return AlertRow(
        id=alert.id,
        version=alert.version,
        person=Person(None, "Unknown number") if alert.patient is None else person(alert.patient, names),
        level=Chip(alert.level.replace("_", " "), Tone.ACCENT if alert.waits_only else Tone.DANGER),
        cause=alert.cause,
        raised=moment(alert.raised_at, zone),
        age=age(alert.raised_at, now),
        paged=f"{handled} {paged}" if handled and alert.state is AlertState.ACKNOWLEDGED else paged,
        state=Chip(str(alert.state)),
        can_acknowledge=alert.state is AlertState.OPEN,
        closed=handled if alert.state is AlertState.CLOSED else None,
        disposition=alert.disposition,
    )


def _paged_again(at: datetime | None, zone: str, now: datetime) -> str:
    """Say that and when those on call are paged although somebody has acknowledged an alert."""
    when = ""
    if at is not None:
        same_day = to_wall(at, zone).date() == to_wall(now, zone).date()
        spoken = f"at {say_time(Language.EN, to_wall(at, zone).time())}" if same_day else f"on {moment(at, zone).text}"
        when = " now" if at <= now else f" {spoken}"
    return f" Until then those on call are paged again{when}, and again after that."


def checkin_row(checkin: Checkin, names: Names) -> CheckinRow:
    """Return a check-in."""
    asked = " and ".join(say_instrument(instrument) for instrument in checkin.instruments)
    return CheckinRow(
        id=checkin.id,
        waits=checkin.state in {CheckinState.OPEN, CheckinState.PARTIAL},
        person=person(checkin.patient, names),
        what=f"{asked}, {say_occurrence(checkin.occurrence)}" if checkin.occurrence else asked,
        asked=day_moment(checkin.asked_for),
        state=_CHECKINS.get(checkin.state) or plain_chip(checkin.state),
    )


def change_text(proposal: Proposal) -> str:
    """Return `Lengthen: 14 days → 21 days`."""
    if proposal.from_days == proposal.to_days:
        return f"{_direction(proposal)} at {days(proposal.from_days)}"
    return f"{_direction(proposal)}: {days(proposal.from_days)} → {days(proposal.to_days)}"


def _direction(proposal: Proposal) -> str:
    return (
        "Review, hold"
        if proposal.review
        else _DIRECTIONS.get(proposal.direction) or proposal.direction.replace("-", " ").capitalize()
    )


def proposal_row(proposal: Proposal, names: Names, zone: str, now: datetime) -> ProposalRow:
    """Return a proposal in a line, with its first reason."""
    return ProposalRow(
        id=proposal.id,
        person=person(proposal.patient, names),
        change=change_text(proposal),
        reason=proposal.reasons[0] if proposal.reasons else "",
        expires=moment(proposal.expires_at, zone),
        age=age(proposal.proposed_at, now),
        state=proposal_chip(proposal.state),
    )


def proposal_view(
    proposal: Proposal,
    names: Names,
    zone: str,
    sources: Sources,
    *,
    blocked: bool = False,
    off: Collection[str] = (),
) -> ProposalView:
    """Return a proposal with all that its decision needs.

    Args:
        proposal: as it stands.
        names: of patients.
        zone: of the clinic.
        sources: those of every rule that is known.
        blocked: a safety alert of the patient is not closed: nothing is decided before that.
        off: the rules that do not run here, by their ids.
    """
    decided = None
    if proposal.by and proposal.at:
        given = f", {days(proposal.decided_days)}" if proposal.decided_days else ""
        word = _DECISIONS.get(proposal.decision or "") or str(proposal.state)
        decided = f"{word.capitalize()} by {proposal.by}, {moment(proposal.at, zone).text}{given}"
    known = sources.get(proposal.rule, ())
    called = known[0].name if known else "Interval rule"
    return ProposalView(
        id=proposal.id,
        version=proposal.version,
        person=person(proposal.patient, names),
        state=proposal_chip(proposal.state),
        open=proposal.state is ProposalState.OPEN,
        held=proposal.state is ProposalState.HELD,
        blocked=blocked,
        change=change_text(proposal),
        direction=_direction(proposal),
        holds=proposal.from_days == proposal.to_days,
        from_days=days(proposal.from_days),
        to_days=days(proposal.to_days),
        to_number=proposal.to_days,
        reasons=proposal.reasons,
        evidence=tuple(f"{say_date(one.asked_for)}: PHQ-9 {one.total}" for one in proposal.evidence),
        rule=f"{called}, version {proposal.rule_version}",
        sources=known,
        expires=moment(proposal.expires_at, zone),
        decided=decided,
        said=(*_said(proposal), *_unsaid(proposal, zone)),
        ladder=tuple(sorted({*proposal.ladder, proposal.to_days, proposal.from_days})),
        off=proposal.rule in off,
        can_take_back=proposal.state in _STANDS,
    )


def _unsaid(proposal: Proposal, zone: str) -> tuple[str, ...]:
    """Return that a decision was taken back, by whom and why."""
    if proposal.taken_back is None:
        return ()
    by, when = proposal.taken_back.by, moment(proposal.taken_back.at, zone).text
    return (f"Taken back by {by}, {when}, because: “{proposal.taken_back.why}” It counts no more.",)


def _said(proposal: Proposal) -> tuple[str, ...]:
    """Return what staff typed when they decided, and what they decided against."""
    reason = (f"Reason: “{proposal.reason}”",) if proposal.reason else ()
    if not proposal.override_reason:
        return reason
    against = " ".join(proposal.overruled)
    return (*reason, f"Decided although: {against} Why: “{proposal.override_reason}”")


def intent_chip(intent: str) -> Chip:
    """Return what a text from a patient asks for, in its own word where that is not known here."""
    return _INTENTS.get(intent, Chip(intent.replace("-", " "), Tone.WARN))


def first_of(rows: Sequence[T]) -> Shelf[T]:
    """Return rows, the newest first, as a page shows them: a few, and the earlier ones folded away."""
    return Shelf(tuple(rows[:SHOWN]), tuple(rows[SHOWN:]))


def reply_row(reply: Reply, names: Names, zone: str, now: datetime) -> ReplyRow:
    """Return a text from a patient."""
    return ReplyRow(
        id=reply.id,
        person=None if reply.patient is None else person(reply.patient, names),
        sender=reply.sender,
        text=reply.text,
        at=moment(reply.at, zone),
        age=age(reply.at, now),
        intent=intent_chip(reply.intent),
        notes=tuple(_REPLY_NOTES[flag] for flag in reply.flags if flag in _REPLY_NOTES),
    )


def session_detail(session: Session) -> str:
    """Return `60 min, session 4`, or `30 min, consultation`; a kind not known here in its own word."""
    number = f", session {session.number}" if session.number else ""
    if session.kind != "treatment":
        number = f", {session.kind.replace('-', ' ')}"
    return f"{session.minutes} min{number}"


def unrecorded_row(session: Session, names: Names, zone: str, now: datetime) -> UnrecordedRow:
    """Return a session whose outcome nobody recorded."""
    return UnrecordedRow(
        id=session.id,
        version=session.version,
        at=moment(session.starts_at_utc, zone),
        age=age(session.starts_at_utc, now),
        person=person(session.patient, names),
        detail=session_detail(session),
    )


def due_row(due: Due, names: Names, today: date) -> DueRow:
    """Return a patient whose next session is due and not booked."""
    number = f"session {due.attended + 1}" if due.attended else "first session"
    return DueRow(
        person(due.patient, names), f"{due.phase}, {number}", say_due(due.due_on, today), day_moment(due.due_on)
    )


def message_words(message: Message) -> str:
    """Return what a message was: `Reminder by text, 1 day before`."""
    channel = _WAYS.get(message.channel, message.channel)
    when = f", {say_occurrence(message.occurrence)}" if message.purpose in {"reminder", "checkin"} else ""
    purpose = _PURPOSES.get(message.purpose) or message.purpose.replace("-", " ").capitalize()
    return f"{purpose} by {channel}{when}"


def why_words(message: Message) -> str | None:
    """Return why a message was withheld or failed, in words."""
    if message.reason == COMES_LATE:
        return _COMES_LATE
    return message.why or plain_cause(message.reason or message.error)


def words_hint(message: Message) -> str:
    """Return what there is to say of a message's words: that they are missing, or that something is left out."""
    if message.words is None:
        worded = message.state in _WORDED and message.error != _NEVER_WORDED
        return "The words were not kept." if worded else ""
    return _LINK_LEFT_OUT if message.purpose == "checkin" else ""


def broken_words(dead: Broken | Dead, day: str) -> str:
    """Return why nothing is sent to a contact point any more, and what to do."""
    return f"Nothing is sent here: {found_words(dead, day)} Correct it, or say that it works."


def found_words(dead: Broken | Dead, day: str) -> str:
    """Return why a contact point counts as one that does not work, and since when."""
    if dead.by:
        return f"marked by {dead.by} on {day}."
    return f"{dead.words or f'the provider says {dead.why}'}, found on {day}."


def failure_row(failure: Failure, names: Names, zone: str) -> FailureRow:
    """Return messages that did not go out for one cause, with a patient's name where it fits."""
    thing = _WAYS.get(failure.channel, failure.channel)
    verb = "not delivered" if failure.state is MessageState.FAILED else "not sent"
    first, last = moment(failure.first, zone).text, moment(failure.last, zone).text
    return FailureRow(
        what=f"{failure.count} {thing}{'' if failure.count == 1 else 's'} {verb}",
        why=failure.why or plain_cause(failure.cause) or "no reason was given",
        step=failure.step or _ANY_STEP,
        people=tuple(person(one, names) for one in failure.patients),
        others=failure.people - len(failure.patients),
        span=last if failure.count == 1 else f"{first} to {last}",
        state=str(failure.state),
        channel=failure.channel,
        cause=failure.cause,
        until=failure.last.isoformat(),
    )
