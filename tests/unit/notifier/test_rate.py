from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.model.rate import Rate

START = datetime(2026, 12, 1, tzinfo=UTC)


def test_a_second_of_rest_is_all_that_gathers() -> None:
    rate = Rate(4)
    assert rate.allows(None, START) == 4
    assert rate.allows(START - timedelta(hours=1), START) == 4


def test_what_is_spent_comes_back_one_by_one() -> None:
    rate = Rate(4)
    spent = rate.after(None, START, 4)
    assert rate.allows(spent, START) == 0
    assert rate.next_at(spent, START) == START + timedelta(seconds=0.25)
    assert rate.allows(spent, START + timedelta(seconds=0.25)) == 1


def test_a_rate_below_one_a_second_still_lets_one_pass() -> None:
    assert Rate(0.5).allows(None, START) == 1


@given(st.lists(st.floats(0, 5), max_size=60), st.floats(0.2, 50))
def test_no_span_holds_more_than_the_rate_allows(pauses: list[float], per_second: float) -> None:
    rate, now, spent, sent = Rate(per_second), START, None, 0
    for pause in pauses:
        now += timedelta(seconds=pause)
        count = rate.allows(spent, now)
        spent = rate.after(spent, now, count)
        sent += count
    assert sent <= (now - START).total_seconds() * per_second + max(1.0, per_second) + 1e-3
