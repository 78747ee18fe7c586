"""What a patient was told of a session, and what has to be said where that no longer holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.notifier.model.purposes import Channel, Occurrence

GATHER: Final = timedelta(seconds=60)
"""How long a notice waits, so that two changes within a minute are one text. Engineering default."""
NEAR: Final = timedelta(minutes=15)
"""So close to the old or the new start a notice does not wait. Engineering default."""


@dataclass(frozen=True)
class Told:
    """A message about a session that the recipient has, or may have.

    Attributes:
        starts_at: the start that it named.
        at: when it went out.
    """

    channel: Channel
    occurrence: str
    starts_at: datetime
    at: datetime


@dataclass(frozen=True)
class Truth:
    """A session as it now stands.

    Attributes:
        open: whether it is to take place; a session that took place, or was missed, is neither open nor off.
        off: whether it was cancelled.
    """

    starts_at: datetime
    open: bool
    off: bool


@dataclass(frozen=True)
class Notice:
    """What has to be said.

    Attributes:
        channels: those by which the recipient was told what no longer holds.
        starts_at: the start that it names: the new one, or of a session that was cancelled the one that was told.
        believed: the start that the recipient knows of.
        due_at: when it goes out, waking hours permitting.
    """

    occurrence: Occurrence
    channels: tuple[Channel, ...]
    starts_at: datetime
    believed: datetime
    due_at: datetime

    @property
    def needed_by(self) -> datetime:
        """Return the instant up to which it comes before anybody acted on what they were told."""
        return min(self.believed, self.starts_at)


def notice(told: Sequence[Told], truth: Truth, now: datetime) -> Notice | None:
    """Return what has to be said of a session that changed; None where the recipient knows, or was told nothing."""
    if not told:
        return None
    last = max(told, key=lambda each: each.at)
    thought_off = last.occurrence == Occurrence.CANCELLED
    kind = _kind(last.starts_at, truth, thought_off=thought_off)
    starts_at = last.starts_at if kind == Occurrence.CANCELLED else truth.starts_at
    if kind is None or starts_at <= now:
        return None
    believed = truth.starts_at if thought_off else last.starts_at
    near = min(starts_at, believed) - now < NEAR
    channels = tuple(channel for channel in Channel if any(each.channel == channel for each in told))
    return Notice(kind, channels, starts_at, believed, now if near else now + GATHER)


def _kind(believed: datetime, truth: Truth, *, thought_off: bool) -> Occurrence | None:
    if truth.off:
        return None if thought_off else Occurrence.CANCELLED
    if not truth.open:
        return None
    if believed != truth.starts_at:
        return Occurrence.MOVED
    return Occurrence.STANDS if thought_off else None
