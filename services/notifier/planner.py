"""Planning messages: written down, and the sender woken once that is committed."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.notifier.store.messages import PlannedMessage, plan, plan_all
from services.notifier.wake_up import WakeUp
from shared.database import Transaction
from shared.ids import MessageId
from shared.protection import Keyring


@dataclass(frozen=True)
class Planner:
    """Plans messages for handlers and webhooks.

    Attributes:
        keyring: opens and seals addresses and words.
        wake_up: wakes the sender.
    """

    keyring: Keyring
    wake_up: WakeUp

    async def plan(self, tx: Transaction, message: PlannedMessage) -> MessageId | None:
        """Plan a message and wake the sender once the transaction has committed."""
        planned = await plan(tx, message)
        tx.after_commit(self.wake_up.wake)
        return planned

    async def plan_all(self, tx: Transaction, messages: Sequence[PlannedMessage]) -> None:
        """Plan messages at once and wake the sender once the transaction has committed."""
        await plan_all(tx, messages)
        tx.after_commit(self.wake_up.wake)
