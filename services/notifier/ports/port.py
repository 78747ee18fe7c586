"""The port that every provider is reached through."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.notifier.model.call_outcomes import Blind, CallOutcome, Found


@dataclass(frozen=True)
class CalendarPart:
    """An iCalendar entry that travels with an e-mail."""

    entry: bytes
    method: str


@dataclass(frozen=True)
class Letter:
    """One attempt to send one message."""

    message: UUID
    attempt: UUID
    to: str
    body: str
    subject: str = ""
    calendar: CalendarPart | None = None


@dataclass(frozen=True)
class Query:
    """What to look for at a provider: a message of exactly these words to this address.

    Attributes:
        since: when the attempt began.
    """

    to: str
    is_body: Callable[[str], bool]
    since: datetime


@dataclass(frozen=True)
class Listed:
    """Everything at the provider that could be the message; nothing where there provably is none."""

    found: tuple[Found, ...]


Sighted = Listed | Blind


@dataclass(frozen=True)
class ProviderText:
    """A text as the provider lists it.

    Attributes:
        number: the other side's: to whom it went, or who sent it.
        at: when; None where the provider's dates are not of our clock.
    """

    sid: str
    number: str
    body: str
    status: str
    error: str | None
    at: datetime | None


class Port(Protocol):
    """A provider of one channel. It never repeats a call by itself."""

    @property
    def can_look(self) -> bool:
        """Tell whether the provider can be asked what became of a message."""

    async def send(self, letter: Letter) -> CallOutcome:
        """Hand over a message, once, within the port's deadline; never raises for what the provider did."""

    def close(self) -> None:
        """Close connections that nobody uses; the port may be used again."""

    async def look(self, query: Query) -> Sighted:
        """Ask the provider what it has."""

    async def sent_to(self, number: str, since: datetime) -> tuple[ProviderText, ...] | Blind:
        """Return every text that went to a number since an instant, and perhaps older ones; oldest first."""

    async def received(self, since: datetime) -> tuple[ProviderText, ...] | Blind:
        """Return every text that came in since an instant, and perhaps older ones; oldest first."""
