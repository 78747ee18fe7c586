"""What a protocol is: versioned data, each rule with where it comes from and how good that source is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from shared.evidence import Grade


class Phase(StrEnum):
    """Where a patient stands in a protocol."""

    INDUCTION = "induction"
    MAINTENANCE = "maintenance"


class UnknownProtocolError(LookupError):
    """No protocol has this id and version."""

    def __init__(self, protocol: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no protocol {protocol!r}. Known are: {', '.join(known)}.")


@dataclass(frozen=True)
class Provenance:
    """Where a rule comes from.

    Attributes:
        id: names the rule for good; another text is another id.
        text: the rule in a sentence that a clinician reads.
        source_url: the page the figures were read on.
        grade: how good that source is.
        verified_on: the day on which the source was last read.
        applies_to: the treatment and patients that it speaks of.
    """

    id: str
    text: str
    source_url: str
    grade: Grade
    verified_on: date
    applies_to: str


@dataclass(frozen=True)
class Induction:
    """A fixed series of sessions: `days[n]` is the day of session n + 1, counted from the first."""

    days: tuple[int, ...]
    provenance: Provenance

    def __post_init__(self) -> None:
        """Refuse a series that does not begin on day 0 and rise."""
        if self.days[:1] != (0,) or any(later <= earlier for earlier, later in pairwise(self.days)):
            raise ValueError(f"An induction's days begin with 0 and rise; these do not: {self.days}.")

    @property
    def sessions(self) -> int:
        """Return how many sessions the series has."""
        return len(self.days)

    def completed_on(self, attended_on: Sequence[date]) -> date | None:
        """Return the day on which the series was completed, by the days of the attended sessions; None before that."""
        held = sorted(attended_on)
        return held[self.sessions - 1] if len(held) >= self.sessions else None

    def gap_after(self, attended: int) -> int:
        """Return the days between session number `attended` and the next one of the series.

        Raises:
            ValueError: if the series has no session after that one.
        """
        if not 1 <= attended < self.sessions:
            raise ValueError(f"After session {attended} of {self.sessions} the series has no next session.")
        return self.days[attended] - self.days[attended - 1]


@dataclass(frozen=True)
class Maintenance:
    """Single sessions at an interval that a clinician moves along a ladder, in days.

    Attributes:
        interval_days: the interval with which maintenance begins.
        ladder: the intervals that may be proposed, in days, rising.
        opt_in_above: longer rungs are proposed only where the clinic has opted in.
    """

    interval_days: int
    ladder: tuple[int, ...]
    opt_in_above: int
    provenance: Provenance
    ladder_provenance: Provenance

    def __post_init__(self) -> None:
        """Refuse a ladder that does not rise or does not hold the first interval."""
        if any(later <= earlier for earlier, later in pairwise((0, *self.ladder))):
            raise ValueError(f"A ladder rises; this one does not: {self.ladder}.")
        if self.interval_days not in self.ladder:
            raise ValueError(f"The first interval, {self.interval_days} days, is no rung of {self.ladder}.")


@dataclass(frozen=True)
class Measures:
    """When the questionnaire that the interval follows is asked, besides weekly after the latest session.

    Attributes:
        baseline_days: days before the first session from which the baseline is asked.
        before_session_days: days before the next session on which it is asked once more.
        earliest_day: the first day after a session on which that may be; sooner, the answer speaks of the time before.
        apart_days: two nearer than this are one: the later of them falls away.
        most_days: where sessions push away all for longer than this, one is asked besides.
        useful_days: days for which one that could not be asked in time is still worth asking.
    """

    baseline_days: int
    before_session_days: int
    earliest_day: int
    apart_days: int
    most_days: int
    useful_days: int


@dataclass(frozen=True)
class Cadence:
    """When patients hear of us around a session.

    Attributes:
        reminder_days: whole days before a session, on its own wall time.
        post_session_days: days after an attended session on which the short check is asked.
        first_weekly_day: the day after an attended session on which the first weekly questionnaire is asked; in the
            induction, where there are `measures`, the day after the first session.
        last_weekly_day: the last day of it, if no further session was attended before.
        booking_days: days before the plan's next date on which a patient with nothing booked is asked to book.
        measures: how the interval's questionnaire is kept up through sessions; None where each session starts it anew.
    """

    reminder_days: tuple[int, ...]
    post_session_days: tuple[int, ...]
    first_weekly_day: int
    last_weekly_day: int
    booking_days: int
    provenance: tuple[Provenance, ...]
    measures: Measures | None = None


@dataclass(frozen=True)
class Protocol:
    """A protocol as it was at one version; a plan keeps the version it began with.

    Attributes:
        modality: what is given, such as `ketamine`.
        route: how it is given, such as `intravenous`.
    """

    id: str
    version: int
    name: str
    modality: str
    route: str
    induction: Induction
    maintenance: Maintenance
    cadence: Cadence
