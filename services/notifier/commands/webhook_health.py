"""Telling the clinics that the provider's calls do not come through, and that they do again."""

from typing import Final

from services.notifier.store import people
from shared.bus import publish
from shared.database import Transaction
from shared.events import FindingChanged

KIND: Final = "webhooks"


async def tell(tx: Transaction, said: str | None, version: int) -> None:
    """Tell every clinic what its staff should know, or that it is over."""
    for clinic in await people.clinics(tx):
        event = FindingChanged(clinic=clinic, version=version, kind=KIND, what=said, at=tx.now)
        await publish(tx, event)
