import copy
import json
from typing import Any

import jsonschema
import pytest

from keepwell.tools.contracts import FOLDER, broken, released, rendered
from shared.events import EVENTS, CheckinDue, Event, PatientDischarged, PlanChanged, SessionBooked, SessionDue
from shared.events.schemas import asyncapi, breaks, file_name, schema_of


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_the_committed_schema_is_the_generated_one(event: type[Event]) -> None:
    committed = (FOLDER / "events" / file_name(event)).read_text(encoding="utf-8")
    assert committed == rendered(schema_of(event)), "run `make contracts`"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_each_schema_is_valid_json_schema(event: type[Event]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(event))


def test_no_file_is_left_of_an_event_that_is_gone() -> None:
    assert {file.name for file in (FOLDER / "events").iterdir()} == {file_name(event) for event in EVENTS}


def test_each_type_is_in_the_catalogue_once() -> None:
    assert len({event.TYPE for event in EVENTS}) == len(EVENTS)


def test_every_event_is_released() -> None:
    assert {file_name(event) for event in EVENTS} <= released().keys(), "run `make contracts RELEASE=1`"


def test_no_change_breaks_a_reader_of_what_was_released() -> None:
    assert broken() == []


def test_the_asyncapi_document_is_the_generated_one() -> None:
    committed = json.loads((FOLDER / "asyncapi.json").read_text(encoding="utf-8"))
    assert committed == asyncapi(committed["info"]["version"])


def test_every_channel_message_is_described_and_points_to_its_schema() -> None:
    document = asyncapi("0")
    for channel in document["channels"].values():
        for name, reference in channel["messages"].items():
            assert reference["$ref"] == f"#/components/messages/{name}"
            payload = document["components"]["messages"][name]["payload"]["schema"]["$ref"]
            assert (FOLDER / payload).exists()


def changed(**changes: Any) -> dict[str, Any]:
    schema = copy.deepcopy(schema_of(SessionBooked))
    for name, value in changes.items():
        if value is None:
            del schema["properties"][name]
        else:
            schema["properties"][name] = value
    return schema


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"minutes": None}, "body.minutes: was removed"),
        ({"minutes": {"type": "string"}}, "body.minutes: type was 'integer' and is 'string'"),
        ({"room": {"type": "string"}}, "body.room: is new and has no default"),
        ({"state": {"type": "string", "enum": ["booked", "doubled"]}}, "body.state: enum was"),
    ],
)
def test_a_change_that_breaks_a_reader_is_found(change: dict[str, Any], what: str) -> None:
    found = breaks(schema_of(SessionBooked), changed(**change))
    assert any(line.startswith(what) for line in found), found


def test_a_new_field_with_a_default_breaks_nobody() -> None:
    assert breaks(schema_of(SessionBooked), changed(room={"type": "string", "default": ""})) == []


def test_a_check_in_in_the_form_of_before_a_baseline_is_read_as_it_was() -> None:
    ids = ("clinic", "patient", "session", "plan")
    old = {name: f"0190f3c0-0000-7000-8000-00000000000{number}" for number, name in enumerate(ids)}
    asked = {"version": 2, "occurrence": "day-7", "asked_for": "2026-12-08", "instruments": ["phq-9"]}
    event = CheckinDue.model_validate_json(json.dumps(old | asked))
    assert str(event.session) == old["session"]


def test_an_older_reader_ignores_a_field_it_does_not_know() -> None:
    body = '{"clinic": "0190f3c0-0000-7000-8000-000000000001", "patient": "0190f3c0-0000-7000-8000-000000000002",'
    event = PatientDischarged.model_validate_json(body + '"version": 3, "from_the_future": true}')
    assert event.version == 3


def an_old(**body: Any) -> str:
    ids = {name: f"0190f3c0-0000-7000-8000-00000000000{number}" for number, name in enumerate(("clinic", "patient"))}
    return json.dumps({**ids, "version": 2, **body})


@pytest.mark.parametrize(("phase", "maintains"), [("induction", False), ("maintenance", True), ("taper", False)])
def test_a_plan_in_the_form_of_before_its_ladder_is_read_and_guesses_none(phase: str, maintains: bool) -> None:
    body = an_old(
        plan="0190f3c0-0000-7000-8000-000000000005",
        protocol="iv-ketamine",
        protocol_version=1,
        phase=phase,
        interval_days=28,
        next_due_on="2026-12-08",
        induction_complete=True,
        attended=6,
        why="x",
    )
    event = PlanChanged.model_validate_json(body, strict=True)
    assert (event.ladder, event.opt_in_above, event.route, event.modality) == (None, None, None, None)
    assert event.maintains is maintains


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ({"occurrence": "3d"}, 3),
        ({"occurrence": "1d"}, 1),
        ({"occurrence": "14d", "days": 14}, 14),
        ({"occurrence": "first", "days": 7}, 7),
        ({"occurrence": "hours-2"}, None),
        ({"occurrence": "٣d"}, None),
    ],
)
def test_a_reminder_says_its_days_as_a_number_and_one_of_before_by_its_name(
    said: dict[str, Any], days: int | None
) -> None:
    when = {"starts_at": "2026-12-08T10:00", "zone": "America/New_York", "starts_at_utc": "2026-12-08T15:00:00Z"}
    body = an_old(session="0190f3c0-0000-7000-8000-000000000006", minutes=60, **when, **said)
    assert SessionDue.model_validate_json(body, strict=True).days_before == days


CLOSED = {"patient.changed.language", "patient.enrolled.language"}
"""A language without texts would leave a patient without a word, also in a crisis."""


def test_no_event_holds_a_list_of_words_that_may_not_grow() -> None:
    def closed(schema: dict[str, Any]) -> Any:
        yield from (name for name, field in schema.get("properties", {}).items() if "enum" in field)
        for part in schema.get("$defs", {}).values():
            yield from closed(part)

    assert {f"{event.TYPE}.{name}" for event in EVENTS for name in closed(schema_of(event))} == CLOSED
