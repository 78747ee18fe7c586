import copy
import json
from typing import Any

import jsonschema
import pytest

from keepwell.contracts import FOLDER, broken, released, rendered
from shared.events import EVENTS, CheckinDue, Event, PatientDischarged, SessionBooked
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
