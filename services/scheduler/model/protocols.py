"""What a protocol is: versioned data, each rule with where it comes from and how good that source is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from shared.evidence import Grade


class PhaseKind(StrEnum):
    """What a phase allows: nothing but its own series, or an interval that a clinician decides."""

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
class Window:
    """How far from the day on which a session is due it may be booked before staff are asked to look at it.

    Attributes:
        earlier_days: before that day.
        later_days: after it.
    """

    earlier_days: int
    later_days: int
    provenance: Provenance

    def __post_init__(self) -> None:
        """Refuse a window that does not hold the day itself."""
        if min(self.earlier_days, self.later_days) < 0:
            raise ValueError(f"A window holds the day that is due; {self.earlier_days} and {self.later_days} do not.")


@dataclass(frozen=True)
class Series:
    """A phase with a fixed number of sessions on fixed days.

    Attributes:
        name: as a plan and its events tell it, such as `induction`.
        days: `days[n]` is the day of session n + 1 of the phase, counted from its first.
        after_days: days from the last session of the phase before to the first of this; of the first phase not used.
        window: of its sessions' bookings; None where the protocol states none.
    """

    name: str
    days: tuple[int, ...]
    provenance: Provenance
    after_days: int = 7
    window: Window | None = None

    def __post_init__(self) -> None:
        """Refuse a series that does not begin on day 0 and rise, or that begins before the one before it has ended."""
        if self.days[:1] != (0,) or any(later <= earlier for earlier, later in pairwise(self.days)):
            raise ValueError(f"The days of a series begin with 0 and rise; those of {self.name!r} do not: {self.days}.")
        if self.after_days < 1:
            raise ValueError(f"{self.name!r} begins {self.after_days} days after the phase before: that is 1 at least.")

    @property
    def kind(self) -> PhaseKind:
        """Return what the phase allows."""
        return PhaseKind.INDUCTION

    @property
    def sessions(self) -> int:
        """Return how many sessions the series has."""
        return len(self.days)


@dataclass(frozen=True)
class Maintenance:
    """A phase of single sessions, without an end, at an interval that a clinician moves along a ladder, in days.

    Attributes:
        interval_days: the interval with which the phase begins.
        ladder: the intervals that may be proposed, in days, rising.
        opt_in_above: longer rungs are proposed only where the clinic has opted in.
        window: of its sessions' bookings; None where the protocol states none.
    """

    interval_days: int
    ladder: tuple[int, ...]
    opt_in_above: int
    provenance: Provenance
    ladder_provenance: Provenance
    name: str = "maintenance"
    window: Window | None = None

    def __post_init__(self) -> None:
        """Refuse a ladder that does not rise or does not hold the first interval."""
        if any(later <= earlier for earlier, later in pairwise((0, *self.ladder))):
            raise ValueError(f"A ladder rises; this one does not: {self.ladder}.")
        if self.interval_days not in self.ladder:
            raise ValueError(f"The first interval, {self.interval_days} days, is no rung of {self.ladder}.")

    @property
    def kind(self) -> PhaseKind:
        """Return what the phase allows."""
        return PhaseKind.MAINTENANCE


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
class Position:
    """Where the next session lies.

    Attributes:
        phase: that it belongs to.
        number: of the session in that phase, from 1.
    """

    phase: Series | Maintenance
    number: int

    @property
    def sessions(self) -> int | None:
        """Return how many sessions the phase has; None where it has no end."""
        return self.phase.sessions if isinstance(self.phase, Series) else None


@dataclass(frozen=True)
class Protocol:
    """A protocol as it was at one version; a plan keeps the version it began with.

    Attributes:
        modality: what is given, such as `ketamine`.
        route: how it is given, such as `intravenous`.
        series: the phases of fixed sessions, in order; one at least.
        maintenance: the phase that follows them.
    """

    id: str
    version: int
    name: str
    modality: str
    route: str
    series: tuple[Series, ...]
    maintenance: Maintenance
    cadence: Cadence

    def __post_init__(self) -> None:
        """Refuse a protocol without a series, or with one name for two phases."""
        if not self.series:
            raise ValueError(f"Protocol {self.id!r} has no series of sessions before its maintenance.")
        names = [phase.name for phase in self.phases]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"Protocol {self.id!r} has two phases named {twice[0]!r}.")

    @property
    def phases(self) -> tuple[Series | Maintenance, ...]:
        """Return all phases, in order."""
        return (*self.series, self.maintenance)

    @property
    def series_sessions(self) -> int:
        """Return how many sessions all series have together."""
        return sum(phase.sessions for phase in self.series)

    def position(self, attended: int) -> Position:
        """Return where the session lies that follows so many attended ones."""
        before = 0
        for phase in self.series:
            if attended < before + phase.sessions:
                return Position(phase, attended - before + 1)
            before += phase.sessions
        return Position(self.maintenance, attended - before + 1)

    def gap_after(self, attended: int) -> int:
        """Return the days between session number `attended` and the next one of the series.

        Raises:
            ValueError: if the series have no session after that one.
        """
        follows = self.position(attended)
        if attended < 1 or not isinstance(follows.phase, Series):
            raise ValueError(f"After session {attended} of {self.series_sessions} the series has no next session.")
        if follows.number == 1:
            return follows.phase.after_days
        days = follows.phase.days
        return days[follows.number - 1] - days[follows.number - 2]

    def series_completed_on(self, attended_on: Sequence[date]) -> date | None:
        """Return the day on which all series were completed, by the days of the attended sessions; None before that."""
        held = sorted(attended_on)
        return held[self.series_sessions - 1] if len(held) >= self.series_sessions else None
