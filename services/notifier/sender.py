"""The sender: claims due messages, calls the provider for each, and stores what came of it.

One way, from `commands/claiming.py` by `calling.py` to `commands/call_outcomes.py`. Claims and results travel in
batches, calls side by side. A result that is known is never thrown away: while the database is away the sender keeps it
and tries again. While a provider is away (`model/circuit_breaker.py`) one message at a time is tried, and the others
wait where they are.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.notifier.calling import Caller
from services.notifier.commands import claiming
from services.notifier.commands.call_outcomes import Call, store_call_outcomes
from services.notifier.letters import LetterWriter, Ready
from services.notifier.metrics import AWAY
from services.notifier.model.call_outcomes import Later
from services.notifier.model.circuit_breaker import CircuitBreaker
from services.notifier.model.purposes import Channel
from services.notifier.model.rate import Limits
from services.notifier.model.settling import Patience
from services.notifier.store.leases import Lease, leased
from services.notifier.wake_up import WakeUp
from shared.bus.outage import is_outage
from shared.database import Database
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
RETRY: Final = 0.5
"""Real seconds before results are stored again after the database was away."""
NOT_CALLED: Final = Later(None, "not called: the provider answers nobody", reached=False)
FAREWELL: Final = 8.0
"""Real seconds that calls under way get to end when the sender is told to stop."""


@dataclass(frozen=True)
class Sender:
    """Sends what is due.

    Attributes:
        database: the service's.
        writer: makes letters of due messages.
        caller: calls the providers.
        wake_up: called when something was planned.
        limits: how much at once.
        patience: when an unknown attempt is looked up.
    """

    database: Database
    writer: LetterWriter
    caller: Caller
    wake_up: WakeUp
    limits: Limits
    patience: Patience

    async def run(self) -> None:
        """Send until cancelled; then let calls end and store what came of them."""
        try:
            async with leased(self.database) as lease:
                await _Run(self, lease).work()
        finally:
            self.caller.close()


class _Run:
    """One run of a sender: its claims, its calls and its results, under the number of one lease."""

    def __init__(self, sender: Sender, lease: Lease) -> None:
        self._database = sender.database
        self._writer = sender.writer
        self._caller = sender.caller
        self._wake_up = sender.wake_up
        self._limits = sender.limits
        self._patience = sender.patience
        self._lease = lease
        self._slots = asyncio.Semaphore(sender.limits.calls)
        self._calls: dict[asyncio.Task[None], Channel] = {}
        self._away: set[Channel] = set()
        self._breakers = dict.fromkeys(Channel, CircuitBreaker.closed(sender.limits.claimed))
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
        pause = self._database.clock.pause
        while True:
            rooms = self._rooms()
            if not rooms:
                self._room.clear()
                await self._room.wait()
                continue
            claimed = 0
            for channels, most in rooms:
                ready = await self._claim(min(BATCH, most), channels)
                claimed += len(ready)
                for each in ready:
                    self._begin(each)
            if claimed:
                await pause(TICK)
            else:
                await self._rest([channel for channels, _ in rooms for channel in channels])

    async def _claim(self, most: int, channels: Sequence[Channel]) -> list[Ready]:
        """Claim and prepare messages in one transaction; their attempts are on record when it returns."""
        async with self._database.transaction() as tx:
            return await claiming.claim(
                tx, self._writer, self._limits, owner=self._lease.owner, most=most, channels=channels
            )

    async def _rest(self, channels: Sequence[Channel]) -> None:
        """Return when the next message of these channels may be due."""
        async with self._database.reading() as reader:
            until = await claiming.next_due(reader, self._limits, channels)
        if until is not None and until <= self._database.clock.now():
            await self._database.clock.pause(BLOCKED)
        else:
            await self._wake_up.sleep(self._database.clock, until)

    def _rooms(self) -> list[tuple[list[Channel], int]]:
        """Return how many messages may be claimed now: channels that are well share one room, others have their own."""
        present = [channel for channel in Channel if channel not in self._away]
        well = [channel for channel in present if self._breakers[channel].well]
        under_way = Counter(self._calls.values())
        rooms = [([channel], self._breakers[channel].width) for channel in present if channel not in well]
        if well:
            rooms.append((well, self._limits.claimed))
        return [
            (channels, free)
            for channels, width in rooms
            if (free := width - sum(under_way[channel] for channel in channels)) >= self._breakers[channels[0]].worth
        ]

    def _begin(self, ready: Ready) -> None:
        channel = ready.channel
        task = asyncio.create_task(self._call(ready, self._breakers[channel].turn))
        self._calls[task] = channel

        def called(ended: asyncio.Task[None]) -> None:
            del self._calls[ended]
            breaker = self._breakers[channel]
            if not breaker.well or len(self._calls) <= breaker.worth:
                self._room.set()

        task.add_done_callback(called)

    async def _call(self, ready: Ready, turn: int) -> None:
        async with self._slots:
            if turn != self._breakers[ready.channel].turn:
                call = Call(ready.letter.message, ready.letter.attempt, ready.channel, NOT_CALLED)
            else:
                call = await self._caller.call(ready)
                self._learn(call, turn)
            self._results.put_nowait(call)

    def _learn(self, call: Call, turn: int) -> None:
        """Expect of the next call what this one says; leave a provider that answers nobody alone for a while."""
        channel, before = call.channel, self._breakers[call.channel]
        after = self._breakers[channel] = before.after(call.outcome, turn=turn)
        if after.turn == before.turn:
            return
        AWAY.labels(channel).inc()
        log.warning("provider.away", channel=str(channel), pause=after.pause.total_seconds())
        self._away.add(channel)
        asyncio.get_running_loop().call_later(after.pause.total_seconds(), self._try_again, channel)

    def _try_again(self, channel: Channel) -> None:
        self._away.discard(channel)
        self._room.set()
        self._wake_up.wake()

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
                await self._store(results)
            if len(results) < len(batch):
                return

    async def _store(self, calls: Sequence[Call]) -> None:
        """Store results, however long the database is away."""
        while True:
            try:
                async with self._database.transaction() as tx:
                    await store_call_outcomes(tx, calls, self._patience)
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("outcomes.kept", count=len(calls), error=type(error).__name__)
                await self._database.clock.pause(RETRY)
            else:
                # A refused text may have planned an e-mail, and every lane of these messages is free again.
                self._wake_up.wake()
                return

    async def _gather(self) -> None:
        """Wait until a batch is worth a transaction: longer where calls queue, for then nobody waits for it."""
        for _ in range(TICKS):
            await self._database.clock.pause(TICK)
            if self._results.qsize() >= WORTH or len(self._calls) <= self._limits.calls:
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
