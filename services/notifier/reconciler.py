"""The reconciler: after a restore, asks the provider what already went out, and what patients wrote meanwhile.

See docs/decisions/0013.
"""

from typing import Final

from services.notifier.commands import held_messages, inbound
from services.notifier.commands.reply_events import Text
from services.notifier.letters import body_print
from services.notifier.model.arriving import Arrival
from services.notifier.model.call_outcomes import Blind
from services.notifier.model.reconciliation import SLACK, AskPerson, Sent, Why, reconcile
from services.notifier.model.settling import Patience
from services.notifier.planner import Planner
from services.notifier.ports import Port, ProviderText
from services.notifier.store import attempts
from services.notifier.store import held_messages as store
from services.notifier.store.leases import HELD, in_turn
from services.notifier.wording import purposes_of
from shared.clock import RealClock
from shared.database import Database
from shared.telemetry.log import get_logger

log = get_logger(__name__)

ROUND: Final = 1.0
"""Real seconds between two rounds."""
NO_RESTORE: Final = 5.0
"""Real seconds between two looks for a restore; one is made while no process of the notifier runs."""
UNSEEN: Final = 3.0
"""Real seconds more before a provider that did not show what patients wrote is asked again."""
LOOKS: Final = 50


class Reconciler:
    """Settles what a restore holds up; of all processes one at a time.

    Args:
        database: the service's.
        port: the provider of texts, where there is one.
        planner: opens addresses and wakes the sender.
        patience: how long to wait before a provider that could not be asked is asked again.
    """

    def __init__(self, database: Database, port: Port | None, planner: Planner, *, patience: Patience) -> None:
        self._database = database
        self._port = port
        self._planner = planner
        self._patience = patience
        self._stamp = RealClock()

    async def run(self) -> None:
        """Reckon until cancelled; a process that is not the one waits for its turn."""
        await in_turn(self._database, HELD, self._round_and_wait)

    async def _round_and_wait(self) -> None:
        restoring = await self.round()
        await self._database.clock.pause(ROUND if restoring else NO_RESTORE)

    async def round(self) -> bool:
        """Fetch what patients wrote in the lost time, once; then ask about each message that is due.

        Returns: whether a restore is open.
        """
        async with self._database.reading() as reader:
            restore = await store.open_restore(reader)
            due = await store.due(reader, LOOKS) if restore is not None else []
        if restore is None:
            return False
        if restore.texts_read_at is None and not await self._read_texts(restore):
            return True
        for held in due:
            await self._settle(held)
        if due:
            self._planner.wake_up.wake()
        return True

    async def _read_texts(self, restore: store.Restore) -> bool:
        """Act on the texts of the lost time, a STOP before anything goes out; return whether all were seen."""
        texts: tuple[ProviderText, ...] | Blind = ()
        if self._port is not None:
            texts = await self._port.received(restore.backed_up_at)
        if isinstance(texts, Blind):
            log.warning("restore.texts_unseen", reason=texts.reason)
            await self._database.clock.pause(UNSEEN)
            return False
        since = restore.backed_up_at - SLACK
        for text in (each for each in texts if each.at is None or each.at >= since):
            async with self._database.transaction() as tx:
                told = Text(text.sid, text.number, text.body, Arrival(text.at or restore.restored_at))
                await inbound.recover(tx, told, self._planner, self._stamp)
        async with self._database.transaction() as tx:
            await store.texts_read(tx, restore.id)
        return True

    async def _settle(self, held: store.HeldMessage) -> None:
        if self._port is None:
            async with self._database.transaction() as tx:
                await held_messages.settle(tx, held, AskPerson(Why.NOBODY_TO_ASK))
            return
        number = self._planner.keyring.open(held.address, context="contact")
        texts = await self._port.sent_to(number, held.gap.since)
        async with self._database.transaction() as tx:
            if isinstance(texts, Blind):
                await held_messages.look_again(tx, held.message.id, tx.now + self._patience.margin, texts.reason)
                return
            sids = [text.sid for text in texts]
            known = await attempts.known_sids(tx, sids) | await store.answered_for(tx, sids)
            printed = body_print(self._planner.keyring)
            sent = [
                Sent(
                    sid=text.sid,
                    status=text.status,
                    error=text.error,
                    at=text.at,
                    same_words=printed(text.body) in held.body_prints,
                    purposes=purposes_of(text.body),
                )
                for text in texts
                if text.sid not in known
            ]
            await held_messages.settle(tx, held, reconcile(held.candidate(), held.gap, sent), [one.sid for one in sent])
