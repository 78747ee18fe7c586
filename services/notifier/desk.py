"""What handlers and webhooks have at hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.notifier.bell import Bell
from services.notifier.store.messages import Plan, plan, plan_all
from shared.database import Transaction
from shared.ids import MessageId
from shared.protection import Keyring


@dataclass(frozen=True)
class Desk:
    """Keys to open addresses, and the bell that wakes the sender."""

    keyring: Keyring
    bell: Bell

    async def plan(self, tx: Transaction, message: Plan) -> MessageId | None:
        """Plan a message and wake the sender once the transaction has committed."""
        planned = await plan(tx, message)
        tx.after_commit(self.bell.ring)
        return planned

    async def plan_all(self, tx: Transaction, messages: Sequence[Plan]) -> None:
        """Plan messages at once and wake the sender once the transaction has committed."""
        await plan_all(tx, messages)
        tx.after_commit(self.bell.ring)
