"""A message as its row stands: what was to be said to whom, and how far it got."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier.model.states import Standing, State


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to be said to one recipient, once.

    Purpose, channel and occurrence are as they are kept: what a later version wrote is shown, and refused where it is
    decided over.

    Attributes:
        about: session, check-in, plan or alert.
        turn: tells apart what would else be the same occurrence.
        next_at: when it is looked at next: due, held, or after a pause.
        starts_at: of the session it was planned for.
        not_before: nothing of it can have gone out before; None where that is not known.
        link: sealed.
        trace: traceparent of what planned it; None where an older version did.
        words: of its latest attempt, sealed; only of a message that has just made a step.
    """

    id: UUID
    clinic: UUID
    patient: UUID | None
    purpose: str
    channel: str
    occurrence: str
    about: UUID | None
    turn: str
    state: State
    version: int
    due_at: datetime
    next_at: datetime
    useful_until: datetime | None
    starts_at: datetime | None
    not_before: datetime | None
    link: str | None
    to_masked: str
    to_fingerprint: str | None
    reason: str | None
    error: str | None
    sid: str | None
    created_at: datetime
    updated_at: datetime
    trace: str | None
    words: str | None = None

    @property
    def standing(self) -> Standing:
        """Return its state with the error that belongs to it."""
        return Standing(self.state, self.error)
