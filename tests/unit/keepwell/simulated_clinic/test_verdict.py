"""The verdict finds what was planted, and nothing where nothing was."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keepwell.simulated_clinic.dues import Alarm, Due, Kind, dues_of, pages_of
from keepwell.simulated_clinic.reading import Reading, Said
from keepwell.simulated_clinic.verdict import Channel, Message, Stop, check_ledger
from shared.languages import Language
from shared.walltime import parse_wall as wall
from tests.unit.keepwell.simulated_clinic.samples import (
    AT_NOON,
    AT_TEN,
    END,
    ENROLLED,
    NUMBER,
    a_chart,
    attended,
    both_reminders,
    instant,
    note,
    question,
    reminder,
    verdict_on,
)

UNTIL = instant(AT_TEN)


def test_what_was_due_and_said_is_clean() -> None:
    chart = a_chart()
    verdict = verdict_on(chart, both_reminders(chart), UNTIL)
    assert verdict.clean
    assert (verdict.due, verdict.accepted, verdict.delivered, verdict.withheld) == (2, 2, 2, {})


def test_a_text_that_reached_nobody_counts_as_accepted_and_not_as_delivered() -> None:
    chart = a_chart()
    first, second = both_reminders(chart)
    lame = Message(second.name, second.channel, second.to, second.at, second.reading, delivered=False)
    verdict = verdict_on(chart, [first, lame], UNTIL)
    assert verdict.clean
    assert (verdict.accepted, verdict.delivered) == (2, 1)


def test_a_lost_text_is_found() -> None:
    chart = a_chart()
    verdict = verdict_on(chart, both_reminders(chart)[:1], UNTIL)
    assert verdict.count("lost") == 1
    assert "1d" in verdict.findings[0].why


@pytest.mark.parametrize(("state", "counted"), [("withheld", "quiet_hours"), ("expired", "quiet_hours")])
def test_a_text_that_was_withheld_with_a_reason_is_not_lost(state: str, counted: str) -> None:
    chart = a_chart()
    dues = dues_of(chart, UNTIL)
    verdict = verdict_on(chart, both_reminders(chart)[:1], UNTIL, notes=[note(dues[1], state, "quiet_hours")])
    assert verdict.clean
    assert verdict.withheld == {counted: 1}


@pytest.mark.parametrize("state", ["accepted", "delivered", "withheld", "sending", "failed"])
def test_a_text_that_only_the_interface_knows_of_is_lost(state: str) -> None:
    chart = a_chart()
    dues = dues_of(chart, UNTIL)
    verdict = verdict_on(chart, both_reminders(chart)[:1], UNTIL, notes=[note(dues[1], state)])
    assert verdict.count("lost") == 1


def test_a_text_that_still_waits_says_for_what() -> None:
    chart = a_chart()
    dues = dues_of(chart, UNTIL)
    later = note(dues[1], "planned", "daily_limit", due_at=dues[1].at + timedelta(hours=9))
    verdict = verdict_on(chart, both_reminders(chart)[:1], UNTIL, notes=[later])
    assert verdict.clean
    assert verdict.withheld == {"waits_daily_limit": 1}


def test_a_note_of_another_session_excuses_nothing() -> None:
    chart = a_chart()
    due = dues_of(chart, UNTIL)[1]
    other = note(Due(due.kind, due.patient, "session-2", due.occurrence, due.at), "withheld", "session_over")
    assert verdict_on(chart, both_reminders(chart)[:1], UNTIL, notes=[other]).count("lost") == 1


def test_a_doubled_text_is_found() -> None:
    chart = a_chart()
    first, second = both_reminders(chart)
    again = reminder(AT_TEN, second.at + timedelta(minutes=2), name="again")
    verdict = verdict_on(chart, [first, second, again], UNTIL)
    assert [finding.what for finding in verdict.findings] == ["twice"]
    assert verdict.findings[0].name == "again"


def test_the_same_reminder_by_text_and_by_mail_is_no_double() -> None:
    chart = a_chart()
    first, second = both_reminders(chart)
    by_mail = reminder(AT_TEN, second.at + timedelta(minutes=2), channel=Channel.EMAIL)
    verdict = verdict_on(chart, [first, second, by_mail], UNTIL)
    assert verdict.clean
    assert verdict.accepted == 2


def test_a_reminder_of_a_moved_session_s_old_time_is_stale() -> None:
    chart = a_chart()
    first, second = both_reminders(chart)
    chart.visits[0].move(AT_NOON, first.at + timedelta(hours=1))
    verdict = verdict_on(chart, [first, second], instant(wall("2026-12-11T00:00")))
    assert [finding.what for finding in verdict.findings] == ["stale"]
    assert verdict.findings[0].name == second.name


def test_reminders_of_both_times_of_a_moved_session_are_due_and_fine() -> None:
    chart = a_chart()
    first, _ = both_reminders(chart)
    chart.visits[0].move(AT_NOON, first.at + timedelta(hours=1))
    new = [reminder(AT_NOON, instant(AT_NOON - timedelta(days=days)), name=f"new {days}") for days in (3, 1)]
    verdict = verdict_on(chart, [first, *new], instant(AT_NOON))
    assert verdict.clean
    assert verdict.due == 3


def test_a_session_that_is_moved_back_to_its_old_time_is_reminded_of_once_for_each_time() -> None:
    chart = a_chart(AT_NOON)
    moved_at = ENROLLED + timedelta(days=1)
    chart.visits[0].move(AT_TEN, moved_at)
    chart.visits[0].move(AT_NOON, moved_at + timedelta(days=1))
    texts = both_reminders(chart)
    assert [text.at for text in texts] == [instant(AT_NOON - timedelta(days=days)) for days in (3, 1)]
    assert verdict_on(chart, texts, instant(AT_NOON)).clean


def test_a_reminder_after_the_cancellation_is_stale() -> None:
    chart = a_chart()
    first, second = both_reminders(chart)
    chart.visits[0].end(second.at - timedelta(minutes=20))
    assert verdict_on(chart, [first, second], UNTIL).count("stale") == 1


def test_a_reminder_of_a_day_on_which_nothing_is_booked_is_stale() -> None:
    chart = a_chart()
    wrong = reminder(AT_NOON, ENROLLED + timedelta(days=2))
    assert verdict_on(chart, [*both_reminders(chart), wrong], UNTIL).count("stale") == 1


def test_a_reminder_before_any_is_due_is_stale() -> None:
    chart = a_chart(wall("2026-12-02T09:00"))
    early = reminder(wall("2026-12-02T09:00"), ENROLLED + timedelta(minutes=1))
    verdict = verdict_on(chart, [early, *both_reminders(chart)], instant(wall("2026-12-02T09:00")))
    assert [finding.what for finding in verdict.findings] == ["stale"]


def test_a_question_after_the_discharge_is_stale() -> None:
    chart = attended(a_chart())
    day_1 = next(due for due in dues_of(chart, END) if due.kind is Kind.CHECKIN)
    chart.discharge(day_1.at - timedelta(hours=2))
    texts = [*both_reminders(chart), question(day_1.at, "http://x/c/1")]
    assert [finding.what for finding in verdict_on(chart, texts).findings] == ["stale"]


def test_questions_are_due_on_days_1_and_3_and_weekly_and_the_same_link_twice_is_a_double() -> None:
    chart = attended(a_chart())
    chart.plan = "plan-1"
    until = instant(wall("2026-12-25T00:00"))
    asked = [due for due in dues_of(chart, until) if due.kind is Kind.CHECKIN]
    assert [due.occurrence for due in asked] == ["baseline", "day-1", "day-3", "week-1", "week-2"]
    texts = [*both_reminders(chart), *(question(due.at, f"http://x/c/{due.occurrence}") for due in asked)]
    assert verdict_on(chart, texts, until).clean
    again = question(asked[-1].at + timedelta(hours=1), "http://x/c/week-2")
    assert [finding.what for finding in verdict_on(chart, [*texts, again], until).findings] == ["twice"]


def test_a_second_question_for_one_due_date_is_a_double_though_its_link_is_new() -> None:
    chart = attended(a_chart())
    until = instant(wall("2026-12-12T00:00"))
    texts = [*both_reminders(chart), question(instant(wall("2026-12-11T10:00")), "http://x/c/1")]
    again = question(instant(wall("2026-12-11T11:00")), "http://x/c/2")
    assert [finding.what for finding in verdict_on(chart, [*texts, again], until).findings] == ["twice"]


def test_a_text_after_stop_is_found_and_one_that_confirms_the_stop_is_not() -> None:
    chart = a_chart()
    texts = both_reminders(chart)
    since = texts[0].at + timedelta(minutes=20)
    confirms = Message("ok", Channel.SMS, NUMBER, since, Reading(Said.STOPPED), delivered=True)
    verdict = check_ledger(
        [chart],
        dues_of(chart, UNTIL),
        [*texts, confirms],
        notes=[],
        stops=[Stop(NUMBER, since, None)],
        refused=[(NUMBER, since + timedelta(days=1)), (NUMBER, since - timedelta(days=1))],
    )
    assert verdict.count("after_stop") == 2
    assert {finding.name for finding in verdict.findings} == {"1d", ""}


def test_a_text_after_stop_and_start_is_welcome() -> None:
    chart = a_chart()
    texts = both_reminders(chart)
    span = Stop(NUMBER, texts[0].at + timedelta(minutes=20), texts[1].at - timedelta(minutes=20))
    assert check_ledger([chart], dues_of(chart, UNTIL), texts, notes=[], stops=[span]).clean


def test_a_text_to_a_stranger_and_words_of_no_catalogue_are_stale() -> None:
    chart = a_chart()
    first, second = both_reminders(chart)
    stranger = reminder(AT_TEN, second.at, to="+12125550199")
    odd = Message("odd", Channel.SMS, NUMBER, second.at, Reading(Said.UNREAD), delivered=True)
    assert verdict_on(chart, [first, second, stranger, odd], UNTIL).count("stale") == 2


def test_answers_and_notices_are_counted_apart() -> None:
    chart = a_chart()
    texts = both_reminders(chart)
    reply = Message("r", Channel.SMS, NUMBER, texts[0].at, Reading(Said.REPLY), delivered=True)
    moved = Message("n", Channel.EMAIL, "patient.0@mailbox.example", texts[0].at, Reading(Said.NOTICE), delivered=True)
    verdict = verdict_on(chart, [texts[0], reply, moved, texts[1]], UNTIL)
    assert verdict.clean
    assert (verdict.accepted, verdict.replies) == (2, 2)


def test_pages_come_at_once_and_each_quarter_of_an_hour_until_somebody_has_seen_the_alert() -> None:
    raised = ENROLLED
    seen = raised + timedelta(minutes=40)
    dues = pages_of([Alarm("alert-1", 0, raised, seen, seen)], END)
    assert [due.at - raised for due in dues] == [timedelta(minutes=15 * number) for number in range(3)]
    assert len(pages_of([Alarm("alert-1", 0, raised, None)], raised + timedelta(hours=6))) == 25
    closed = seen + timedelta(minutes=130)
    again = pages_of([Alarm("alert-1", 0, raised, seen, closed)], END)[3:]
    assert [due.at - seen for due in again] == [timedelta(hours=1), timedelta(hours=2)]
    assert pages_of([Alarm("alert-1", 0, raised, None, level="task")], END) == []

    def page(number: int, minutes: int) -> Message:
        at = raised + timedelta(minutes=minutes)
        return Message(f"p{number}", Channel.SMS, "+12025550199", at, Reading(Said.PAGE), delivered=True)

    said = [page(0, 0), page(1, 15), page(2, 30)]
    assert check_ledger([], dues, said, notes=[]).clean
    assert check_ledger([], dues, said[:2], notes=[]).count("lost") == 1
    assert check_ledger([], dues, [*said, page(3, 45)], notes=[]).count("twice") == 1
    assert check_ledger([], dues, [page(9, -1), *said], notes=[]).count("twice") == 1
    missed = replace(said[0], delivered=False)
    assert check_ledger([], dues, [missed, page(4, 1), *said[1:]], notes=[]).clean
    assert check_ledger([], dues, [missed, page(4, 1), page(5, 2), *said[1:]], notes=[]).count("twice") == 1


def test_a_page_in_the_instant_of_its_alerts_end_may_go_out_or_not_and_excuses_no_later_one() -> None:
    raised = ENROLLED
    seen = raised + timedelta(minutes=1)
    closed = seen + timedelta(hours=1)
    dues = pages_of([Alarm("alert-1", 0, raised, seen, closed)], END)
    first = Message("p0", Channel.SMS, "+12025550199", raised, Reading(Said.PAGE), delivered=True)
    tied, late = (replace(first, name=f"p{minutes}", at=closed + timedelta(minutes=minutes)) for minutes in (0, 5))
    assert [(due.at, due.must) for due in dues] == [(raised, True), (closed, False)]
    without, with_it = check_ledger([], dues, [first], notes=[]), check_ledger([], dues, [first, tied], notes=[])
    assert (without.clean, without.due, with_it.clean, with_it.due) == (True, 1, True, 2)
    assert check_ledger([], dues, [first, late], notes=[]).count("twice") == 1
    assert check_ledger([], dues, [first, tied, late], notes=[]).count("twice") == 1


def test_texts_are_matched_in_the_patient_s_language() -> None:
    chart = a_chart(language=Language.ES)
    spanish = [
        reminder(AT_TEN, instant(AT_TEN - timedelta(days=days)), language=Language.ES, name=f"{days}")
        for days in (3, 1)
    ]
    assert verdict_on(chart, spanish, UNTIL).clean
    english = [reminder(AT_TEN, text.at) for text in spanish]
    verdict = verdict_on(chart, english, UNTIL)
    assert (verdict.count("stale"), verdict.count("lost")) == (2, 2)
