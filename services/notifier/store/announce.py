"""What the notifier says of a message, made from its row as it now stands."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.bus import publish
from shared.database import Transaction
from shared.events import MessageEvent


async def announce(
    tx: Transaction,
    kind: type[MessageEvent],
    row: Row[Any],
    *,
    version: int | None = None,
    event_id: UUID | None = None,
) -> None:
    """Publish an event of a message; the caller has locked or just written the row, which keeps their order.

    Args:
        tx: the caller's transaction.
        kind: what happened.
        row: every column of the message.
        version: where it is not the row's own: of two events of one step, the first has the version before.
        event_id: where the cause has an id, such as a provider's callback.
    """
    event = kind(
        clinic=row.clinic,
        version=row.version if version is None else version,
        patient=row.patient,
        message=row.id,
        purpose=row.purpose,
        channel=row.channel,
        occurrence=row.occurrence,
        about=row.about,
        to=row.to_masked,
        reason=row.reason,
        error=row.error,
        at=tx.now,
    )
    await publish(tx, event, event_id=event_id)
