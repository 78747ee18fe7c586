"""What has to be said follows from the record and the product's promises alone."""

from dataclasses import replace
from datetime import datetime, timedelta

from keepwell.simulated_clinic.dues import Kind, dues_of
from keepwell.simulated_clinic.record import Chart, Placement
from shared.walltime import parse_wall as wall
from tests.unit.keepwell.simulated_clinic.samples import AT_TEN, END, ENROLLED, ZONE, a_chart, attended, instant


def occurrences(chart: Chart, kind: Kind = Kind.REMINDER, until: datetime = END) -> list[str]:
    return [due.occurrence for due in dues_of(chart, until) if due.kind is kind]


def test_a_session_booked_two_days_ahead_is_reminded_of_the_day_before_alone() -> None:
    assert occurrences(a_chart(wall("2026-12-02T10:00"))) == ["1d"]


def test_a_session_booked_for_tomorrow_morning_early_is_not_reminded_of() -> None:
    chart = a_chart(wall("2026-12-01T07:00"))
    assert occurrences(chart) == []


def test_reminders_keep_the_wall_time_over_the_change_of_clocks() -> None:
    chart = a_chart()
    chart.visits[0].placements[0] = Placement(wall("2026-11-02T09:00"), ZONE, instant(wall("2026-10-01T07:00")))
    dues = dues_of(chart, END)
    assert [due.at for due in dues] == [instant(wall("2026-10-30T09:00")), instant(wall("2026-11-01T09:00"))]
    assert dues[1].at - dues[0].at == timedelta(days=2, hours=1)


def test_nothing_is_due_after_the_end_that_is_judged() -> None:
    assert occurrences(a_chart(), until=instant(AT_TEN - timedelta(days=2))) == ["3d"]


def test_nothing_is_due_once_the_patient_has_left() -> None:
    chart = a_chart()
    chart.discharge(instant(AT_TEN - timedelta(days=2)))
    assert occurrences(chart) == ["3d"]


def test_short_checks_end_with_the_next_attended_session() -> None:
    chart = attended(a_chart())
    second = a_chart(AT_TEN + timedelta(days=4)).visits[0]
    second.session = "session-2"
    chart.visits.append(second)
    attended_later = second.present.starts_at_utc + timedelta(minutes=100)
    second.end(attended_later)
    second.attended_at, second.attended_on = attended_later, second.present.starts_at.date()
    chart.saw_plan(attended_later, version=3, next_due_on=AT_TEN.date() + timedelta(days=8))
    asked = [due for due in dues_of(chart, instant(AT_TEN + timedelta(days=6))) if due.kind is Kind.CHECKIN]
    assert [(due.occurrence, due.at) for due in asked] == [
        ("day-1", instant(AT_TEN + timedelta(days=1))),
        ("day-3", instant(AT_TEN + timedelta(days=3))),
        ("day-1", instant(AT_TEN + timedelta(days=5))),
    ]


def test_a_session_that_is_recorded_days_later_asks_only_for_days_to_come() -> None:
    chart = attended(a_chart())
    chart.visits[0].attended_at = instant(AT_TEN + timedelta(days=2))
    chart.seen[-1] = replace(chart.seen[-1], at=instant(AT_TEN + timedelta(days=2)))
    assert occurrences(chart, Kind.CHECKIN, instant(AT_TEN + timedelta(days=8))) == ["day-3"]


def test_a_plan_asks_before_its_first_session_and_weekly_from_it() -> None:
    chart = a_chart()
    chart.plan = "plan-1"
    attended(chart)
    assert occurrences(chart, Kind.CHECKIN, instant(AT_TEN + timedelta(days=15))) == [
        "baseline",
        "day-1",
        "day-3",
        "week-1",
        "week-2",
    ]


def test_whoever_has_nothing_booked_is_told_to_book_a_week_ahead_and_once() -> None:
    chart = a_chart()
    chart.visits.clear()
    chart.seen.clear()
    due_on = AT_TEN.date() + timedelta(days=20)
    chart.saw_plan(ENROLLED, version=1, next_due_on=due_on)
    chart.saw_plan(ENROLLED + timedelta(days=1), version=2, next_due_on=due_on)
    asked = [due for due in dues_of(chart, END) if due.kind is Kind.BOOKING]
    assert [(due.occurrence, due.at) for due in asked] == [
        (due_on.isoformat(), instant(datetime.combine(due_on - timedelta(days=7), AT_TEN.time())))
    ]


def test_whoever_has_a_session_ahead_is_not_told_to_book() -> None:
    assert occurrences(a_chart(AT_TEN + timedelta(days=20)), Kind.BOOKING) == []
