from dataclasses import replace
from datetime import date, timedelta

from services.clinic.model.reads import AlertState, SessionState
from services.clinic.views.picture import Fact, picture
from tests.unit.clinic import samples
from tests.unit.clinic.samples import NOW, ZONE


def facts(**changes: object) -> dict[str, Fact]:
    record = replace(samples.a_record(), **changes)  # type: ignore[arg-type]
    found = picture(record.plan, record.sessions, record.scores, record.alerts, now=NOW, zone=ZONE)
    return {fact.name: fact for fact in found}


def test_the_last_score_is_held_against_the_one_before_and_the_first() -> None:
    assert facts()["PHQ-9"].text == "4 minimal"
    assert facts()["PHQ-9"].note.endswith("after 5; 19 at first")


def test_a_severe_score_is_loud_and_a_missing_one_is_said() -> None:
    worse = [*samples.scores_of(0), replace(samples.scores_of(0)[0], asked_for=date(2026, 12, 1))]
    assert facts(scores=worse)["PHQ-9"].tone == "danger"
    assert facts(scores=[])["Score"].text == "none yet"


def test_the_last_mood_stands_beside_the_score() -> None:
    mood = replace(samples.scores_of(0)[0], instrument="post-session", total=None, band=None, answers={"mood": 6})
    assert facts(scores=[mood])["Mood"].text == "6 of 10"
    assert "Mood" not in facts()


def test_the_next_session_or_what_is_due_is_never_left_out() -> None:
    assert facts()["Next session"].text == "Tue, Dec 8, 10:00 AM"
    none = facts(sessions=[])["Next session"]
    assert (none.text, none.note, none.tone) == ("none booked", "due Tue, Dec 8", "")
    late = facts(sessions=[], plan=replace(samples.a_plan(0), next_due_on=NOW.date() - timedelta(days=3)))
    assert (late["Next session"].note, late["Next session"].tone) == ("3 days overdue", "warn")
    past = [replace(one, state=SessionState.BOOKED) for one in samples.a_record().sessions[1:]]
    assert facts(sessions=past)["Next session"].text == "none booked", "a session of the past is not the next"


def test_an_alert_that_is_not_closed_is_in_the_picture() -> None:
    alerts = [samples.an_alert(0, state) for state in AlertState]
    assert facts(alerts=alerts)["Open alerts"] == Fact("Open alerts", "2", "1 not acknowledged", "danger")
    assert facts(alerts=alerts[1:])["Open alerts"].note == "acknowledged"
    assert "Open alerts" not in facts(alerts=alerts[2:])
