from datetime import UTC, datetime, timedelta

import pytest

from services.notifier.model.arriving import Arrival, start_holds, stop_holds

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def came(ms: int, door: str | None = "a", *, turn: int | None = None) -> Arrival:
    """Return an arrival so many milliseconds after noon, in trial time that stands still."""
    when = NOON + timedelta(milliseconds=ms)
    taken = NOON + timedelta(milliseconds=ms + 1 if turn is None else turn)
    return Arrival(NOON, when, door, taken) if door else Arrival(when)


@pytest.mark.parametrize(
    ("stop", "start", "last_is_start"),
    [
        (came(0), came(5), True),
        (came(5), came(0), False),
        (came(0, turn=9), came(5), False),
        (came(0, "a"), came(1999, "b"), False),
        (came(0, "a"), came(2000, "b"), True),
        (came(0, None), came(1999, None), False),
        (came(0, None), came(2000, None), True),
        (came(0, None), came(1000, "a"), False),
    ],
)
def test_a_start_counts_only_where_it_surely_came_last(stop: Arrival, start: Arrival, last_is_start: bool) -> None:
    assert start_holds(start, [stop]) is last_is_start


def test_a_stop_that_is_handed_over_late_does_not_undo_a_later_start() -> None:
    late = came(0, None)
    assert not stop_holds(late, [came(60_000, None)])
    assert stop_holds(late, [came(1000, None)])
    assert stop_holds(came(10, turn=30), [came(20, turn=25)])
