"""Quiet hours: a message may reach a recipient in waking hours alone, by the clock on the recipient's wall."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from shared.walltime import to_instant, to_wall


class NoHoursError(ValueError):
    """Waking hours that are never, or that are not written as hours and minutes."""

    def __init__(self, opens: str, closes: str) -> None:
        super().__init__(
            f"Messages cannot go out from {opens!r} until {closes!r}. "
            "Give two different times such as '08:00' and '21:00'."
        )


@dataclass(frozen=True)
class WakingHours:
    """The part of a day in which messages go out: from `opens` until `closes`, wall time, the end excluded.

    47 CFR 64.1200(c)(1) names 8 to 21; a clinic may be stricter. Hours that close before they open span midnight.
    """

    opens: time = time(8)
    closes: time = time(21)

    @classmethod
    def parse(cls, opens: str, closes: str) -> "WakingHours":
        """Read two wall times such as `08:00`.

        Raises:
            NoHoursError: they are no times, or the same.
        """
        try:
            hours = cls(time.fromisoformat(opens), time.fromisoformat(closes))
        except ValueError as error:
            raise NoHoursError(opens, closes) from error
        if hours.opens == hours.closes:
            raise NoHoursError(opens, closes)
        return hours

    def include(self, at: time) -> bool:
        """Say whether a wall time lies within the hours."""
        if self.opens < self.closes:
            return self.opens <= at < self.closes
        return at >= self.opens or at < self.closes

    def earliest(self, instant: datetime, zone: str) -> datetime:
        """Return `instant` if the recipient is awake then, else the next opening.

        Args:
            instant: aware.
            zone: the recipient's IANA zone.
        """
        wall = to_wall(instant, zone)
        return instant if self.include(wall.time()) else self._opening(wall, instant, zone)

    def next_day(self, instant: datetime, zone: str) -> datetime:
        """Return the opening on the recipient's day after the one of `instant`."""
        tomorrow = to_wall(instant, zone).date() + timedelta(days=1)
        return to_instant(datetime.combine(tomorrow, self.opens), zone)

    def _opening(self, wall: datetime, instant: datetime, zone: str) -> datetime:
        today = to_instant(datetime.combine(wall.date(), self.opens), zone)
        # A day whose opening falls into the hour that is skipped or repeated still opens once, and never in the past.
        return today if today > instant else self.next_day(instant, zone)
