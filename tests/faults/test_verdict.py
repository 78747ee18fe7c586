"""The verdict is judged first: each broken promise, planted in a ledger, is found, and a kept one is not."""

from datetime import UTC, datetime, timedelta

import pytest

from keepwell.simulated_clinic.reading import when
from services.sandbox.entries import CallRefused, Origin, Source
from services.sandbox.model.profiles import Profile
from services.sandbox.report import InboundView, LedgerView, MessageView
from shared.languages import Language
from tests.faults.record import Fault, Order, Placement, Record, SessionRecord, StopRecord
from tests.faults.verdict import judge

NUMBER = "+12125550001"
DUE = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
WALL = datetime(2026, 12, 2, 10, 0)  # noqa: DTZ001 - a wall time


def at(seconds: float) -> datetime:
    return DUE + timedelta(seconds=seconds)


def order(asked: float, answered: float | None = None) -> Order:
    return Order(at(asked), at(asked + 0.1 if answered is None else answered))


def record_of(ended: Order | None = None, *, placed: Order | None = None, wall: datetime = WALL) -> Record:
    placement = Placement(wall, DUE, placed or order(-30), ended)
    session = SessionRecord(NUMBER, "patient", "en", "session", [placement], cancelled=ended is not None)
    return Record(sessions=[session])


def reminder(seconds: float, *, wall: datetime = WALL, name: str = "SM1", message: str = "m1") -> MessageView:
    day, clock = when(Language.EN, wall, by_mail=False)
    body = f"Keepwell Clinic: your visit is on {day} at {clock}. Reply C to confirm, STOP to end texts."
    return text(seconds, body, name=name, message=message)


def text(seconds: float, body: str, *, name: str = "SM1", message: str = "m1") -> MessageView:
    callback = f"http://127.0.0.1:1/webhooks/twilio/status?message={message}&attempt=a"
    return MessageView.model_validate(
        {
            "sid": name,
            "to": NUMBER,
            "from": "+15005550006",
            "service": None,
            "body": body,
            "at": at(seconds),
            "origin": Origin.API,
            "attempt": 0,
            "fault": None,
            "status": "sent",
            "error": None,
            "shown_at": None,
            "status_callback": callback,
            "callbacks_due": 0,
            "callbacks": [],
        }
    )


def ledger_of(*messages: MessageView, refused: tuple[CallRefused, ...] = (), helps: int = 0) -> LedgerView:
    inbound = [
        InboundView.model_validate(
            {
                "sid": f"in{index}",
                "from": NUMBER,
                "to": "+15005550006",
                "body": "HELP",
                "at": at(index),
                "source": Source.PROGRAM,
                "answer": 200,
                "tries": 1,
            }
        )
        for index in range(helps)
    ]
    return LedgerView(
        now=at(600),
        born=at(-600),
        profile=Profile.ROUGH,
        seed=1,
        counts={},
        messages=list(messages),
        inbound=inbound,
        mails=[],
        refused=list(refused),
        mails_refused=[],
        blocked=[],
    )


def found(record: Record, ledger: LedgerView, **named: frozenset[str]) -> list[str]:
    return [finding.what for finding in judge(record, ledger, **named).findings]


def test_a_reminder_that_went_out_once_is_well() -> None:
    assert found(record_of(), ledger_of(reminder(1))) == []


def test_a_reminder_that_never_went_out_is_lost() -> None:
    assert found(record_of(), ledger_of()) == ["lost"]


def test_a_reminder_to_a_number_that_is_not_in_use_is_not_lost_and_to_one_that_was_off_it_is() -> None:
    def ended(error: int) -> MessageView:
        return reminder(1, name="SM0").model_copy(update={"body": "?", "status": "undelivered", "error": error})

    assert judge(record_of(), ledger_of(ended(30005))).unreached == 1
    assert "lost" not in found(record_of(), ledger_of(ended(30005)))
    assert "lost" in found(record_of(), ledger_of(ended(30003)))


def test_a_reminder_in_the_ledger_twice_is_twice() -> None:
    assert found(record_of(), ledger_of(reminder(1), reminder(2, name="SM2"))) == ["twice"]


def test_a_reminder_of_a_session_that_was_cancelled_before_is_stale_whatever_was_down() -> None:
    record = record_of(order(-3))
    record.faults.append(Fault("kill", "scheduler", at(-20), at(60)))
    assert found(record, ledger_of(reminder(1))) == ["stale"]
    assert found(record, ledger_of()) == []


def test_a_reminder_on_its_way_as_the_session_is_cancelled_may_arrive_within_the_bound() -> None:
    assert found(record_of(order(1)), ledger_of(reminder(5))) == []
    assert found(record_of(order(1)), ledger_of(reminder(7))) == ["stale"]


def test_time_in_which_the_way_was_hurt_does_not_count_against_the_bound() -> None:
    record = record_of(order(1))
    record.faults.append(Fault("kill", "notifier-1", at(2), at(9)))
    assert found(record, ledger_of(reminder(20))) == []
    assert found(record, ledger_of(reminder(24))) == ["stale"]


def test_a_fault_off_the_way_excuses_nothing() -> None:
    record = record_of(order(1))
    record.faults.append(Fault("kill", "assessments", at(0), at(30)))
    assert found(record, ledger_of(reminder(20))) == ["stale"]


def test_an_order_that_crossed_the_due_time_leaves_either_right() -> None:
    crossing = order(-1, 1)
    assert found(record_of(crossing), ledger_of()) == found(record_of(crossing), ledger_of(reminder(2))) == []


def test_a_text_that_no_session_had_is_found() -> None:
    assert "unasked" in found(record_of(), ledger_of(reminder(1), reminder(2, wall=WALL.replace(hour=11), name="SM2")))


def test_words_that_the_catalogue_does_not_know_are_found() -> None:
    assert "unread" in found(record_of(), ledger_of(reminder(1), text(2, "hello", name="SM2")))


def test_a_text_after_a_stop_that_was_answered_is_found() -> None:
    record = record_of()
    record.stops.append(StopRecord(NUMBER, order(-20)))
    assert found(record, ledger_of(reminder(1))) == ["after-stop"]
    assert found(record, ledger_of()) == []


def test_a_call_that_the_network_itself_had_to_refuse_after_a_stop_is_found() -> None:
    record = record_of()
    record.stops.append(StopRecord(NUMBER, order(-20)))
    refused = CallRefused(at=at(1), to=NUMBER, sender="+15005550006", code=21610)
    assert found(record, ledger_of(refused=(refused,))) == ["after-stop"]


@pytest.mark.parametrize(("called_again", "findings"), [(frozenset(), ["out-of-order"]), (frozenset({"m1"}), [])])
def test_a_text_that_came_after_a_later_one_needs_an_excuse(called_again: frozenset[str], findings: list[str]) -> None:
    record, later = record_of(), WALL + timedelta(days=2, minutes=1)
    following = Placement(later, at(60), order(-30))
    record.sessions.append(SessionRecord(NUMBER, "patient", "en", "other", [following]))
    texts = reminder(90), reminder(61, wall=later, name="SM2", message="m2")
    assert found(record, ledger_of(*texts), called_again=called_again) == findings


@pytest.mark.parametrize(("answers", "findings"), [(0, ["lost"]), (1, []), (2, ["twice"])])
def test_a_call_for_help_has_one_answer(answers: int, findings: list[str]) -> None:
    body = "Keepwell Clinic: we text about your visits. Questions: 1. x Reply STOP to end texts."
    texts = [text(index, body, name=f"SM{index}") for index in range(answers)]
    assert found(Record(), ledger_of(*texts, helps=1)) == findings
