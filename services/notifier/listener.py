"""The listener: fetches from the provider's list what people wrote while its calls did not come through.

A text that nobody handed over may be a STOP that nobody obeyed. So after a start, after the signature was wrong for a
while, and while it still is, the list of inbound texts is read, and each that is not known is acted on, stops first.
Until that is done nothing goes out but pages and answers.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from services.notifier.commands import inbound, webhook_health
from services.notifier.commands.reply_events import Text
from services.notifier.metrics import REFUSED_SECONDS
from services.notifier.model.arriving import Arrival
from services.notifier.model.call_outcomes import Blind
from services.notifier.model.inbound import meaning_of
from services.notifier.planner import Planner
from services.notifier.ports import Port, ProviderText
from services.notifier.store import webhook_health as store
from services.notifier.store.leases import INBOUND, in_turn
from shared.clock import Clock, RealClock
from shared.database import Database, Reader
from shared.telemetry.log import get_logger

log = get_logger(__name__)

ROUND: Final = 1.0
"""Real seconds between two rounds."""
AGAIN: Final = timedelta(seconds=5)
"""Real time between two looks at the list while new calls are refused, or it could not be seen."""
MEANWHILE: Final = timedelta(seconds=60)
"""Real time between two looks while calls are refused and none is new."""
PATIENCE: Final = timedelta(minutes=10)
"""Real time for which a list that cannot be seen holds up what goes out. Engineering default."""
SLACK: Final = timedelta(minutes=15)
"""How far the provider's clock may be off."""
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Listener:
    """Reads the list where calls did not come through; of all processes one at a time.

    Args:
        database: the service's.
        port: the provider of texts, where there is one.
        planner: opens and seals, and wakes the sender.
        stamp: the machine's own clock.
    """

    def __init__(self, database: Database, port: Port | None, planner: Planner, *, stamp: Clock | None = None) -> None:
        self._database = database
        self._port = port
        self._planner = planner
        self._stamp = stamp or RealClock()
        self._looked = _LONG_AGO
        self._refused = 0
        self._blind_since: datetime | None = None
        self._unseen: str | None = None
        self._told: str | None = None
        self._first = True

    async def begin(self) -> None:
        """Write that this process begins; to be done before anything is sent."""
        async with self._database.transaction() as tx:
            await store.begin(tx)

    async def run(self) -> None:
        """Listen until cancelled; a process that is not the one waits for its turn."""
        await in_turn(self._database, INBOUND, self._round_and_wait)

    async def _round_and_wait(self) -> None:
        await self.round()
        await self._database.clock.pause(ROUND)

    async def round(self) -> None:
        """Read the list where that is due, and say to the clinics how it stands."""
        async with self._database.reading() as reader:
            found, now = await store.now_known(reader), reader.now
        if found is not None and found.refused_since is not None and self._is_due(found.refused):
            await self._read(found.refused_since, found.refused, now)
        await self._tell(store.refused_calls(found, now))

    def _is_due(self, refused: int) -> bool:
        waited = self._stamp.now() - self._looked
        news = refused == 0 or refused != self._refused
        return waited >= (AGAIN if news else MEANWHILE)

    async def _read(self, since: datetime, refused: int, began: datetime) -> None:
        self._looked, self._refused = self._stamp.now(), refused
        texts: tuple[ProviderText, ...] | Blind = ()
        if self._port is not None:
            texts = await self._port.received(since - SLACK)
        if isinstance(texts, Blind):
            await self._could_not_see(texts, since, refused, began)
            return
        self._blind_since = None
        late = [text for text in texts if text.at is None or text.at >= since - SLACK]
        async with self._database.reading() as reader:
            known = await store.known(reader, [text.sid for text in late])
        missed = [text for text in late if text.sid not in known]
        # The order of a list is kept among stops, and among the rest.
        for text in sorted(missed, key=lambda each: not meaning_of(each.body).ends_texts):
            async with self._database.transaction() as tx:
                await inbound.receive(tx, self._as_it_came(text, since, began), self._planner, self._stamp)
        if missed:
            log.warning("listener.fetched", texts=len(missed))
        async with self._database.transaction() as tx:
            await store.read_until(tx, began)
        self._planner.wake_up.wake()

    def _as_it_came(self, text: ProviderText, since: datetime, now: datetime) -> Text:
        """Return a text of the list; where its date is not known a STOP is the last word, and nothing else is."""
        undated = now if meaning_of(text.body).ends_texts else since
        return Text(text.sid, text.number, text.body, Arrival(text.at or undated))

    async def _could_not_see(self, blind: Blind, since: datetime, refused: int, began: datetime) -> None:
        log.warning("listener.blind", reason=blind.reason)
        self._blind_since = self._blind_since or self._looked
        if refused == 0 and self._looked - self._blind_since >= PATIENCE:
            self._unseen = (
                f"what patients wrote since {since:%Y-%m-%d %H:%M} UTC could not be fetched: the "
                f"provider's list cannot be read ({blind.reason}). Look at its console for STOP, and enter it"
            )
            async with self._database.transaction() as tx:
                await store.read_until(tx, began)

    async def _tell(self, found: store.RefusedCalls | None) -> None:
        REFUSED_SECONDS.set(0 if found is None else (self._database.clock.now() - found.since).total_seconds())
        said = found.words() if found is not None else self._unseen
        if self._first:
            # What the process before this one told may be over.
            self._first, self._told = False, None if said is not None else ""
        if (said is None) == (self._told is None):
            return
        self._told = said
        async with self._database.transaction() as tx:
            await webhook_health.tell(tx, said, int(tx.now.timestamp()))

    async def alarms(self, reader: Reader) -> list[str]:
        """Return what an operator must mend."""
        found = store.refused_calls(await store.now_known(reader), reader.now)
        return [said for said in (found.words() if found else None, self._unseen) if said is not None]
