from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from services.clinic.model.chart import Scale
from services.clinic.model.patient import PatientState
from services.clinic.model.reads import AlertState, MessageState, ProposalState, SessionState
from services.clinic.model.roles import Role
from services.clinic.model.stopped import Stop, Stopped
from services.clinic.views.components import Chip, FormState, Tone, age, band_chip, say_due, say_occurrence
from services.clinic.views.compose_list import patient_row
from services.clinic.views.compose_patient import able, patient_page
from services.clinic.views.compose_today import Day, may_attend, may_miss, today_page
from services.clinic.views.patient import Choice
from services.clinic.views.rows import (
    alert_row,
    change_text,
    failure_row,
    intent_chip,
    proposal_view,
    why_words,
)
from shared.instruments import MEASURE
from tests.unit.clinic import samples
from tests.unit.clinic.samples import NAME_OF, NOW, SOURCES, ZONE

DAY = date(2026, 12, 1)


def the_patient(**changes: object) -> object:
    record = replace(samples.a_record(), **changes)  # type: ignore[arg-type]
    return patient_page(samples.PATIENTS[0], record, role=Role.CLINICIAN, now=NOW, zone=ZONE, sources=SOURCES)


def test_the_day_is_divided_by_the_hour_of_the_clinics_wall_clock() -> None:
    page = today_page(DAY, samples.a_day(), NAME_OF, now=NOW, zone=ZONE)
    assert [hour.text for hour in page.hours] == ["9 AM", "10 AM", "11 AM", "2 PM", "3 PM", "4 PM"]
    assert [visit.time for visit in page.hours[2].visits] == ["11:00 AM", "11:30 AM"]


def test_another_clinics_zone_shows_the_same_instants_by_its_own_clock() -> None:
    page = today_page(DAY, samples.a_day(), NAME_OF, now=NOW, zone="America/Los_Angeles")
    assert page.hours[0].text == "6 AM"


def test_a_cancelled_session_does_not_count() -> None:
    page = today_page(DAY, samples.a_day(), NAME_OF, now=NOW, zone=ZONE)
    assert {tile.text: tile.number for tile in page.tiles}["sessions today"] == 6


def test_another_day_is_not_called_today() -> None:
    assert today_page(DAY + timedelta(days=1), samples.a_day(), NAME_OF, now=NOW, zone=ZONE).title == (
        "Wednesday, December 2"
    )


def test_an_acknowledged_alert_is_never_out_of_sight() -> None:
    page = today_page(DAY, samples.a_day(), NAME_OF, now=NOW, zone=ZONE)
    assert [row.person.name for row in page.open_alerts] == ["Peter Kowalski"]
    assert [row.person.name for row in page.seen_alerts] == ["Grace Nakamura"]
    assert page.tiles[0].number == 2
    assert page.seen_alerts[0].age == "25 min ago"


def test_what_waits_is_counted_beyond_the_rows_that_are_shown() -> None:
    page = today_page(DAY, samples.a_day(), NAME_OF, now=NOW, zone=ZONE)
    counts = {tile.text: tile.number for tile in page.tiles}
    assert (counts["to read"], page.replies.more) == (101, 100)
    assert (counts["to book"], page.due.more) == (9, 8)


def test_nothing_is_called_done_that_still_waits() -> None:
    waits = today_page(DAY, samples.a_day(), NAME_OF, now=NOW, zone=ZONE)
    assert waits.clear == ()
    done = today_page(DAY, Day(sessions=[]), NAME_OF, now=NOW, zone=ZONE)
    assert len(done.clear) == 9


def test_one_cause_is_one_finding_with_its_count_and_what_to_do() -> None:
    said = ("the number is a landline and takes no texts", "Ask for a mobile number, or agree on e-mail.")
    row = failure_row(samples.a_failure("30006", said=said), NAME_OF, ZONE)
    assert row.what == "40 texts not delivered"
    assert row.why == "the number is a landline and takes no texts"
    assert "mobile number" in row.step
    assert ([one.name for one in row.people], row.others) == (["Grace Nakamura", "Daniel Reyes"], 36)


@pytest.mark.parametrize(
    ("since", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(minutes=60), "1 h ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=9, hours=23), "9 days ago"),
    ],
)
def test_an_age_is_said_in_the_largest_whole_unit(since: timedelta, words: str) -> None:
    assert age(NOW - since, NOW) == words


@pytest.mark.parametrize(
    ("ahead", "words", "tone"),
    [(-1, "1 day overdue", Tone.WARN), (0, "due today", Tone.WARN), (7, "due in 7 days", Tone.PLAIN)],
)
def test_only_what_is_due_is_amber(ahead: int, words: str, tone: Tone) -> None:
    assert say_due(DAY + timedelta(days=ahead), DAY) == Chip(words, tone)


def test_a_word_that_is_not_known_here_is_shown_and_stops_no_page() -> None:
    assert intent_chip("not-seen-before").text == "not seen before"


def test_a_session_is_not_missed_before_its_time() -> None:
    session = samples.a_session(0, samples.a_day().sessions[3].starts_at)
    assert may_miss(session, session.starts_at_utc)
    assert not may_miss(session, session.starts_at_utc - timedelta(minutes=4))


def test_a_session_can_be_marked_as_attended_from_an_hour_before_it_starts() -> None:
    session = samples.a_session(0, samples.a_day().sessions[3].starts_at)
    start = session.starts_at_utc
    assert may_attend(session, start - timedelta(hours=1))
    assert not may_attend(session, start - timedelta(hours=1, seconds=1))
    assert not may_attend(replace(session, state=SessionState.ATTENDED), start)


def test_nobody_is_said_to_know_of_an_alert_before_they_acknowledged_it() -> None:
    assert "Nobody has acknowledged it yet" in alert_row(samples.an_alert(7), NAME_OF, ZONE, NOW).paged
    seen = alert_row(samples.an_alert(7, AlertState.ACKNOWLEDGED), NAME_OF, ZONE, NOW)
    assert seen.paged.startswith("Acknowledged by Dr. Alma Reid")
    assert not seen.can_acknowledge


def test_a_proposal_that_changes_nothing_says_so() -> None:
    held = replace(samples.a_proposal(0), direction="hold", to_days=28)
    assert change_text(held) == "Hold at 28 days"
    assert change_text(replace(held, review=True)) == "Review, hold at 28 days"


def test_a_proposal_shows_its_evidence_and_the_grade_of_its_source() -> None:
    view = proposal_view(samples.a_proposal(0), NAME_OF, ZONE, SOURCES)
    assert view.evidence[0] == "Mon, Nov 23, 2026: PHQ-9 5"
    assert view.sources[0].grade == "ENGINEERING_DEFAULT"
    assert 42 in view.ladder


def test_without_the_rules_a_proposal_is_shown_without_its_source() -> None:
    assert proposal_view(samples.a_proposal(0), NAME_OF, ZONE, {}).sources == ()


def test_what_was_typed_at_a_decision_is_shown_with_name_and_time() -> None:
    changed = replace(
        samples.a_proposal(0, ProposalState.CHANGED),
        reason="She travels in May.",
        overruled=("Induction is not complete.",),
        override_reason="Agreed with Dr. Cho.",
    )
    view = proposal_view(changed, NAME_OF, ZONE, SOURCES)
    assert view.decided is not None
    assert view.decided.startswith("Changed by ")
    assert view.said == (
        "Reason: “She travels in May.”",
        "Decided although: Induction is not complete. Why: “Agreed with Dr. Cho.”",
    )


def test_a_decided_proposal_can_not_be_decided_again() -> None:
    view = proposal_view(samples.a_proposal(0, ProposalState.APPROVED), NAME_OF, ZONE, SOURCES)
    assert not view.open
    assert view.decided is not None
    assert view.decided.startswith("Approved by Dr. Alma Reid")


@pytest.mark.parametrize(
    ("reason", "why", "words"),
    [
        ("opted_out", "the number said stop", "the number said stop"),
        ("opted_out", None, "opted out"),
        ("new_kind_of_reason", None, "new kind of reason"),
    ],
)
def test_why_a_message_was_withheld_is_said_in_its_owners_words_or_plainly(
    reason: str, why: str | None, words: str
) -> None:
    message = replace(samples.a_message(0, MessageState.WITHHELD, reason=reason), why=why)
    assert why_words(message) == words


def test_a_failure_of_which_nobody_said_the_words_is_shown_with_its_code_and_a_step() -> None:
    row = failure_row(samples.a_failure("31999"), NAME_OF, ZONE)
    assert (row.why, row.step) == ("31999", "Tell them by phone what they should know today.")


@pytest.mark.parametrize(
    ("occurrence", "words"),
    [("3d", "3 days before"), ("day-7", "day 7"), ("manual-ebef68978761", "asked by staff")],
)
def test_what_a_check_in_or_message_was_for_is_said_in_words(occurrence: str, words: str) -> None:
    assert say_occurrence(occurrence) == words


def test_questions_without_a_score_are_only_said_to_be_answered() -> None:
    unscored = replace(samples.scores_of(0)[0], total=None, band=None)
    assert band_chip(unscored).text == "answered"


@pytest.mark.parametrize(
    ("at", "tone"), [(-1, Tone.GOOD), (4, Tone.PLAIN), (2, Tone.WARN), (1, Tone.DANGER), (0, Tone.DANGER)]
)
def test_how_grave_a_band_is_follows_from_its_place_and_not_from_its_name(at: int, tone: Tone) -> None:
    assert band_chip(samples.scores_of(0)[at]).tone is tone


def test_a_score_of_an_instrument_never_heard_of_is_shown_with_its_total_and_stops_no_page() -> None:
    strange = [
        replace(one, instrument="xyz-2", total=40 + at, band=None, scale=None)
        for at, one in enumerate(samples.scores_of(0))
    ]
    page = the_patient(scores=strange)
    (shown,) = page.scores  # type: ignore[attr-defined]
    assert (shown.instrument, shown.rows[0].total.text) == ("XYZ-2", "51")
    assert shown.chart is not None
    assert shown.chart.bands == ()
    assert page.picture[0].name == "XYZ-2"  # type: ignore[attr-defined]
    assert (
        patient_row(samples.PATIENTS[0], plan=None, upcoming=None, scores=strange, alerts=0, proposals=0, now=NOW).spark
        is not None
    )


def test_an_instrument_is_called_and_banded_as_its_owner_says() -> None:
    scale = Scale("Well-being (WHO-5)", 0, 25, ((0, "poor"), (13, "good")), higher_is_better=True)
    told = [replace(one, instrument="who-5", total=7, band="poor", scale=scale) for one in samples.scores_of(0)]
    page = the_patient(scores=told)
    (shown,) = page.scores  # type: ignore[attr-defined]
    assert (shown.instrument, [band.name for band in shown.chart.bands]) == ("Well-being (WHO-5)", ["poor", "good"])
    assert shown.rows[0].total == Chip("7 poor", Tone.DANGER)


def test_what_can_be_asked_now_is_what_the_interval_follows_by_its_owners_name() -> None:
    score = samples.scores_of(0)[-1]
    renamed = replace(score, scale=replace(samples.SCALE, name="PHQ-9, second edition"))
    measures = [the_patient(scores=scores).measure for scores in ((), (renamed,))]  # type: ignore[attr-defined]
    assert measures == [Choice(MEASURE, "PHQ-9"), Choice(MEASURE, "PHQ-9, second edition")]


def test_scores_from_before_their_instrument_was_described_take_what_a_newer_one_says() -> None:
    *old, newest = samples.scores_of(0)
    (shown,) = the_patient(scores=[*(replace(one, scale=None) for one in old), newest]).scores  # type: ignore[attr-defined]
    assert shown.instrument == "PHQ-9"
    assert len(shown.chart.bands) == 5


@pytest.mark.parametrize(
    ("how", "said", "unsaid"),
    [
        ("text", "Only whoever has the phone can lift that", "carrier"),
        ("provider error 21610", "The carrier blocks", "Only whoever"),
        ("wrong number", "Ask the patient, and correct it.", "START"),
    ],
)
def test_a_stop_is_shown_for_every_purpose_with_who_can_lift_it(how: str, said: str, unsaid: str) -> None:
    patient = samples.PATIENTS[0]
    page = the_patient(stopped=Stopped(contacts={str(patient.contacts[0].id): Stop(how, NOW)}))
    assert page.contacts[0].consents == ()  # type: ignore[attr-defined]
    words = page.contacts[0].notes[-1]  # type: ignore[attr-defined]
    assert said in words
    assert unsaid not in words


def test_consent_that_was_taken_back_for_one_purpose_leaves_the_others() -> None:
    patient = samples.PATIENTS[0]
    contact, purpose = patient.contacts[0], patient.contacts[0].consents[0].purpose
    page = the_patient(stopped=Stopped(frozenset({(str(contact.id), str(purpose))})))
    assert len(page.contacts[0].consents) == len(contact.consents) - 1  # type: ignore[attr-defined]
    assert "They took back their consent." in page.contacts[0].notes[-1]  # type: ignore[attr-defined]


def test_a_discharged_patient_shows_no_forms() -> None:
    patient = samples.a_patient(state=PatientState.DISCHARGED)
    page = patient_page(patient, samples.a_record(), role=Role.CLINICIAN, now=NOW, zone=ZONE, sources=SOURCES)
    assert not page.enrolled


def test_staff_may_book_but_not_decide() -> None:
    assert able(Role.STAFF).sessions
    assert not able(Role.STAFF).decide


def test_a_plan_that_is_late_with_nothing_booked_is_marked_overdue() -> None:
    row = patient_row(
        samples.PATIENTS[0],
        plan=replace(samples.a_plan(0), next_due_on=date(2026, 11, 20)),
        upcoming=None,
        scores=samples.scores_of(0),
        alerts=0,
        proposals=0,
        now=NOW,
    )
    assert [mark.text for mark in row.marks] == ["overdue"]


def test_what_was_typed_goes_back_into_its_own_form_alone() -> None:
    form = FormState({"reason": "ill"}, {}, "cancel-1")
    assert form.of("cancel-1").value("reason") == "ill"
    assert form.of("cancel-2").value("reason") == ""


@pytest.mark.parametrize(
    ("due", "now", "expected"),
    [
        (date(2026, 12, 8), NOW, "2026-12-08T10:00"),
        (date(2026, 12, 1), NOW, "2026-12-01T12:00"),
        (date(2026, 11, 1), NOW, "2026-12-01T12:00"),
    ],
)
def test_the_time_offered_for_a_session_is_the_day_that_is_due_and_never_past(
    due: date, now: datetime, expected: str
) -> None:
    plan = replace(samples.a_plan(0), next_due_on=due)
    record = replace(samples.a_record(), plan=plan)
    page = patient_page(samples.PATIENTS[0], record, role=Role.CLINICIAN, now=now, zone=ZONE, sources=SOURCES)
    assert page.book_at == expected


def test_a_proposal_offers_the_steps_of_its_own_ladder_and_no_others() -> None:
    proposal = samples.a_proposal(0)
    own = proposal_view(replace(proposal, from_days=10, to_days=21, ladder=(10, 21, 35)), NAME_OF, ZONE, SOURCES)
    assert own.ladder == (10, 21, 35)
    old = proposal_view(replace(proposal, from_days=28, to_days=42, ladder=()), NAME_OF, ZONE, SOURCES)
    assert old.ladder == (28, 42), "where nobody has said them, none is made up"
