"""Which events a service listens to, and what it does about each."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Generic, TypeVar

from shared.bus.consumer_spans import handling
from shared.bus.envelope import Received
from shared.database import Transaction
from shared.events import Event, Topic
from shared.telemetry import spans, trace

E = TypeVar("E", bound=Event)
Handler = Callable[[Transaction, E], Awaitable[None]]


@dataclass(frozen=True)
class Heard(Generic[E]):
    """An event of a crowd, with the traceparent that what follows from it goes on with."""

    event: E
    trace: str


HandlerOfMany = Callable[[Transaction, Sequence[Heard[E]]], Awaitable[None]]


class NotYet(Exception):  # noqa: N818 - reads as what it says
    """Something that an event needs has not arrived; it is tried again with backoff, then it is a dead letter."""


class Handlers:
    """A service's handlers by event type."""

    def __init__(self) -> None:
        self._handlers: Final[dict[str, Handler[Any]]] = {}
        self._of_many: Final[dict[str, HandlerOfMany[Any]]] = {}
        self._topics: set[Topic] = set()

    def on(self, *events: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Register a handler for one or several event types; a type has one handler a service."""

        def register(handler: Handler[E]) -> Handler[E]:
            for event in events:
                self._add(event)
                self._handlers[event.TYPE] = handler
            return handler

        return register

    def on_many(self, event: type[E]) -> Callable[[HandlerOfMany[E]], HandlerOfMany[E]]:
        """Register a handler for an event that comes in crowds: it gets those that follow one another, in order.

        It handles all of them or raises; where it raises, it is asked again with fewer, in the end with one alone.
        """

        def register(handler: HandlerOfMany[E]) -> HandlerOfMany[E]:
            self._add(event)
            self._of_many[event.TYPE] = handler
            return handler

        return register

    def _add(self, event: type[Event]) -> None:
        if self.wants(event.TYPE):
            raise ValueError(f"{event.TYPE} already has a handler here.")
        self._topics.add(event.TOPIC)

    @property
    def topics(self) -> list[Topic]:
        """Return the topics that these handlers need, in a fixed order."""
        return sorted(self._topics)

    def wants(self, event_type: str) -> bool:
        return event_type in self._handlers or event_type in self._of_many

    async def handle(self, tx: Transaction, received: Received) -> None:
        await self.handle_all(tx, [received])

    async def handle_all(self, tx: Transaction, received: Sequence[Received]) -> None:
        batch = trace.current() if spans.recorded() else None
        for event_type, following in groupby(received, key=lambda each: each.type):
            together = list(following)
            of_many = self._of_many.get(event_type)
            if of_many is not None:
                await _handle_many(tx, of_many, together, batch)
                continue
            for each in together:
                await self._handle_one(tx, each, batch)

    async def _handle_one(self, tx: Transaction, received: Received, batch: str | None) -> None:
        handler = self._handlers[received.type]
        if batch is None:
            trace.begin(received.trace)
            await handler(tx, received.event)
            return
        with handling(tx, received, batch):
            await handler(tx, received.event)


async def _handle_many(
    tx: Transaction, of_many: HandlerOfMany[Any], together: Sequence[Received], batch: str | None
) -> None:
    """Handle a crowd at once, and let what follows from each event go on with its own trace."""
    if batch is None:
        await of_many(tx, [Heard(each.event, trace.child(each.trace)) for each in together])
        return
    with ExitStack() as stack:
        heard = [Heard(each.event, stack.enter_context(handling(tx, each, batch))) for each in together]
        await of_many(tx, heard)
