from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.model.explaining import WHY
from services.notifier.model.purposes import POLICIES, Channel, Occurrence, Purpose
from services.notifier.model.quiet_hours import WakingHours
from services.notifier.model.send_rules import (
    CurrentSession,
    Draft,
    Expire,
    Postpone,
    Reason,
    Send,
    SendConditions,
    SendDecision,
    Withhold,
    may_send,
)
from shared.walltime import parse_wall, to_instant, to_wall

ZONE = "America/New_York"
STARTS = to_instant(parse_wall("2026-12-01T10:00"), ZONE)
NOON = to_instant(parse_wall("2026-11-28T12:00"), ZONE)
REMINDER = Draft(Purpose.REMINDER, Channel.SMS, "3d", starts_at=STARTS)
DAY_BEFORE = replace(REMINDER, occurrence="1d")
MOMENTS = st.datetimes(parse_wall("2026-01-01T00:00"), parse_wall("2027-12-31T00:00"), timezones=st.just(UTC))
CONDITIONS = SendConditions(zone=ZONE, session=CurrentSession(STARTS, open=True))


def at(month: int, day: int, hour: int, minute: int = 0, zone: str = ZONE) -> datetime:
    return to_instant(parse_wall(f"2026-{month:02}-{day:02}T{hour:02}:{minute:02}"), zone)


def test_a_reminder_that_is_true_and_welcome_goes_out() -> None:
    assert may_send(REMINDER, CONDITIONS, NOON) == Send()


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        (replace(CONDITIONS, discharged=True), Reason.DISCHARGED),
        (replace(CONDITIONS, address=False), Reason.NO_ADDRESS),
        (replace(CONDITIONS, opted_out=True), Reason.OPTED_OUT),
        (replace(CONDITIONS, consent=False), Reason.NO_CONSENT),
        (replace(CONDITIONS, session=CurrentSession(STARTS + timedelta(hours=1), open=True)), Reason.SESSION_MOVED),
        (replace(CONDITIONS, session=CurrentSession(STARTS, open=False)), Reason.SESSION_OVER),
        (replace(CONDITIONS, session=None), Reason.SESSION_OVER),
    ],
)
def test_a_reminder_is_withheld_with_its_reason(conditions: SendConditions, reason: Reason) -> None:
    assert may_send(REMINDER, conditions, NOON) == Withhold(reason)


def test_stop_outranks_consent_given_again_at_the_clinic() -> None:
    assert may_send(REMINDER, replace(CONDITIONS, opted_out=True, consent=True), NOON) == Withhold(Reason.OPTED_OUT)


def test_a_text_due_at_night_is_held_until_eight_in_the_recipients_zone() -> None:
    assert may_send(DAY_BEFORE, CONDITIONS, at(11, 30, 21)) == Postpone(at(12, 1, 8), Reason.QUIET_HOURS)
    honolulu = replace(CONDITIONS, zone="Pacific/Honolulu")
    verdict = may_send(REMINDER, honolulu, at(11, 28, 9))
    assert verdict == Postpone(at(11, 28, 8, zone="Pacific/Honolulu"), Reason.QUIET_HOURS)


def test_a_stricter_clinic_closes_earlier() -> None:
    florida = replace(CONDITIONS, hours=WakingHours(time(9), time(20)))
    assert may_send(REMINDER, florida, at(11, 28, 20)) == Postpone(at(11, 29, 9), Reason.QUIET_HOURS)
    assert may_send(REMINDER, florida, at(11, 28, 19, 59)) == Send()


def test_waking_hours_follow_the_wall_through_a_change_of_the_clocks() -> None:
    evening = datetime(2026, 3, 8, 2, 30, tzinfo=UTC)  # 21:30 on the 7th; the clocks go forward that night
    starts = to_instant(parse_wall("2026-03-10T10:00"), ZONE)
    draft = replace(REMINDER, starts_at=starts, occurrence="1d")
    verdict = may_send(draft, replace(CONDITIONS, session=CurrentSession(starts, open=True)), evening)
    assert isinstance(verdict, Postpone)
    assert to_wall(verdict.until, ZONE) == parse_wall("2026-03-08T08:00")


def test_three_days_before_held_into_the_last_day_leaves_the_word_to_the_day_before() -> None:
    assert may_send(REMINDER, CONDITIONS, STARTS - timedelta(hours=23)) == Expire(Reason.SUPERSEDED)
    early = at(12, 1, 7)
    conditions = replace(CONDITIONS, session=CurrentSession(early, open=True))
    assert may_send(replace(REMINDER, starts_at=early), conditions, at(11, 30, 6, 30)) == Expire(Reason.SUPERSEDED)
    assert may_send(replace(REMINDER, starts_at=early), conditions, at(11, 28, 22)) == Postpone(
        at(11, 29, 8), Reason.QUIET_HOURS
    )


def test_no_reminder_after_the_session_has_started() -> None:
    assert may_send(DAY_BEFORE, CONDITIONS, STARTS) == Expire(Reason.TOO_LATE)


def test_a_reminder_that_would_be_held_past_the_start_expires_visibly() -> None:
    starts = at(12, 1, 7)
    draft = replace(DAY_BEFORE, starts_at=starts)
    conditions = replace(CONDITIONS, session=CurrentSession(starts, open=True))
    assert may_send(draft, conditions, at(12, 1, 5)) == Expire(Reason.TOO_LATE)


def test_the_daily_limit_moves_a_text_to_the_next_morning() -> None:
    conditions = replace(CONDITIONS, sent_today=4, daily_limit=4)
    assert may_send(REMINDER, conditions, at(11, 28, 12)) == Postpone(at(11, 29, 8), Reason.DAILY_LIMIT)


def test_the_daily_limit_is_one_of_texts() -> None:
    mail = replace(REMINDER, channel=Channel.EMAIL)
    assert may_send(mail, replace(CONDITIONS, sent_today=4, daily_limit=4), NOON) == Send()


def test_every_reason_is_told_in_words() -> None:
    assert set(WHY) == set(Reason)


@pytest.mark.parametrize("purpose", [Purpose.PAGE, Purpose.REPLY])
def test_pages_and_answers_know_neither_night_nor_limit(purpose: Purpose) -> None:
    conditions = SendConditions(zone=ZONE, sent_today=99, consent=False, discharged=True)
    assert may_send(Draft(purpose, Channel.SMS, "help"), conditions, at(11, 28, 3)) == Send()


def test_someone_who_said_stop_gets_one_confirmation_and_only_soon_after() -> None:
    stopped = Draft(Purpose.REPLY, Channel.SMS, Occurrence.STOPPED, useful_until=NOON + timedelta(minutes=5))
    conditions = SendConditions(zone=ZONE, opted_out=True)
    assert may_send(stopped, conditions, NOON) == Send()
    assert may_send(stopped, conditions, NOON + timedelta(minutes=5)) == Expire(Reason.TOO_LATE)
    assert may_send(Draft(Purpose.REPLY, Channel.SMS, "help"), conditions, NOON) == Withhold(Reason.OPTED_OUT)


def test_nobody_is_asked_to_book_who_has_booked() -> None:
    draft = Draft(Purpose.BOOKING, Channel.SMS, "due")
    assert may_send(draft, replace(CONDITIONS, booked=True), NOON) == Withhold(Reason.ALREADY_BOOKED)
    assert may_send(draft, CONDITIONS, NOON) == Send()


def test_the_notice_of_a_cancelled_session_goes_out_because_it_is_cancelled() -> None:
    notice = Draft(Purpose.REMINDER, Channel.EMAIL, Occurrence.CANCELLED, starts_at=STARTS)
    assert may_send(notice, replace(CONDITIONS, session=CurrentSession(STARTS, open=False)), NOON) == Send()


def follow(draft: Draft, conditions: SendConditions, now: datetime) -> tuple[SendDecision, datetime]:
    verdict = may_send(draft, conditions, now)
    while isinstance(verdict, Postpone):
        assert verdict.until > now
        now = verdict.until
        verdict = may_send(draft, replace(conditions, sent_today=0), now)
    return verdict, now


@given(data=st.data(), purpose=st.sampled_from(list(Purpose)), sent=st.integers(0, 6))
def test_whatever_is_sent_is_sent_in_waking_hours_and_before_the_session(
    data: st.DataObject, purpose: Purpose, sent: int
) -> None:
    zone = data.draw(st.sampled_from([ZONE, "America/Phoenix", "Europe/Madrid", "Asia/Kathmandu", "America/Havana"]))
    now = data.draw(MOMENTS)
    starts = now + timedelta(hours=data.draw(st.integers(1, 200)))
    opens, closes = data.draw(st.permutations(range(24)))[:2]
    hours = WakingHours(time(opens), time(closes))
    conditions = SendConditions(zone=zone, hours=hours, session=CurrentSession(starts, open=True), sent_today=sent)
    verdict, when = follow(Draft(purpose, Channel.SMS, "1d", starts_at=starts), conditions, now)
    if isinstance(verdict, Send):
        assert when < starts
        assert not POLICIES[purpose].keeps_quiet or hours.include(to_wall(when, zone).time())
    else:
        assert verdict == Expire(Reason.TOO_LATE)
