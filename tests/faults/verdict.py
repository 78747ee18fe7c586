"""The verdict: the provider's ledger held against the script's own record. Nothing here reads Keepwell's tables.

Which text must have gone out, and which must not:

- *must*: the time was placed, and answered, before its reminder was due; nobody ever asked to end it; the number never
  said stop. Not in the ledger is **lost**.
- *must not*: the end of it (a cancellation, a move away) was answered before its reminder was due. The timer is deleted
  in the transaction that was answered, so no fault excuses it: in the ledger is **stale**.
- *in flight*: the end was answered after the reminder was due, so a text may be on its way already. Accepted more than
  `BOUND` seconds of service later is **stale**; a second in which something between the order and the provider was hurt
  is not one of service.
- where the provider said of an earlier text that the number is not in use, or a landline, either is right: nothing more
  is sent there until staff have put it right.
- otherwise either is right, for the order was on its way when the reminder fell due.

A reminder of one time that is in the ledger twice is **twice**, whatever else holds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

from keepwell.simulated_clinic.reading import Reader, Reading, Said, when
from services.notifier.model.segments import plain
from services.sandbox.model.keywords import NETWORK_ANSWERS, Keyword
from services.sandbox.report import LedgerView, MessageView
from shared.languages import Language
from tests.faults.record import Fault, Placement, Record, SessionRecord, StopRecord

BOUND: Final = timedelta(seconds=5)
"""Seconds of undisturbed service within which an answered order reaches the last check before a call."""
AFTERMATH: Final = timedelta(seconds=8)
"""How long a fault may go on to be felt after its target works again: a consumer that died is missed for six seconds
(the session timeout), then its group shares the work anew."""
EDGE: Final = timedelta(seconds=0.05)
"""Two processes' views of one instant: an order answered this close to it counts as on its way."""
OPTED_OUT: Final = 21610
NO_SUCH_NUMBER: Final = frozenset({30005, 30006})
"""Twilio's codes for a number that is not in use, and for a landline."""


@dataclass(frozen=True)
class Finding:
    """A broken promise."""

    what: str
    number: str
    why: str


@dataclass
class Verdict:
    """What the ledger says.

    Attributes:
        must, must_not, either: how many reminders were of each kind.
        unreached: reminders that were left out since nothing arrives at their number.
        in_flight: how many of them were accepted after their order's answer, within the bound.
        slowest: seconds from due to accepted.
        overtaken: texts that came after one that was due later, because their own first call had been refused, or had
            no known outcome.
    """

    findings: list[Finding] = field(default_factory=list)
    must: int = 0
    must_not: int = 0
    either: int = 0
    unreached: int = 0
    reminders: int = 0
    replies: int = 0
    in_flight: int = 0
    overtaken: int = 0
    slowest: float = 0.0

    def find(self, what: str, number: str, why: str) -> None:
        self.findings.append(Finding(what, number, why))

    def counts(self) -> dict[str, int]:
        kinds = ("lost", "twice", "stale", "after-stop", "out-of-order", "unread", "unasked")
        return dict.fromkeys(kinds, 0) | Counter(finding.what for finding in self.findings)


def judge(record: Record, ledger: LedgerView, *, called_again: frozenset[str] = frozenset()) -> Verdict:
    """Return the verdict over a round that has become quiet.

    Args:
        record: what the script asked for.
        ledger: what the provider took.
        called_again: ids of messages whose first call was refused, or left without a known outcome; such a text goes
            out later than its turn, and the next ones are not kept waiting for it.
    """
    verdict = Verdict()
    reader = Reader.load()
    read = [(text, reader.text(text.body)) for text in ledger.messages if text.origin == "api"]
    said: dict[tuple[str, str, str], list[MessageView]] = defaultdict(list)
    for text, reading in read:
        if reading.said is Said.REMINDER:
            said[text.to, reading.day, reading.time].append(text)
        elif reading.said is Said.UNREAD:
            verdict.find("unread", text.to, f"{text.sid} says nothing that the catalogue knows")
    verdict.reminders = sum(len(texts) for texts in said.values())
    hurt = _hurt(record.faults)
    dead = {text.to for text in ledger.messages if text.status == "undelivered" and text.error in NO_SUCH_NUMBER}
    times: dict[str, list[tuple[datetime, MessageView]]] = defaultdict(list)
    for session in record.sessions:
        for placement in session.placements:
            day, clock = when(Language(session.language), placement.starts_at, by_mail=False)
            texts = said.pop((session.number, day, clock), [])
            _one(verdict, Case(record, session, placement, hurt, dead=session.number in dead), texts)
            times[session.number] += [(placement.due, text) for text in texts[:1] if placement.due is not None]
    for (number, day, clock), texts in said.items():
        verdict.find("unasked", number, f"{len(texts)} text(s) of {day} {clock}, which no session had")
    _order(verdict, times, called_again)
    _stops(verdict, record.stops, read, ledger)
    _replies(verdict, read, ledger)
    return verdict


def _one(verdict: Verdict, case: "Case", texts: Sequence[MessageView]) -> None:
    number, due = case.session.number, case.placement.due
    placed, over = case.placement.placed, case.over
    if len(texts) > 1:
        told = ", ".join(f"{text.at:%H:%M:%S} {text.sid[-6:]}" for text in texts)
        verdict.find("twice", number, f"{case.name}: {told}")
    first = texts[0] if texts else None
    if due is None or placed.asked > due or (over is not None and over < due - EDGE):
        verdict.must_not += 1
        if first is not None:
            why = "no reminder of it was due any more" if over is None else f"ended at {over:%H:%M:%S}"
            verdict.find("stale", number, f"{case.name}: {why}, accepted at {first.at:%H:%M:%S}")
        return
    if first is not None:
        verdict.slowest = max(verdict.slowest, (first.at - due).total_seconds())
    if case.must:
        verdict.must += 1
        if first is None and case.dead:
            verdict.unreached += 1
        elif first is None:
            verdict.find("lost", number, f"{case.name}: placed at {placed.answered:%H:%M:%S}, in no ledger")
        return
    verdict.either += 1
    if first is not None and over is not None and first.at > over:
        verdict.in_flight += 1
        served = service_between(over, first.at, case.hurt)
        if served > BOUND:
            why = f"ended at {over:%H:%M:%S}, accepted at {first.at:%H:%M:%S} after {served} of service"
            verdict.find("stale", number, f"{case.name}: {why}")


@dataclass(frozen=True)
class Case:
    """A time that a session had, with all that decides over its reminder."""

    record: Record
    session: SessionRecord
    placement: Placement
    hurt: Sequence[tuple[datetime, datetime]]
    dead: bool = False

    @property
    def name(self) -> str:
        """Return how a finding calls it."""
        due = self.placement.due
        return f"{self.placement.starts_at:%d %b %H:%M} due {due:%H:%M:%S}" if due else f"{self.placement.starts_at}"

    @property
    def over(self) -> datetime | None:
        """Return when the order that ended this time was answered."""
        return self.placement.ended.answered if self.placement.ended else None

    @property
    def must(self) -> bool:
        """Tell whether its reminder must have gone out."""
        due, answered = self.placement.due, self.placement.placed.answered
        if due is None or answered is None or self.placement.ended is not None:
            return False
        return answered < due - EDGE and not _stopped(self.record, self.session.number, due)


def _stopped(record: Record, number: str, due: datetime) -> bool:
    """Tell whether a number wanted no texts, or may have, at any time from a reminder's due time on."""
    for stop in record.stops:
        if stop.number != number:
            continue
        back = stop.start.answered if stop.start else None
        if back is None or not stop.clean or back >= due - EDGE:
            return True
    return False


def _hurt(faults: Iterable[Fault]) -> list[tuple[datetime, datetime]]:
    """Return the spans in which something on the way of a reminder was hurt, joined where they touch."""
    spans = sorted(
        (fault.began, fault.healed + AFTERMATH) for fault in faults if fault.target not in {"clinic", "assessments"}
    )
    joined: list[tuple[datetime, datetime]] = []
    for began, ended in spans:
        if joined and began <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ended))
        else:
            joined.append((began, ended))
    return joined


def service_between(since: datetime, until: datetime, hurt: Sequence[tuple[datetime, datetime]]) -> timedelta:
    """Return how much of a span nothing was hurt in."""
    served = until - since
    for began, ended in hurt:
        overlap = min(until, ended) - max(since, began)
        served -= max(overlap, timedelta())
    return served


def _order(
    verdict: Verdict, times: dict[str, list[tuple[datetime, MessageView]]], called_again: frozenset[str]
) -> None:
    """Hold the order in which each handset got its reminders against the order in which they were due."""
    for number, pairs in times.items():
        by_due = sorted(pairs, key=lambda pair: pair[0])
        for index, (due, text) in enumerate(by_due):
            if not any(after > due and other.at < text.at for after, other in by_due[index + 1 :]):
                continue
            if message_of(text) in called_again:
                verdict.overtaken += 1
            else:
                why = f"due {due:%H:%M}, accepted {text.at:%H:%M:%S}, after one that was due later"
                verdict.find("out-of-order", number, why)


def message_of(text: MessageView) -> str:
    """Return Keepwell's own id of a text, as the provider was given it to report by."""
    return parse_qs(urlsplit(text.status_callback or "").query).get("message", [""])[0]


def _stops(
    verdict: Verdict, stops: Sequence[StopRecord], read: Sequence[tuple[MessageView, Reading]], ledger: LedgerView
) -> None:
    """Look for texts, and for calls that the network itself had to refuse, after a stop that Keepwell had answered."""
    for stop in stops:
        since = stop.stop.answered
        if since is None:
            continue
        until = stop.start.asked if stop.start else ledger.now
        for text, reading in read:
            sent = text.to == stop.number and since + BOUND < text.at < until
            if sent and reading.said is not Said.STOPPED:
                verdict.find("after-stop", stop.number, f"{text.sid} at {text.at:%H:%M:%S}, stop at {since:%H:%M:%S}")
        for call in ledger.refused:
            if call.to == stop.number and call.code == OPTED_OUT and since + BOUND < call.at < until:
                verdict.find("after-stop", stop.number, f"the network refused a call at {call.at:%H:%M:%S}")


NETWORKS_HELP: Final = NETWORK_ANSWERS[Keyword.HELP]
"""What the stand-in network answers to HELP by itself."""


def _replies(verdict: Verdict, read: Sequence[tuple[MessageView, Reading]], ledger: LedgerView) -> None:
    """Count the answers to HELP: one for each that Keepwell took, none more; the network's own counts as one."""
    reader = plain("we text about your visits"), plain("le escribimos sobre sus citas")
    answers = Counter(text.to for text, reading in read if reading.said is Said.REPLY and _is_help(text.body, reader))
    asked = Counter(inbound.sender for inbound in ledger.inbound if inbound.body == "HELP")
    taken = Counter(inbound.sender for inbound in ledger.inbound if inbound.body == "HELP" and inbound.answer == 200)
    verdict.replies = sum(reading.said is Said.REPLY for _, reading in read)
    # A network that answers HELP says so with the word, and what it answered is not answered again.
    by_network = Counter(text.to for text in ledger.messages if text.origin == "network" and text.body == NETWORKS_HELP)
    for number in asked:
        if answers[number] + by_network[number] < taken[number]:
            verdict.find("lost", number, f"{taken[number]} HELP were taken, {answers[number]} were answered")
        if answers[number] > asked[number]:
            verdict.find("twice", number, f"{asked[number]} HELP were sent, {answers[number]} were answered")


def _is_help(body: str, phrases: Iterable[str]) -> bool:
    return any(phrase.casefold() in body.casefold() for phrase in phrases)
