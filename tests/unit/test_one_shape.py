"""A session has one shape from its owner to the page: what is told of it stands where it is shown."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import pytest

from services.clinic.store import event_rows, responses
from services.clinic.tables import PLANS, SESSIONS
from services.scheduler.model import plans, sessions
from services.scheduler.model.catalogue import newest
from services.scheduler.model.patients import Patient
from services.scheduler.model.sessions import Booking, Session, SessionKind, slot
from services.scheduler.published_events import plan_event, session_event
from services.scheduler.tables import sessions as owned
from services.scheduler.views import PlanView, SessionView
from shared.events import EVENTS, PlanChanged, SessionCorrected, SessionEvent
from shared.ids import ClinicId, PatientId, PlanId, SessionId, new_id
from shared.walltime import parse_wall
from tests.support.bench import KEYRING

PATIENT: Final = Patient(PatientId(new_id()), ClinicId(new_id()), 1, "America/New_York")
TOLD: Final = [kind for kind in EVENTS if issubclass(kind, SessionEvent)]


def a_session() -> Session:
    at = slot(parse_wall("2026-12-01T10:00"), PATIENT.zone, 60)
    booked = sessions.book(Booking(at), PATIENT, SessionId(new_id()), plan=PlanId(new_id()), number=4)
    attended = sessions.attend(booked, at.ends_at_utc)
    return replace(attended, not_asked=("day-1",), reason="Her sister is ill", note="Has eaten nothing")


def told(kind: type[SessionEvent], session: Session) -> SessionEvent:
    if kind is not SessionCorrected:
        return session_event(kind, session)
    why = KEYRING.seal("Came at ten.", context="correction")
    return session_event(kind, session, before="missed", by="Ben", at=session.attended_at, reason=why)


def test_what_is_booked_is_what_staff_said() -> None:
    at = slot(parse_wall("2026-12-01T10:00"), PATIENT.zone, 60)
    wanted = Booking(at, SessionKind.CONSULTATION)
    session = sessions.book(wanted, PATIENT, SessionId(new_id()), plan=None, number=None)
    assert {name: getattr(session, name) for name in vars(wanted)} == vars(wanted)


def test_every_field_of_a_session_has_its_column_and_no_column_is_left_over() -> None:
    assert set(a_session().flat()) == {column.name for column in owned.c}


PLAIN: Final = {
    *("patient", "clinic", "version", "session", "plan", "number", "kind", "state", "before", "by", "not_asked"),
    *("starts_at", "starts_at_utc", "zone", "minutes", "at", "attended_at", "attended_on"),
}
"""What events of sessions may say in clear: identifiers, instants and codes, and who of the staff it was."""


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.__name__)
def test_nothing_stands_in_clear_in_an_event_before_somebody_said_that_it_may(kind: type[SessionEvent]) -> None:
    properties = kind.model_json_schema()["properties"]
    sealed = {name for name, said in properties.items() if str(said.get("description", "")).startswith("AES-256-GCM")}
    assert set(properties) - sealed <= PLAIN


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.__name__)
def test_what_staff_wrote_of_a_session_never_leaves_with_an_event(kind: type[SessionEvent]) -> None:
    said = told(kind, a_session()).model_dump_json()
    assert "sister" not in said
    assert "eaten" not in said


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.__name__)
def test_every_event_of_a_session_tells_all_that_is_told_of_sessions(kind: type[SessionEvent]) -> None:
    event = told(kind, a_session())
    assert (event.attended_on, event.not_asked, event.number) == (date(2026, 12, 1), ("day-1",), 4)
    assert event.starts_at == "2026-12-01T10:00"


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.__name__)
def test_the_page_shows_the_same_by_the_owners_answer_as_by_its_event(kind: type[SessionEvent]) -> None:
    session = a_session()
    answer = SessionView.of(session, KEYRING).model_dump(mode="json") | {"clinic": str(PATIENT.clinic)}
    by_event = event_rows.session_row(told(kind, session))
    assert responses.SESSION.row(answer, KEYRING) == by_event
    assert set(by_event) <= {column.name for column in SESSIONS.c}


def test_a_plan_is_the_same_by_the_owners_answer_as_by_its_event() -> None:
    start = parse_wall("2026-12-01T10:00").date()
    protocol = newest("iv-ketamine")
    plan = plans.start(protocol, start, plan=PlanId(new_id()), clinic=PATIENT.clinic, patient=PATIENT.id)
    plan = replace(plan, next_due_on=start + timedelta(days=3))
    answer = PlanView.of(plan).model_dump(mode="json") | {"clinic": str(PATIENT.clinic)}
    by_event = event_rows.plan_row(plan_event(PlanChanged, plan))
    assert responses.PLAN.row(answer, KEYRING) == by_event
    assert {"active", "window_later_days", "clinic", "patient"} <= set(by_event) <= {column.name for column in PLANS.c}
