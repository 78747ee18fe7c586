"""What the notifier says of messages, made from their rows as they now stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.notifier.model.explaining import Explanation, explain
from shared.bus import publish_all
from shared.database import Transaction
from shared.events import MessageEvent, MessageFailed, MessageSent, MessageWithheld
from shared.ids import derived_id


@dataclass(frozen=True)
class Announcement:
    """An event of a message.

    Attributes:
        kind: what happened; it happens once to a message, so the event's id follows from both.
        row: every column of the message; of one that was sent or failed also `words`, those of its latest attempt.
        version: the row's own, but for the first of two events of one step.
        traceparent: what it follows from; the message's own trace where None.
    """

    kind: type[MessageEvent]
    row: Row[Any]
    version: int
    traceparent: str | None = None

    def event_id(self) -> UUID:
        """Return the same id however often the cause is reported."""
        return derived_id(str(self.row.id), self.kind.TYPE)

    def event(self, tx: Transaction) -> MessageEvent:
        """Return the event."""
        row, said = self.row, self._explanation()
        return self.kind(
            clinic=row.clinic,
            version=self.version,
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
            why=said and said.why,
            step=said and said.step,
            **({"words": row.words} if issubclass(self.kind, MessageSent | MessageFailed) else {}),
        )

    def _explanation(self) -> Explanation | None:
        """Return what kept the message from its recipient: only of one that was, whatever it had to wait for before."""
        row = self.row
        if issubclass(self.kind, MessageWithheld):
            return explain(row.purpose, row.reason, None if row.reason else row.error)
        return explain(row.purpose, row.reason, row.error) if issubclass(self.kind, MessageFailed) else None


async def announce(tx: Transaction, announcements: Sequence[Announcement]) -> None:
    """Publish events; the caller has locked or just written the rows, which keeps each message's events in order."""
    await publish_all(
        tx, [(each.event(tx), each.event_id(), each.traceparent or each.row.trace) for each in announcements]
    )
