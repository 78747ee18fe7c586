"""Which events a service listens to, and what it does about each."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from shared.bus.envelope import Received
from shared.database import Transaction
from shared.events import Event, Topic

E = TypeVar("E", bound=Event)
Handler = Callable[[Transaction, E], Awaitable[None]]


class NotYet(Exception):  # noqa: N818 - reads as what it says
    """Something that an event needs has not arrived; it is tried again with backoff, then it is a dead letter."""


class Handlers:
    """A service's handlers by event type."""

    def __init__(self) -> None:
        self._handlers: Final[dict[str, Callable[[Transaction, Any], Awaitable[None]]]] = {}
        self._topics: set[Topic] = set()

    def on(self, *events: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Register a handler for one or several event types; a type has one handler a service."""

        def register(handler: Handler[E]) -> Handler[E]:
            for event in events:
                if event.TYPE in self._handlers:
                    raise ValueError(f"{event.TYPE} already has a handler here.")
                self._handlers[event.TYPE] = handler
                self._topics.add(event.TOPIC)
            return handler

        return register

    @property
    def topics(self) -> list[Topic]:
        """Return the topics that these handlers need, in a fixed order."""
        return sorted(self._topics)

    def wants(self, event_type: str) -> bool:
        """Tell whether an event type has a handler here."""
        return event_type in self._handlers

    async def handle(self, tx: Transaction, received: Received) -> None:
        """Run the handler of an event."""
        await self._handlers[received.type](tx, received.event)
