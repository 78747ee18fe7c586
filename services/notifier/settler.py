"""The settler: takes over what dead senders left, and asks the provider about what nobody knows."""

import asyncio
from datetime import datetime
from typing import Final

from services.notifier.commands import settling
from services.notifier.letters import body_print
from services.notifier.model.call_outcomes import Blind, Found
from services.notifier.model.settling import Patience
from services.notifier.ports import Port, Query
from services.notifier.store import attempts
from services.notifier.store.leases import UNKNOWN, in_turn
from services.notifier.wake_up import WakeUp
from shared.database import Database
from shared.protection import Keyring

ROUND: Final = 1.0
"""Real seconds between two rounds: how soon a dead sender's attempts are noticed."""
LOOKS: Final = 1000
"""Attempts of a round, which lasts as long as its slowest look: after an outage of the provider there are thousands."""
BATCH: Final = 200
"""Looks that are stored in one transaction."""
SIDE_BY_SIDE: Final = 16
BLIND_IN_A_ROW: Final = 5
"""Looks that saw nothing of the list, after which the rest of a round is left for the next one."""


class Settler:
    """Settles unknown attempts; of all processes one at a time.

    Args:
        database: the service's.
        port: the one that can be asked.
        keyring: opens addresses and knows words again.
        wake_up: called when a message is planned again.
        patience: how often to look before believing that there is nothing.
    """

    def __init__(
        self, database: Database, port: Port | None, keyring: Keyring, wake_up: WakeUp, *, patience: Patience
    ) -> None:
        self._database = database
        self._port = port
        self._keyring = keyring
        self._wake_up = wake_up
        self._patience = patience
        self._next_look: datetime | None = None

    async def run(self) -> None:
        """Settle until cancelled; a process that is not the one waits for its turn."""
        await in_turn(self._database, UNKNOWN, self._round_and_wait)

    async def _round_and_wait(self) -> None:
        saw = await self.round()
        await (self._wait() if saw else self._database.clock.pause(ROUND))

    async def round(self) -> bool:
        """Take over from the dead, then look up what is due; return whether the provider's list can be seen."""
        async with self._database.reading() as reader:
            owners = await attempts.orphan_owners(reader)
            self._next_look = await attempts.next_look(reader)
            is_due = self._next_look is not None and self._next_look <= reader.now
            due = await attempts.due_looks(reader, LOOKS) if is_due else []
        if not owners and not due:
            return True
        for owner in owners:
            async with self._database.transaction() as tx:
                await settling.take_over(tx, owner, self._patience)
        sights = _Sights()
        seen = await asyncio.gather(*(self._look(attempt, sights) for attempt in due))
        looks = [settling.Look(each.id, each.message, it) for each, it in zip(due, seen, strict=True) if it is not None]
        for first in range(0, len(looks), BATCH):
            async with self._database.transaction() as tx:
                await settling.store_looks(tx, looks[first : first + BATCH], self._patience)
            self._wake_up.wake()
        async with self._database.reading() as reader:
            self._next_look = await attempts.next_look(reader)
        return not sights.dark

    async def _look(self, attempt: attempts.UnknownAttempt, sights: "_Sights") -> tuple[Found, ...] | Blind | None:
        """Return what the provider shows of an attempt; None where it was not asked, for it shows nothing to anyone."""
        if self._port is None or not self._port.can_look:
            return Blind("no provider to ask")
        to = self._keyring.open(attempt.address, context="contact")
        printed = body_print(self._keyring)
        query = Query(to, lambda body: printed(body) == attempt.body_print, attempt.started_at)
        async with sights.slots:
            if sights.dark:
                return None
            sighted = await self._port.look(query)
            away = isinstance(sighted, Blind) and not sighted.for_good
            sights.blind = sights.blind + 1 if away else 0
        return sighted if isinstance(sighted, Blind) else sighted.found

    async def _wait(self) -> None:
        """Wait a round, or less where a look is due before: trial time may leap."""
        at = self._next_look
        clock = self._database.clock
        waits = [asyncio.ensure_future(clock.pause(ROUND))]
        if at is not None:
            waits.append(asyncio.ensure_future(clock.sleep_until(at)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        # A call that was given up may still be on its way: a fast clock must not look before it can have arrived.
        await clock.pause(0.1)


class _Sights:
    """The looks of a round: how many at once, and how many in a row saw nothing of the list."""

    def __init__(self) -> None:
        self.slots = asyncio.Semaphore(SIDE_BY_SIDE)
        self.blind = 0

    @property
    def dark(self) -> bool:
        return self.blind >= BLIND_IN_A_ROW
