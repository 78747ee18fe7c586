"""A sender's rate: the provider and the carriers allow so many messages a second for one number."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

BURST: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Rate:
    """So many messages a second, of which one second's worth may go at once.

    Attributes:
        per_second: above zero, or zero for no limit.
    """

    per_second: float

    @property
    def gap(self) -> timedelta:
        """Return the time that one message takes up."""
        return timedelta(seconds=1 / self.per_second)

    def _spent(self, used_until: datetime | None, now: datetime) -> datetime:
        oldest = now - max(BURST, self.gap)
        return oldest if used_until is None else max(used_until, oldest)

    def allows(self, used_until: datetime | None, now: datetime) -> int:
        """Return how many messages may go now, when the rate is spent up to `used_until`."""
        return int((now - self._spent(used_until, now)) / self.gap + 1e-6)

    def after(self, used_until: datetime | None, now: datetime, count: int) -> datetime:
        """Return up to when the rate is spent once `count` messages have gone."""
        return self._spent(used_until, now) + self.gap * count

    def next_at(self, used_until: datetime | None, now: datetime) -> datetime:
        """Return when the next message may go."""
        return max(now, self._spent(used_until, now) + self.gap)


@dataclass(frozen=True)
class Limits:
    """How much at once.

    Attributes:
        calls: side by side.
        rate: of one sender.
        sender: whose rate it is.
    """

    calls: int
    rate: Rate
    sender: str

    @property
    def claimed(self) -> int:
        """Return how many messages may be claimed and not yet answered for: enough to keep every call busy."""
        return self.calls * 8
