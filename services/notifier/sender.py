"""The sender: claims due messages, writes each attempt down, calls the provider, and stores what came of it.

Claims and results travel in batches, calls side by side. A result that is known is never thrown away: while the
database is away the sender keeps it and tries again. While a provider is away (`model/outlook.py`) one message at a
time is tried, and the others wait where they are.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.notifier.bell import Bell
from services.notifier.commands.outcomes import Call, store_outcomes
from services.notifier.dispatch import Dispatch, Ready
from services.notifier.metrics import AWAY, CALLS, ERRORS, SEGMENTS, Meaning, code_label
from services.notifier.model.outcomes import Accepted, Later, Outcome, Refused, Unknown
from services.notifier.model.outlook import Outlook
from services.notifier.model.purposes import Channel
from services.notifier.model.rate import Rate
from services.notifier.model.segments import segments
from services.notifier.model.settling import Patience
from services.notifier.ports import Port
from services.notifier.store import claims
from services.notifier.store.leases import Lease, leased
from shared.bus.consumer import is_environment
from shared.database import Database, Reader
from shared.telemetry import spans
from shared.telemetry.log import get_logger

log = get_logger(__name__)

TICK: Final = 0.01
"""Real seconds between two claims: a loop that claims the moment one row is due makes tiny batches."""
TICKS: Final = 3
"""Ticks for which results are gathered at most."""
WORTH: Final = 100
"""Results that are a transaction of their own: its six statements then cost each of them little."""
BLOCKED: Final = 0.03
"""Real seconds to wait while all that is due stands behind a message of the same lane."""
BATCH: Final = 400
ALL: Final = tuple(Channel)
RETRY: Final = 0.5
"""Real seconds before results are stored again after the database was away."""
NOT_CALLED: Final = Later(None, "not called: the provider answers nobody", reached=False)
FAREWELL: Final = 8.0
"""Real seconds that calls under way get to end when the sender is told to stop."""


@dataclass(frozen=True)
class Limits:
    """How much at once.

    Attributes:
        calls: side by side.
        rate: of one sender.
        sender: whose rate it is.
    """

    calls: int
    rate: Rate
    sender: str

    @property
    def claimed(self) -> int:
        """Return how many messages may be claimed and not yet answered for: enough to keep every call busy."""
        return self.calls * 8


class Sender:
    """Sends what is due.

    Args:
        database: the service's.
        dispatch: turns rows into letters.
        ports: by channel; messages of a channel without one fail with that reason on record.
        bell: rung when something was planned.
        limits: see there.
        patience: when an unknown attempt is looked up.
    """

    def __init__(
        self,
        database: Database,
        dispatch: Dispatch,
        ports: Mapping[Channel, Port],
        bell: Bell,
        *,
        limits: Limits,
        patience: Patience,
    ) -> None:
        self._database = database
        self._dispatch = dispatch
        self._ports = ports
        self._bell = bell
        self._limits = limits
        self._patience = patience

    async def run(self) -> None:
        """Send until cancelled; then let calls end and store what came of them."""
        try:
            async with leased(self._database) as lease:
                await _Shift(self, lease).work()
        finally:
            for port in self._ports.values():
                port.close()

    async def claim(self, owner: int, most: int, channels: Sequence[Channel] = ALL) -> list[Ready]:
        """Claim and prepare up to `most` messages in one transaction; their attempts are on record when it returns."""
        async with self._database.transaction() as tx:
            allowed, spent = most, None
            if self._limits.rate.per_second:
                spent = await claims.lock_rate(tx, self._limits.sender)
                allowed = min(most, self._limits.rate.allows(spent, tx.now))
            if allowed <= 0:
                return []
            ready = await self._dispatch.prepare(tx, await claims.claim(tx, allowed, channels), owner)
            if ready and self._limits.rate.per_second:
                await claims.spend_rate(tx, self._limits.sender, self._limits.rate, spent, len(ready))
            return ready

    async def call(self, ready: Ready) -> Call:
        """Call the provider once."""
        if not spans.recorded():
            outcome, traceparent = await self._call(ready), None
        else:
            with _span(ready) as span:
                outcome, traceparent = await self._call(ready), span.traceparent
                _tell(span, outcome)
        _count(ready, outcome)
        if isinstance(outcome, Unknown):
            log.warning("attempt.unknown", attempt=str(ready.letter.attempt), reason=outcome.reason)
        return Call(ready.letter.message, ready.letter.attempt, ready.channel, outcome, traceparent)

    async def _call(self, ready: Ready) -> Outcome:
        port = self._ports.get(ready.channel)
        if port is None:
            return Refused("no provider")
        try:
            return await port.send(ready.letter)
        except Exception as error:
            # Whatever it was, the text may be out; an attempt that nobody closes would wait until this process ends.
            log.exception("call.failed", attempt=str(ready.letter.attempt))
            return Unknown(type(error).__name__)

    async def store(self, calls: list[Call]) -> None:
        """Store results, however long the database is away."""
        while True:
            try:
                async with self._database.transaction() as tx:
                    await store_outcomes(tx, calls, self._patience)
            except Exception as error:
                if not is_environment(error):
                    raise
                log.warning("outcomes.kept", count=len(calls), error=type(error).__name__)
                await self._database.clock.pause(RETRY)
            else:
                # A refused text may have planned an e-mail, and every lane of these messages is free again.
                self._bell.ring()
                return

    async def rest(self, channels: Sequence[Channel]) -> None:
        """Return when the next message of these channels may be due."""
        async with self._database.reading() as reader:
            until = await self.next_due_of(reader, channels)
        if until is not None and until <= self._database.clock.now():
            await self._database.clock.pause(BLOCKED)
        else:
            await self._bell.sleep(self._database.clock, until)

    async def next_due_of(self, reader: Reader, channels: Sequence[Channel] = ALL) -> datetime | None:
        """Return the next instant at which a sender has something to do."""
        due = await claims.next_due(reader, channels)
        if due is None or not self._limits.rate.per_second:
            return due
        spent = await claims.used_until(reader, self._limits.sender)
        return max(due, self._limits.rate.next_at(spent, reader.now))

    def wake(self) -> None:
        """End a rest."""
        self._bell.ring()

    @property
    def limits(self) -> Limits:
        """Return how much may go at once."""
        return self._limits


def _span(ready: Ready) -> AbstractContextManager[spans.Span]:
    about = {
        "keepwell.service": "notifier",
        "keepwell.channel": str(ready.channel),
        "keepwell.purpose": ready.purpose,
        # By it `keepwell explain` tells the rest.
        "keepwell.message": str(ready.letter.message),
    }
    return spans.span(f"send {ready.channel}", spans.Kind.CLIENT, parent=ready.trace, attributes=about)


def _tell(span: spans.Span, outcome: Outcome) -> None:
    span.note({"keepwell.outcome": type(outcome).__name__.lower()})
    match outcome:
        case Refused(reason) | Later(_, reason) | Unknown(reason):
            span.fail(code_label(reason))


def _count(ready: Ready, outcome: Outcome) -> None:
    CALLS.labels(ready.channel, type(outcome).__name__.lower()).inc()
    match outcome:
        case Accepted():
            if ready.channel == Channel.SMS:
                SEGMENTS.inc(segments(ready.letter.body))
        case Refused(code):
            ERRORS.labels(ready.channel, Meaning.REFUSED, code_label(code)).inc()
        case Later(_, reason):
            ERRORS.labels(ready.channel, Meaning.LATER, code_label(reason)).inc()
        case Unknown(reason):
            ERRORS.labels(ready.channel, Meaning.UNKNOWN, code_label(reason)).inc()


class _Shift:
    """One run of a sender: its claims, its calls and its results, under one owner's number."""

    def __init__(self, sender: Sender, lease: Lease) -> None:
        self._sender = sender
        self._lease = lease
        self._slots = asyncio.Semaphore(sender.limits.calls)
        self._calls: dict[asyncio.Task[None], Channel] = {}
        self._away: set[Channel] = set()
        self._outlooks = dict.fromkeys(Channel, Outlook.fair(sender.limits.claimed))
        self._room = asyncio.Event()
        self._results: asyncio.Queue[Call | None] = asyncio.Queue()

    async def work(self) -> None:
        """Run until cancelled or until a part fails; either way, calls under way are ended and stored first."""
        storing = asyncio.create_task(self._store_all())
        parts = [asyncio.create_task(self._claim_all()), asyncio.create_task(self._lease.watch())]
        try:
            done, _ = await asyncio.wait([storing, *parts], return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            for part in parts:
                part.cancel()
            await self._say_farewell(storing)
            await asyncio.gather(*parts, return_exceptions=True)

    async def _claim_all(self) -> None:
        pause = self._lease.database.clock.pause
        while True:
            rooms = self._rooms()
            if not rooms:
                self._room.clear()
                await self._room.wait()
                continue
            claimed = 0
            for channels, most in rooms:
                ready = await self._sender.claim(self._lease.owner, min(BATCH, most), channels)
                claimed += len(ready)
                for each in ready:
                    self._begin(each)
            if claimed:
                await pause(TICK)
            else:
                await self._sender.rest([channel for channels, _ in rooms for channel in channels])

    def _rooms(self) -> list[tuple[list[Channel], int]]:
        """Return how many messages may be claimed now: channels that are well share one room, others have their own."""
        present = [channel for channel in Channel if channel not in self._away]
        well = [channel for channel in present if self._outlooks[channel].well]
        under_way = Counter(self._calls.values())
        rooms = [([channel], self._outlooks[channel].width) for channel in present if channel not in well]
        if well:
            rooms.append((well, self._sender.limits.claimed))
        return [
            (channels, free)
            for channels, width in rooms
            if (free := width - sum(under_way[channel] for channel in channels)) >= self._outlooks[channels[0]].worth
        ]

    def _begin(self, ready: Ready) -> None:
        channel = ready.channel
        task = asyncio.create_task(self._call(ready, self._outlooks[channel].turn))
        self._calls[task] = channel

        def called(ended: asyncio.Task[None]) -> None:
            del self._calls[ended]
            outlook = self._outlooks[channel]
            if not outlook.well or len(self._calls) <= outlook.worth:
                self._room.set()

        task.add_done_callback(called)

    async def _call(self, ready: Ready, turn: int) -> None:
        async with self._slots:
            if turn != self._outlooks[ready.channel].turn:
                call = Call(ready.letter.message, ready.letter.attempt, ready.channel, NOT_CALLED)
            else:
                call = await self._sender.call(ready)
                self._learn(call, turn)
            self._results.put_nowait(call)

    def _learn(self, call: Call, turn: int) -> None:
        """Expect of the next call what this one says; leave a provider that answers nobody alone for a while."""
        channel, before = call.channel, self._outlooks[call.channel]
        after = self._outlooks[channel] = before.after(call.outcome, turn=turn)
        if after.turn == before.turn:
            return
        AWAY.labels(channel).inc()
        log.warning("provider.away", channel=str(channel), pause=after.pause.total_seconds())
        self._away.add(channel)
        asyncio.get_running_loop().call_later(after.pause.total_seconds(), self._try_again, channel)

    def _try_again(self, channel: Channel) -> None:
        self._away.discard(channel)
        self._room.set()
        self._sender.wake()

    async def _store_all(self) -> None:
        """Store results in batches until None comes; the batch grows while the one before is written."""
        while True:
            first = await self._results.get()
            await self._gather()
            batch = [first]
            while not self._results.empty() and len(batch) < BATCH:
                batch.append(self._results.get_nowait())
            results = [call for call in batch if call is not None]
            if results:
                await self._sender.store(results)
            if len(results) < len(batch):
                return

    async def _gather(self) -> None:
        """Wait until a batch is worth a transaction: longer where calls queue, for then nobody waits for it."""
        for _ in range(TICKS):
            await self._lease.database.clock.pause(TICK)
            if self._results.qsize() >= WORTH or len(self._calls) <= self._sender.limits.calls:
                return

    async def _say_farewell(self, storing: asyncio.Task[None]) -> None:
        if self._calls:
            await asyncio.wait(self._calls, timeout=FAREWELL)
        for call in list(self._calls):
            call.cancel()
        self._results.put_nowait(None)
        await asyncio.wait([storing], timeout=FAREWELL)
        if not storing.done():
            storing.cancel()
        await asyncio.gather(storing, return_exceptions=True)
