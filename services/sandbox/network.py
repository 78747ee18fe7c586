"""The phone network: takes texts for handsets, tells what becomes of them, and brings texts from handsets."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from services.sandbox.caller import Caller
from services.sandbox.entries import (
    CallbackSent,
    CallRefused,
    Origin,
    Source,
    TextAccepted,
    TextHandedOver,
    TextReceived,
    Tuned,
)
from services.sandbox.ledger import Ledger
from services.sandbox.model.chance import digest
from services.sandbox.model.keywords import NETWORK_ANSWERS, Keyword, keyword_in
from services.sandbox.model.profiles import Fault, Mark, Profile
from services.sandbox.model.script import Notice, Script, Stage, Status, fault_of, marks_of, write_script
from services.sandbox.model.texts import pattern, segments
from services.sandbox.settings import SandboxSettings
from services.sandbox.timers import Timers
from services.sandbox.twiml import read_answer
from shared.clock import Clock

API_VERSION: Final = "2010-04-01"
OPTED_OUT: Final = 21610

OnText = Callable[[TextAccepted], None]


@dataclass(frozen=True)
class TextCall:
    """A call that asks the network to take a text."""

    to: str
    sender: str
    body: str
    service: str | None = None
    callback: str | None = None

    @property
    def key(self) -> str:
        """Return what the call is about, the same in every run of a seed."""
        return digest(self.to, self.sender, pattern(self.body))


@dataclass(frozen=True)
class Begun:
    """A call that has begun: what will happen to it, and which one about the same thing it is."""

    call: TextCall
    attempt: int
    fault: Fault | None
    marks: frozenset[Mark]


@dataclass(frozen=True)
class FaultOrder:
    """A wish that the next calls go wrong in a certain way.

    Attributes:
        to: number of the handset; None for any.
        fault: what happens to the call; None for nothing.
        marks: what happens to the text and its callbacks.
        times: how many calls.
    """

    to: str | None
    fault: Fault | None
    marks: frozenset[Mark]
    times: int


def ignore(_text: TextAccepted) -> None:
    """Do nothing about a text: nobody virtual holds the handset."""


def _on_grid(instant: datetime, seconds: int) -> datetime:
    """Return the first whole multiple of `seconds` at or after an instant; with 1, the instant itself."""
    late = instant.timestamp() % seconds
    return instant if seconds == 1 or not late else instant + timedelta(seconds=seconds - late)


class Network:
    """The stand-in phone network over one ledger.

    Attributes:
        inbound_url: where texts from handsets go.
        grid: seconds; callbacks are told at the next whole multiple. Each distinct instant is a step of trial time, so
            that a simulation of months lives with a coarse grid.
        in_flight: texts from handsets that are being handed over.
        on_text: told of every text that was taken.
    """

    def __init__(self, settings: SandboxSettings, clock: Clock, ledger: Ledger, timers: Timers, caller: Caller) -> None:
        self._settings = settings
        self._clock = clock
        self._ledger = ledger
        self._timers = timers
        self._caller = caller
        self._orders: deque[FaultOrder] = deque()
        self._order_used: Counter[FaultOrder] = Counter()
        self.inbound_url = settings.inbound_url
        self.grid = 1
        self.in_flight = 0
        self.on_text: OnText = ignore

    def tune(self, profile: Profile, seed: int) -> None:
        """Have the network behave like this from now on; texts that were taken before keep their course."""
        self._ledger.record(Tuned(profile=profile, seed=seed))

    def order(self, order: FaultOrder) -> None:
        """Have the next calls go wrong, whatever the profile says. Orders are forgotten at a restart."""
        self._orders.append(order)

    def forget_orders(self) -> None:
        """Take back what was ordered and has not happened yet."""
        self._orders.clear()
        self._order_used.clear()

    def blocked(self, call: TextCall) -> bool:
        """Tell whether the handset said STOP to this sender, or to its messaging service."""
        return any((sender, call.to) in self._ledger.blocked for sender in (call.service, call.sender) if sender)

    def begin(self, call: TextCall) -> Begun:
        """Draw what happens to a call."""
        ledger = self._ledger
        attempt = ledger.next_attempt(call.key)
        order = self._take_order(call.to)
        if order is not None:
            return Begun(call, attempt, order.fault, order.marks)
        key = digest(call.key, ledger.accepted[call.key])
        return Begun(
            call,
            attempt,
            fault_of(ledger.profile, ledger.seed, call.key, attempt),
            marks_of(ledger.profile, ledger.seed, call.to, key),
        )

    def begin_list(self, to: str) -> Fault | None:
        """Draw what happens to a call that lists texts."""
        ledger = self._ledger
        key = digest("list", to)
        return fault_of(ledger.profile, ledger.seed, key, ledger.next_attempt(key))

    def _take_order(self, to: str) -> FaultOrder | None:
        order = next((one for one in self._orders if one.to in {None, to}), None)
        if order is not None:
            self._order_used[order] += 1
            if self._order_used[order] >= order.times:
                self._orders.remove(order)
                del self._order_used[order]
        return order

    def refuse(self, call: TextCall, code: int, begun: Begun | None = None) -> None:
        """Keep on record that a call brought no text."""
        self._ledger.record(
            CallRefused(
                at=self._clock.now(),
                to=call.to,
                sender=call.service or call.sender,
                code=code,
                fault=begun.fault if begun else None,
                call=call.key if begun else "",
                attempt=begun.attempt if begun else 0,
            )
        )

    def accept(self, begun: Begun) -> TextAccepted:
        """Take a text: from here on it is in the ledger, whatever the caller gets to hear."""
        ledger, call = self._ledger, begun.call
        number = ledger.accepted[call.key]
        key = digest(call.key, number)
        text = TextAccepted(
            sid=ledger.name("SM", call.key, number),
            to=call.to,
            sender=call.sender,
            service=call.service,
            body=call.body,
            at=self._clock.now(),
            key=key,
            call=call.key,
            attempt=begun.attempt,
            origin=Origin.API,
            callback=call.callback,
            fault=begun.fault,
            script=write_script(ledger.profile, ledger.seed, call.to, key, begun.marks),
        )
        ledger.record(text)
        self._schedule(text)
        self.on_text(text)
        return text

    def stage(self, text: TextAccepted) -> Stage:
        """Return the state that a text is in now."""
        return text.script.stage_at(text.at, self._clock.now())

    def resume(self) -> None:
        """Take up the callbacks that the ledger has still to send."""
        for text in self._ledger.texts.values():
            self._schedule(text)

    def _schedule(self, text: TextAccepted) -> None:
        if text.callback is None:
            return
        done = self._ledger.callbacks.get(text.sid, {})
        for index, notice in enumerate(text.script.notices):
            if index not in done:
                due = _on_grid(text.at + timedelta(seconds=notice.after), self.grid)
                self._timers.add(due, f"{text.sid}/{index:02}", text.sid, partial(self._tell, text, index, notice))

    async def _tell(self, text: TextAccepted, index: int, notice: Notice) -> None:
        params = {
            "AccountSid": self._settings.account_sid,
            "ApiVersion": API_VERSION,
            "From": text.sender,
            "To": text.to,
            "MessageSid": text.sid,
            "MessageStatus": notice.status.value,
            "SmsSid": text.sid,
            "SmsStatus": notice.status.value,
        }
        if notice.error is not None:
            params["ErrorCode"] = str(notice.error)
        if text.service is not None:
            params["MessagingServiceSid"] = text.service
        token = self._ledger.name("", text.sid, index)
        posted = await self._caller.webhook(text.callback or "", params, token=token, forged=notice.forged)
        if self._ledger.texts.get(text.sid) is not text:
            return  # the ledger was begun anew meanwhile
        self._ledger.record(
            CallbackSent(
                sid=text.sid,
                index=index,
                status=notice.status,
                forged=notice.forged,
                at=self._clock.now(),
                tries=posted.tries,
                answer=posted.answer.status if posted.answer else None,
            )
        )

    def senders_of(self, number: str) -> tuple[str, str | None]:
        """Return the number, and the messaging service if any, that a handset's text goes to: the last that wrote."""
        mine = [text for text in self._ledger.texts_of.get(number, []) if text.origin is Origin.API]
        return (mine[-1].sender, mine[-1].service) if mine else (self._settings.phone, None)

    async def receive(self, number: str, body: str, *, source: Source, to: str | None = None) -> TextHandedOver:
        """Bring a text from a handset to Keepwell, and what Keepwell answers back to the handset.

        The network itself heeds the single words STOP, START and HELP, before anybody else sees them.
        """
        last, service = self.senders_of(number)
        text = TextReceived(
            sid=self._ledger.name("SM", "inbound", number, len(self._ledger.inbound_of.get(number, []))),
            number=number,
            to=to or last,
            service=service if to in {None, last} else None,
            body=body,
            at=self._clock.now(),
            source=source,
        )
        self._ledger.record(text)
        word = keyword_in(body)
        if word is not None:
            self._answer(text, NETWORK_ANSWERS[word], Origin.NETWORK, 0)
        self.in_flight += 1
        try:
            return await self._hand_over(text, word)
        finally:
            self.in_flight -= 1

    async def _hand_over(self, text: TextReceived, word: Keyword | None) -> TextHandedOver:
        if self.inbound_url is None:
            done = TextHandedOver(sid=text.sid, at=text.at, tries=0, answer=None, problem="No webhook is set.")
            self._ledger.record(done)
            return done
        params = {
            "AccountSid": self._settings.account_sid,
            "ApiVersion": API_VERSION,
            "Body": text.body,
            "From": text.number,
            "To": text.to,
            "MessageSid": text.sid,
            "SmsMessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsStatus": "received",
            "NumMedia": "0",
            "NumSegments": str(segments(text.body)),
        }
        if text.service is not None:
            params["MessagingServiceSid"] = text.service
        if word is not None:
            params["OptOutType"] = word.name
        posted = await self._caller.webhook(self.inbound_url, params, token=self._ledger.name("", text.sid))
        answers = read_answer(posted.answer.body) if posted.answer and posted.answer.status < 300 else []  # noqa: PLR2004
        done = TextHandedOver(
            sid=text.sid,
            at=self._clock.now(),
            tries=posted.tries,
            answer=posted.answer.status if posted.answer else None,
            problem=posted.problem,
        )
        if self._ledger.inbound.get(text.sid) is text:
            self._ledger.record(done)
            for place, answer in enumerate(answers, start=1):
                self._answer(text, answer, Origin.ANSWER, place)
        return done

    def _answer(self, text: TextReceived, body: str, origin: Origin, place: int) -> None:
        """Show an answer on the handset; Keepwell's own answer only where the handset has not said STOP."""
        call = TextCall(to=text.number, sender=text.to, service=text.service, body=body)
        if origin is Origin.ANSWER and self.blocked(call):
            self.refuse(call, OPTED_OUT)
            return
        self._ledger.record(
            TextAccepted(
                sid=self._ledger.name("SM", text.sid, place),
                to=text.number,
                sender=text.to,
                service=text.service,
                body=body,
                at=self._clock.now(),
                key=digest(text.sid, place),
                call=digest(text.sid, place),
                attempt=0,
                origin=origin,
                script=Script(stages=(Stage(after=0, status=Status.DELIVERED),), notices=()),
            )
        )

    def shown_at(self, text: TextAccepted) -> datetime | None:
        """Return the instant at which the handset shows a text, or None where it never does."""
        return text.script.delivered_at(text.at)
