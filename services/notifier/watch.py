"""Keeps an eye on who of those on call can be reached, and says so when that changes."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from services.notifier.commands import on_call
from services.notifier.metrics import ONCALL_UNREACHED
from services.notifier.model.purposes import Channel
from services.notifier.store import on_call as store
from shared.database import Database
from shared.protection import Keyring

EVERY: Final = 5.0
"""Real seconds between two looks: by index, over the few who are on call."""


@dataclass(frozen=True)
class OnCallWatch:
    """Looks at stops, accounts and the last page of everybody on call."""

    database: Database
    keyring: Keyring
    channels: Collection[Channel]

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await self.database.clock.pause(EVERY)

    async def look(self) -> None:
        """Look once."""
        async with self.database.reading() as reader:
            seen = await store.reachability(reader, self.keyring, self.channels)
            news = await store.changed(reader, self.keyring, self.channels)
        ONCALL_UNREACHED.set(sum(each.reaches_nobody for each in seen))
        if news:
            async with self.database.transaction() as tx:
                await on_call.tell(tx, self.keyring, self.channels)
