"""The two sides of the account: what the sandbox's ledger holds, and what the interface tells of itself."""

import asyncio
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from keepwell.simulated_clinic import courses
from keepwell.simulated_clinic.counter import AlertSeen, CheckinSeen, Counter, MessageSeen, ProposalSeen
from keepwell.simulated_clinic.courses import Course
from keepwell.simulated_clinic.dues import Alarm, dues_of, pages_of
from keepwell.simulated_clinic.reading import Reader
from keepwell.simulated_clinic.record import Chart
from keepwell.simulated_clinic.verdict import Channel, Message, Note, Stop, Verdict, check_ledger
from services.sandbox.entries import Origin
from services.sandbox.model.keywords import Keyword, keyword_in
from services.sandbox.network import OPTED_OUT
from services.sandbox.readable_mail import readable_mail
from services.sandbox.service import SandboxService


@dataclass(frozen=True)
class Account:
    """All that is known at the end.

    Attributes:
        checkins: check-ins by state.
        alerts: how many were raised.
        courses: each patient's measures and proposals.
        plan_changes: how often a plan changed after its start.
    """

    verdict: Verdict
    checkins: Tally[str]
    alerts: int
    courses: Sequence[Course]
    plan_changes: int

    def counts(self) -> dict[str, object]:
        """Return the report, without the time that it took."""
        verdict = self.verdict
        return {
            "due": verdict.due,
            "accepted": verdict.accepted,
            "delivered": verdict.delivered,
            "withheld": dict(sorted(verdict.withheld.items())),
            "lost": verdict.count("lost"),
            "twice": verdict.count("twice"),
            "stale": verdict.count("stale"),
            "after_stop": verdict.count("after_stop"),
            "replies": verdict.replies,
            "checkins": {
                "opened": self.checkins.total(),
                "completed": self.checkins["completed"],
                "expired": self.checkins["expired"],
            },
            "alerts": self.alerts,
            **courses.counts(self.courses),
            "plan_changes": self.plan_changes,
        }


async def close_books(charts: Sequence[Chart], counter: Counter, phones: SandboxService, until: datetime) -> Account:
    """Read both sides and judge.

    Args:
        charts: the desk's record.
        counter: for what the interface tells.
        phones: whose ledger is the truth about what was sent.
        until: the end of the time that is judged.
    """
    by_patient = {chart.patient: chart.person.index for chart in charts}
    alerts = await counter.every(AlertSeen, "alerts")
    told = await asyncio.gather(*(_told(counter, chart) for chart in charts))
    alarms = [
        Alarm(
            alert.id,
            by_patient[alert.patient],
            alert.raised_at,
            alert.acknowledged_at or alert.closed_at,
            alert.closed_at,
            alert.level,
        )
        for alert in alerts
        if alert.patient is not None
    ]
    dues = [due for chart in charts for due in dues_of(chart, until)] + pages_of(alarms, until)
    verdict = check_ledger(
        charts,
        dues,
        messages_of(phones),
        notes=[note for notes, _, _ in told for note in notes],
        stops=stops_of(phones),
        refused=[(call.to, call.at) for call in phones.ledger.refused if call.code == OPTED_OUT],
    )
    return Account(
        verdict=verdict,
        checkins=Tally(checkin.state for _, checkins, _ in told for checkin in checkins),
        alerts=len(alerts),
        courses=[
            Course(chart.induced(until.date()), checkins, proposals)
            for chart, (_, checkins, proposals) in zip(charts, told, strict=True)
        ],
        plan_changes=sum(chart.seen[-1].version - chart.seen[0].version for chart in charts),
    )


async def _told(counter: Counter, chart: Chart) -> tuple[list[Note], list[CheckinSeen], list[ProposalSeen]]:
    where = f"patients/{chart.patient}"
    messages = await counter.every(MessageSeen, f"{where}/messages")
    notes = [
        Note(
            chart.person.index,
            message.purpose,
            message.about or "",
            message.occurrence,
            message.due_at,
            message.state,
            message.reason or message.error or "",
        )
        for message in messages
    ]
    checkins = await counter.every(CheckinSeen, f"{where}/checkins")
    return notes, checkins, await counter.every(ProposalSeen, f"{where}/proposals")


def messages_of(phones: SandboxService) -> list[Message]:
    """Return the texts and e-mails that Keepwell sent, oldest first; the network's own answers are not among them."""
    reader = Reader.load()
    ledger, network = phones.ledger, phones.network
    texts = [
        Message(
            text.sid,
            Channel.SMS,
            text.to,
            text.at,
            reader.text(text.body),
            network.shown_at(text) is not None,
        )
        for text in ledger.texts.values()
        if text.origin is not Origin.NETWORK
    ]
    mails = [
        Message(letter.id, Channel.EMAIL, to, letter.at, reader.mail(letter.text), delivered=True)
        for letter in map(readable_mail, ledger.mails.values())
        for to in letter.recipients
    ]
    return sorted([*texts, *mails], key=lambda message: message.at)


def stops_of(phones: SandboxService) -> list[Stop]:
    """Return the spans in which numbers had said STOP, and Keepwell had been told so."""
    return [stop for number in sorted(phones.ledger.inbound_of) for stop in _stops(phones, number)]


def _stops(phones: SandboxService, number: str) -> Iterable[Stop]:
    since: datetime | None = None
    for text in phones.ledger.inbound_of[number]:
        word = keyword_in(text.body)
        if word is Keyword.STOP and since is None:
            since = text.at
        elif word is Keyword.START and since is not None:
            yield Stop(number, since, text.at)
            since = None
    if since is not None:
        yield Stop(number, since, None)
