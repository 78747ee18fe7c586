from datetime import timedelta

import pytest

from services.scheduler.model.replies import ReplyOutcome, outcome_of_no, outcome_of_yes
from services.scheduler.model.sessions import Session, SessionState, cancel, confirm, move, slot
from shared.ids import ClinicId, PatientId, SessionId, new_id
from shared.walltime import parse_wall

PATIENT = PatientId(new_id())
START = slot(parse_wall("2026-12-10T10:00"), "America/New_York", 60)
LATER = slot(parse_wall("2026-12-17T10:00"), "America/New_York", 60)
NOW = START.starts_at_utc - timedelta(days=3)
BOOKED = Session(SessionId(new_id()), ClinicId(new_id()), PATIENT, None, 1, SessionState.BOOKED, START)


@pytest.mark.parametrize(
    ("session", "version", "outcome"),
    [
        (BOOKED, 1, ReplyOutcome.CONFIRMED),
        (None, 1, ReplyOutcome.NO_SESSION),
        (BOOKED, None, ReplyOutcome.OLD_VERSION),
        (BOOKED, 0, ReplyOutcome.OLD_VERSION),
        (move(BOOKED, LATER), 1, ReplyOutcome.OLD_VERSION),
        (move(BOOKED, LATER), 2, ReplyOutcome.CONFIRMED),
        (confirm(BOOKED), 1, ReplyOutcome.ALREADY_CONFIRMED),
        (confirm(BOOKED), 2, ReplyOutcome.ALREADY_CONFIRMED),
        (confirm(move(BOOKED, LATER)), 1, ReplyOutcome.OLD_VERSION),
        (move(confirm(BOOKED), LATER), 2, ReplyOutcome.OLD_VERSION),
        (cancel(BOOKED), 1, ReplyOutcome.CLOSED),
        (cancel(BOOKED), 2, ReplyOutcome.CLOSED),
    ],
)
def test_a_yes_holds_for_the_version_it_was_said_to(
    session: Session | None, version: int | None, outcome: ReplyOutcome
) -> None:
    assert outcome_of_yes(session, patient=PATIENT, version=version, now=NOW) is outcome


@pytest.mark.parametrize(
    ("session", "version", "outcome"),
    [
        (confirm(BOOKED), 1, ReplyOutcome.TAKEN_BACK),
        (confirm(BOOKED), 2, ReplyOutcome.TAKEN_BACK),
        (BOOKED, 1, ReplyOutcome.NOT_CONFIRMED),
        (None, 1, ReplyOutcome.NO_SESSION),
        (confirm(move(BOOKED, LATER)), 1, ReplyOutcome.OLD_VERSION),
        (cancel(BOOKED), 2, ReplyOutcome.CLOSED),
    ],
)
def test_a_no_lifts_the_yes_that_it_answers_and_no_other(
    session: Session | None, version: int | None, outcome: ReplyOutcome
) -> None:
    assert outcome_of_no(session, patient=PATIENT, version=version, now=NOW) is outcome


def test_a_yes_to_another_patients_session_confirms_nothing() -> None:
    assert outcome_of_yes(BOOKED, patient=PatientId(new_id()), version=1, now=NOW) is ReplyOutcome.NO_SESSION


def test_a_yes_after_the_start_confirms_nothing() -> None:
    assert outcome_of_yes(BOOKED, patient=PATIENT, version=1, now=START.starts_at_utc) is ReplyOutcome.STARTED
