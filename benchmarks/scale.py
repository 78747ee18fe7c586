"""How much is measured: as the figures are quoted, or a quick look."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """How much.

    Attributes:
        runs: of each measurement.
        few: pending timers.
        many: pending timers.
        due: timers of one process in a run.
        messages: in a run of one notifier.
        seconds: for how long a steady load lasts.
        answers: check-ins in a run.
        patients: simulated.
        days: simulated.
        names: patients of a clinic that are searched.
    """

    runs: int
    few: int
    many: int
    due: int
    messages: int
    seconds: int
    answers: int
    patients: int
    days: int
    names: int


FULL = Scale(3, 100_000, 10_000_000, 150_000, 15_000, 20, 2000, 100, 30, 10_000)
QUICK = Scale(3, 10_000, 1_000_000, 60_000, 6_000, 6, 400, 20, 7, 2000)
