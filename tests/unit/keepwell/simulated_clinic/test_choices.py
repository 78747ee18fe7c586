"""The made-up staff choose by seed and index, and choose what a clinic could."""

from collections import Counter
from datetime import date

from keepwell.simulated_clinic import choices
from keepwell.simulated_clinic.choices import Ending, Shift
from keepwell.simulated_clinic.people import MOST, person
from services.clinic.model.contacts import read_email, read_phone
from shared.walltime import parse_wall as wall

EVERYBODY = range(400)
LADDER = (7, 14, 21, 28, 42, 56, 84)


def test_the_same_seed_chooses_the_same_in_any_order() -> None:
    forward = [(person(1, index), choices.fate(1, index, 2), choices.care(1, index, 90)) for index in EVERYBODY]
    backward = [(person(1, i), choices.fate(1, i, 2), choices.care(1, i, 90)) for i in reversed(EVERYBODY)][::-1]
    assert forward == backward
    other = [(person(2, index), choices.fate(2, index, 2), choices.care(2, index, 90)) for index in EVERYBODY]
    assert forward != other


def test_everybody_has_a_number_and_an_address_of_their_own_that_the_clinic_takes() -> None:
    people = [person(1, index) for index in range(0, MOST, 7)]
    numbers = {who.number for who in people}
    assert len(numbers) == len(people)
    assert all(read_phone(number) == number for number in numbers)
    assert all(read_email(who.email) == who.email for who in people if who.email is not None)
    assert numbers.isdisjoint({"+12025550100", "+12025550199"})


def test_people_are_a_mix_of_languages_zones_addresses_and_consents() -> None:
    people = [person(1, index) for index in EVERYBODY]
    assert {who.language for who in people} == {"en", "es"}
    assert len({who.zone for who in people}) == 5
    assert 0.4 < sum(who.email is not None for who in people) / len(people) < 0.6
    assert {bool(who.by_text) for who in people} == {True, False}
    assert all(not who.by_email for who in people if who.email is None)


def test_sessions_are_on_whole_hours_of_weekdays_to_come() -> None:
    for index in EVERYBODY:
        chosen = choices.fate(1, index, 0)
        starts_at = choices.slot(date(2026, 11, 20 + index % 9), date(2026, 11, 24), chosen.hour)
        assert 9 <= starts_at.hour <= 16
        assert starts_at.minute == 0
        assert starts_at.weekday() < 5
        assert starts_at.date() > date(2026, 11, 24)


def test_most_sessions_are_kept_and_some_are_moved_moved_back_missed_and_cancelled() -> None:
    fates = [choices.fate(1, index, booking) for index in EVERYBODY for booking in range(5)]
    endings = Counter(fate.ending for fate in fates)
    assert endings[Ending.ATTEND] > 0.8 * len(fates)
    assert min(endings[Ending.MISS], endings[Ending.CANCEL]) > 0.03 * len(fates)
    assert {len(fate.shifts) for fate in fates} == {0, 1, 2}


def test_a_session_is_not_moved_to_its_own_time_nor_to_a_day_that_has_come() -> None:
    friday = wall("2026-11-27T10:00")
    assert choices.shifted(friday, Shift(0, 0, 10), date(2026, 11, 24)) is None
    assert choices.shifted(friday, Shift(0, -3, 10), date(2026, 11, 24)) is None
    assert choices.shifted(friday, Shift(0, 1, 10), date(2026, 11, 24)) == wall("2026-11-30T10:00")
    assert choices.shifted(wall("2026-11-30T09:00"), Shift(0, -2, 9), date(2026, 11, 24)) == wall("2026-11-27T09:00")


def test_decisions_are_mostly_approvals_and_the_others_give_their_reason() -> None:
    decisions = [
        choices.decide(1, index, number, from_days=21, to_days=28, ladder=LADDER)
        for index in EVERYBODY
        for number in range(3)
    ]
    counted = Counter(one.decision for one in decisions)
    assert counted["approve"] > counted["change"] + counted["refuse"]
    assert min(counted["change"], counted["refuse"]) > 0
    assert all((one.interval_days is not None) == (one.decision == "change") for one in decisions)
    assert all(one.interval_days != 28 for one in decisions)
    assert all(one.reason for one in decisions if one.decision != "approve")


def test_staff_take_more_than_one_step_only_with_a_reason() -> None:
    decisions = [
        choices.decide(2, index, number, from_days=28, to_days=21, ladder=LADDER)
        for index in EVERYBODY
        for number in range(9)
    ]
    changed = [one for one in decisions if one.decision == "change"]
    assert {one.interval_days for one in changed if one.override_reason is None} == {28, 42}
    assert {one.interval_days for one in changed if one.override_reason is not None} == {7, 14, 56, 84}


def test_each_patient_s_proposals_come_up_twice_a_week() -> None:
    week = [date(2026, 11, 23 + day) for day in range(7)]
    assert all(sum(choices.looks_on(index, day) for day in week) == 2 for index in EVERYBODY)
