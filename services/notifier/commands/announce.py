"""What the notifier says of messages, made from their rows as they now stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.notifier.model.explaining import Explanation, explain
from services.notifier.model.message import Message
from shared.bus import publish_all
from shared.database import Transaction
from shared.events import MessageEvent, MessageFailed, MessageSent, MessageWithheld
from shared.ids import derived_id


@dataclass(frozen=True)
class Announcement:
    """An event of a message.

    Attributes:
        kind: what happened; it happens once to a message, so the event's id follows from both.
        message: as it now stands; of one that was sent or failed also its words.
        version: the message's own, but for the first of two events of one step.
        traceparent: what it follows from; the message's own trace where None.
    """

    kind: type[MessageEvent]
    message: Message
    version: int
    traceparent: str | None = None

    def event_id(self) -> UUID:
        """Return the same id however often the cause is reported."""
        return derived_id(str(self.message.id), self.kind.TYPE)

    def event(self, tx: Transaction) -> MessageEvent:
        message, said = self.message, self._explanation()
        return self.kind(
            clinic=message.clinic,
            version=self.version,
            patient=message.patient,
            message=message.id,
            purpose=message.purpose,
            channel=message.channel,
            occurrence=message.occurrence,
            about=message.about,
            to=message.to_masked,
            reason=message.reason,
            error=message.error,
            at=tx.now,
            why=said and said.why,
            step=said and said.step,
            **({"words": message.words} if issubclass(self.kind, MessageSent | MessageFailed) else {}),
        )

    def _explanation(self) -> Explanation | None:
        """Return what kept the message from its recipient: only of one that was, whatever it had to wait for before."""
        message = self.message
        if issubclass(self.kind, MessageWithheld):
            return explain(message.purpose, message.reason, None if message.reason else message.error)
        return explain(message.purpose, message.reason, message.error) if issubclass(self.kind, MessageFailed) else None


async def announce(tx: Transaction, announcements: Sequence[Announcement]) -> None:
    """Publish events; the caller has locked or just written the rows, which keeps each message's events in order."""
    await publish_all(
        tx, [(each.event(tx), each.event_id(), each.traceparent or each.message.trace) for each in announcements]
    )
