"""Rows that several pages show: an alert, a check-in, a proposal, a reply, a message that did not go out."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from services.clinic.model.reads import (
    Alert,
    AlertState,
    Checkin,
    CheckinState,
    Message,
    Proposal,
    ProposalState,
    Reply,
    Source,
)
from services.clinic.views.parts import (
    Chip,
    Person,
    Shelf,
    Tone,
    day_moment,
    days,
    message_chip,
    moment,
    proposal_chip,
    say_date,
    say_instrument,
    say_occurrence,
)
from services.clinic.views.patient import ProposalView
from services.clinic.views.today import AlertRow, CheckinRow, ProposalRow, ReplyRow, TroubleRow
from shared.ids import PatientId

Names = Mapping[PatientId, str]
Sources = Mapping[str, tuple[Source, ...]]

T = TypeVar("T")
SHOWN: Final = 8
"""Rows of a kind that a patient's page shows unfolded."""
LADDER: Final = (7, 14, 21, 28, 42, 56, 84)
"""Rungs offered when a clinician changes an interval; from the IV protocol (docs of the scheduler's catalogue)."""

_INTENTS: Final = {
    "confirm": Chip("confirms", Tone.GOOD),
    "stop": Chip("stop", Tone.DANGER),
    "start": Chip("start", Tone.INFO),
    "help": Chip("help", Tone.WARN),
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
_REASONS: Final = {
    "discharged": "the patient was discharged",
    "no_address": "there is no contact point for it",
    "no_consent": "no consent for this purpose",
    "opted_out": "the patient said STOP",
    "session_moved": "the session was moved in the meantime",
    "session_over": "the session is over or cancelled",
    "checkin_closed": "the check-in is already closed",
    "alert_closed": "the alert is already closed",
    "already_booked": "the next session is already booked",
    "superseded": "a newer message took its place",
    "too_late": "it was too late to be of use",
    "quiet_hours": "it would have arrived in quiet hours",
    "daily_limit": "too many messages on one day",
    "answered_today": "the patient has already answered today",
    "30003": "the phone could not be reached",
    "30004": "the phone blocks these texts",
    "30005": "the number is not in use",
    "30006": "the number is a landline and takes no texts",
    "30007": "the carrier filtered it",
    "21610": "the patient said STOP to the carrier",
}
_DIRECTIONS: Final = {"shorten": "Shorten", "hold": "Hold", "lengthen": "Lengthen"}
_CHECKINS: Final = {
    CheckinState.OPEN: Chip("waits", Tone.WARN),
    CheckinState.PARTIAL: Chip("begun", Tone.WARN),
    CheckinState.COMPLETED: Chip("answered", Tone.GOOD),
    CheckinState.EXPIRED: Chip("not answered", Tone.DANGER),
}


def person(patient: PatientId, names: Names) -> Person:
    """Return a patient for a page."""
    return Person(patient, names.get(patient, "Unknown patient"))


def alert_row(alert: Alert, names: Names, zone: str) -> AlertRow:
    """Return an alert; a page is never called received before somebody acknowledged it."""
    paged = "The person on call was paged" + (f" {alert.pages} times." if alert.pages > 1 else ".")
    if alert.state is AlertState.OPEN:
        paged += " Nobody has acknowledged it yet."
    handled = None
    if alert.by and alert.at:
        verb = "Closed" if alert.state is AlertState.CLOSED else "Acknowledged"
        handled = f"{verb} by {alert.by}, {moment(alert.at, zone).text}"
    return AlertRow(
        id=alert.id,
        version=alert.version,
        person=person(alert.patient, names),
        level=Chip(alert.level.replace("_", " "), Tone.DANGER),
        cause=alert.cause,
        raised=moment(alert.raised_at, zone),
        paged=handled if handled and alert.state is AlertState.ACKNOWLEDGED else paged,
        state=Chip(str(alert.state)),
        can_acknowledge=alert.state is AlertState.OPEN,
        closed=handled if alert.state is AlertState.CLOSED else None,
        disposition=alert.disposition,
    )


def checkin_row(checkin: Checkin, names: Names) -> CheckinRow:
    """Return a check-in."""
    asked = " and ".join(say_instrument(instrument) for instrument in checkin.instruments)
    return CheckinRow(
        id=checkin.id,
        waits=checkin.state in {CheckinState.OPEN, CheckinState.PARTIAL},
        person=person(checkin.patient, names),
        what=f"{asked}, {say_occurrence(checkin.occurrence)}" if checkin.occurrence else asked,
        asked=day_moment(checkin.asked_for),
        state=_CHECKINS[checkin.state],
    )


def change_text(proposal: Proposal) -> str:
    """Return `Lengthen: 14 days → 21 days`."""
    if proposal.from_days == proposal.to_days:
        return f"{_direction(proposal)} at {days(proposal.from_days)}"
    return f"{_direction(proposal)}: {days(proposal.from_days)} → {days(proposal.to_days)}"


def _direction(proposal: Proposal) -> str:
    return "Review, hold" if proposal.review else _DIRECTIONS[proposal.direction]


def proposal_row(proposal: Proposal, names: Names, zone: str) -> ProposalRow:
    """Return a proposal in a line, with its first reason."""
    return ProposalRow(
        id=proposal.id,
        person=person(proposal.patient, names),
        change=change_text(proposal),
        reason=proposal.reasons[0] if proposal.reasons else "",
        expires=moment(proposal.expires_at, zone),
        state=proposal_chip(proposal.state),
    )


def proposal_view(proposal: Proposal, names: Names, zone: str, sources: Sources) -> ProposalView:
    """Return a proposal with all that its decision needs; `sources` are those of every rule that is known."""
    decided = None
    if proposal.by and proposal.at:
        given = f", {days(proposal.decided_days)}" if proposal.decided_days else ""
        decided = f"{str(proposal.state).capitalize()} by {proposal.by}, {moment(proposal.at, zone).text}{given}"
    return ProposalView(
        id=proposal.id,
        version=proposal.version,
        person=person(proposal.patient, names),
        state=proposal_chip(proposal.state),
        open=proposal.state is ProposalState.OPEN,
        change=change_text(proposal),
        direction=_direction(proposal),
        holds=proposal.from_days == proposal.to_days,
        from_days=days(proposal.from_days),
        to_days=days(proposal.to_days),
        to_number=proposal.to_days,
        reasons=proposal.reasons,
        evidence=tuple(f"{say_date(one.asked_for)}: PHQ-9 {one.total}" for one in proposal.evidence),
        rule=f"{proposal.rule}, version {proposal.rule_version}",
        sources=sources.get(proposal.rule, ()),
        expires=moment(proposal.expires_at, zone),
        decided=decided,
        ladder=tuple(sorted({*LADDER, proposal.to_days, proposal.from_days})),
    )


def intent_chip(intent: str) -> Chip:
    """Return what a text from a patient asks for."""
    return _INTENTS.get(intent, Chip(intent.replace("-", " "), Tone.ACCENT))


def first_of(rows: Sequence[T]) -> Shelf[T]:
    """Return rows, the newest first, as a page shows them: a few, and the earlier ones folded away."""
    return Shelf(tuple(rows[:SHOWN]), tuple(rows[SHOWN:]))


def reply_row(reply: Reply, names: Names, zone: str) -> ReplyRow:
    """Return a text from a patient."""
    return ReplyRow(
        id=reply.id,
        person=None if reply.patient is None else person(reply.patient, names),
        sender=reply.sender,
        text=reply.text,
        at=moment(reply.at, zone),
        intent=intent_chip(reply.intent),
        notes=tuple(_REPLY_NOTES[flag] for flag in reply.flags if flag in _REPLY_NOTES),
    )


def message_words(message: Message) -> str:
    """Return what a message was: `Reminder by text, 1 day before`."""
    channel = "text" if message.channel == "sms" else "e-mail"
    when = f", {say_occurrence(message.occurrence)}" if message.purpose in {"reminder", "checkin"} else ""
    return f"{_PURPOSES.get(message.purpose, message.purpose)} by {channel}{when}"


def why_words(message: Message) -> str | None:
    """Return why a message was withheld or failed, in words."""
    told = message.reason or message.error
    return _REASONS.get(told, told.replace("_", " ")) if told else None


def trouble_row(message: Message, names: Names, zone: str) -> TroubleRow:
    """Return a message that did not go out."""
    return TroubleRow(
        person=person(message.patient, names) if message.patient else None,
        what=message_words(message),
        why=why_words(message) or "no reason was given",
        at=moment(message.at, zone),
        state=message_chip(message.state),
    )
