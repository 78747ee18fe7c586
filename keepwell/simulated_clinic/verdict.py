"""The verdict: what had to be said against what the network's ledger holds. Pure; everything is handed in.

Every due message ends in exactly one of three ways: accepted (a text or an e-mail that says it is in the ledger),
withheld (not in the ledger, and the interface gives a reason), or lost.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from keepwell.simulated_clinic.dues import REMINDER_DAYS, Due, Kind, reminder_at
from keepwell.simulated_clinic.reading import Reading, Said, when
from keepwell.simulated_clinic.record import Chart


class Channel(StrEnum):
    """How a message travelled."""

    SMS = "sms"
    EMAIL = "email"


@dataclass(frozen=True)
class Message:
    """A text or an e-mail that the ledger holds.

    Attributes:
        name: its id in the ledger.
        to: number or address.
        at: when it was accepted.
        delivered: whether it reached the handset or the mailbox.
    """

    name: str
    channel: Channel
    to: str
    at: datetime
    reading: Reading
    delivered: bool


@dataclass(frozen=True)
class Note:
    """A message as the interface tells of it: state, and why it waits or was not sent."""

    patient: int
    kind: str
    about: str
    occurrence: str
    due_at: datetime
    state: str
    reason: str


@dataclass(frozen=True)
class Stop:
    """A span in which a number had said STOP; `until` is None where it never said START again."""

    number: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Finding:
    """Something that must not be: what, about which message, and why it is wrong."""

    what: str
    patient: int | None
    name: str
    why: str


@dataclass
class Verdict:
    """The outcome; `findings` has a line for each lost, doubled, stale and after-stop message."""

    due: int = 0
    accepted: int = 0
    delivered: int = 0
    withheld: Counter[str] = field(default_factory=Counter)
    replies: int = 0
    findings: list[Finding] = field(default_factory=list)

    def count(self, what: str) -> int:
        return sum(finding.what == what for finding in self.findings)

    @property
    def clean(self) -> bool:
        """Tell whether nothing was lost, doubled, stale or sent after a stop."""
        return not self.findings


LOST, TWICE, STALE, AFTER_STOP = "lost", "twice", "stale", "after_stop"
IN_THE_SAME_INSTANT: Final = timedelta(minutes=1)
"""How long after it fell due a page that need not have gone out is still taken for it."""
CLOSED: Final = frozenset({"withheld", "expired"})
FAILED: Final = frozenset({"failed", "undelivered"})
_Key = tuple[Due, Channel]


def check_ledger(
    charts: Iterable[Chart],
    dues: Sequence[Due],
    messages: Sequence[Message],
    *,
    notes: Sequence[Note],
    stops: Sequence[Stop] = (),
    refused: Sequence[tuple[str, datetime]] = (),
) -> Verdict:
    """Hold the ledger against the record.

    Args:
        charts: the desk's record.
        dues: all that had to be said.
        messages: all that the ledger holds, oldest first.
        notes: what the interface tells of its messages.
        stops: when numbers had said STOP.
        refused: number and instant of each call that the network refused because of a STOP.
    """
    verdict = Verdict()
    matcher = _Matcher(verdict, charts, dues)
    for message in messages:
        matcher.take(message)
    _close(verdict, dues, matcher.said, notes)
    _after_stop(verdict, messages, stops, refused)
    return verdict


class _Matcher:
    """Gives each message of the ledger the due one that it says."""

    def __init__(self, verdict: Verdict, charts: Iterable[Chart], dues: Sequence[Due]) -> None:
        self._verdict = verdict
        self._charts: dict[str, Chart] = {}
        for chart in charts:
            self._charts[chart.person.number] = chart
            if chart.person.email is not None:
                self._charts[chart.person.email] = chart
        self._open: dict[tuple[Kind, int], list[Due]] = defaultdict(list)
        self._reminders: dict[tuple[int, str, int, str], Due] = {}
        self._pages: list[Due] = []
        self._pages_missed = 0
        for due in sorted(dues, key=lambda one: (one.at, one.patient, one.about, one.occurrence)):
            if due.kind is Kind.PAGE:
                self._pages.append(due)
            elif due.kind is Kind.REMINDER:
                self._reminders[due.patient, due.about, due.placement, due.occurrence] = due
            else:
                self._open[due.kind, due.patient].append(due)
        self._links: set[tuple[str, Channel]] = set()
        self.said: dict[_Key, Message] = {}

    def take(self, message: Message) -> None:
        said = message.reading.said
        if said in {Said.REPLY, Said.STOPPED, Said.NOTICE}:
            self._verdict.replies += 1
        elif said is Said.PAGE:
            self._page(message)
        elif (chart := self._charts.get(message.to)) is None:
            self._find(STALE, message, None, "it went to nobody whom the desk enrolled")
        elif chart.discharged_at is not None and message.at > chart.discharged_at:
            self._find(STALE, message, chart, f"the patient had left ({said})")
        elif said is Said.REMINDER:
            self._reminder(message, chart)
        elif said in {Said.CHECKIN, Said.BOOKING}:
            self._asked(message, chart, Kind(said.value))
        else:
            self._find(STALE, message, chart, "it is no text of Keepwell's catalogue")

    def _reminder(self, message: Message, chart: Chart) -> None:
        named = (message.reading.day, message.reading.time)
        by_mail = message.channel is Channel.EMAIL
        for visit in chart.visits:
            for number, placement in enumerate(visit.placements):
                told = when(chart.person.language, placement.starts_at, by_mail=by_mail)
                if told == named and placement.holds_at(message.at):
                    begun = [days for days in REMINDER_DAYS if message.at >= reminder_at(placement, days)]
                    occurrence = f"{min(begun, default=max(REMINDER_DAYS))}d"
                    due = self._reminders.get((chart.person.index, visit.session, number, occurrence))
                    self._assign(message, due, chart)
                    return
        self._find(STALE, message, chart, f"no session was booked on {named[0]} at {named[1]} when it was accepted")

    def _asked(self, message: Message, chart: Chart, kind: Kind) -> None:
        link = message.reading.link
        if link and (link, message.channel) in self._links:
            self._find(TWICE, message, chart, "the same link was sent before")
            return
        self._links.add((link, message.channel))
        before = [due for due in self._open[kind, chart.person.index] if due.at <= message.at]
        self._assign(message, before[-1] if before else None, chart)

    def _page(self, message: Message) -> None:
        # All pages say the same: the oldest that is still unsaid is the one, as the on-call person would count.
        waiting = [
            due
            for due in self._pages
            if due.at <= message.at
            and (due.must or message.at - due.at < IN_THE_SAME_INSTANT)
            and (due, message.channel) not in self.said
        ]
        if waiting:
            self.said[waiting[0], message.channel] = message
        elif self._pages_missed:
            self._pages_missed -= 1
        else:
            self._find(TWICE, message, None, "no page was due that had not gone out")
        # One that did not arrive is followed by another before its time.
        self._pages_missed += not message.delivered

    def _assign(self, message: Message, due: Due | None, chart: Chart) -> None:
        if due is None:
            self._find(STALE, message, chart, f"no {message.reading.said} was due")
        elif (due, message.channel) in self.said:
            self._find(TWICE, message, chart, f"{due.kind} {due.occurrence} was accepted before")
        else:
            self.said[due, message.channel] = message

    def _find(self, what: str, message: Message, chart: Chart | None, why: str) -> None:
        index = None if chart is None else chart.person.index
        self._verdict.findings.append(Finding(what, index, message.name, f"{why}, at {message.at.isoformat()}"))


def _close(verdict: Verdict, dues: Sequence[Due], said: Mapping[_Key, Message], notes: Sequence[Note]) -> None:
    """Count each due message once: accepted, withheld with its reason, or lost."""
    told: dict[tuple[int, str, str], list[Note]] = defaultdict(list)
    for note in notes:
        told[note.patient, note.kind, note.occurrence].append(note)
    for due in dues:
        held = [said[due, channel] for channel in Channel if (due, channel) in said]
        verdict.due += bool(held) or due.must
        if held:
            verdict.accepted += 1
            verdict.delivered += any(message.delivered for message in held)
            continue
        if not due.must:
            continue
        reason = _reason([note for note in told[due.patient, due.kind, due.occurrence] if _speaks_of(note, due)])
        if reason is None:
            why = f"{due.kind} {due.occurrence} of {due.at.isoformat()} left no text and no reason"
            verdict.findings.append(Finding(LOST, due.patient, due.about, why))
        else:
            verdict.withheld[reason] += 1


def _speaks_of(note: Note, due: Due) -> bool:
    """Tell whether a note is about a due message; one that still waits shows the instant of its next try."""
    if due.kind in {Kind.REMINDER, Kind.PAGE} and note.about != due.about:
        return False
    return note.due_at >= due.at if note.state == "planned" else note.due_at == due.at


def _reason(notes: Sequence[Note]) -> str | None:
    """Return why a message is not in the ledger, as its own record says; None where it says nothing."""
    for note in notes:
        if note.state in CLOSED and note.reason:
            return note.reason
    for note in notes:
        if note.state == "planned" and note.reason:
            return f"waits_{note.reason}"
        if note.state in FAILED and note.reason:
            return f"failed_{note.reason}"
    return None


def _after_stop(
    verdict: Verdict,
    messages: Sequence[Message],
    stops: Sequence[Stop],
    refused: Sequence[tuple[str, datetime]],
) -> None:
    spans: dict[str, list[Stop]] = defaultdict(list)
    for stop in stops:
        spans[stop.number].append(stop)

    def stopped(number: str, at: datetime) -> bool:
        return any(stop.since < at and (stop.until is None or at < stop.until) for stop in spans[number])

    for message in messages:
        # One text that confirms the stop is allowed, and comes at the instant of the stop or after it.
        confirms = message.reading.said is Said.STOPPED
        if message.channel is Channel.SMS and not confirms and stopped(message.to, message.at):
            why = f"the number had said STOP before {message.at.isoformat()}"
            verdict.findings.append(Finding(AFTER_STOP, None, message.name, why))
    for number, at in refused:
        if stopped(number, at):
            why = f"the network had to refuse a text at {at.isoformat()}"
            verdict.findings.append(Finding(AFTER_STOP, None, "", why))
