import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from keepwell.tools.contracts import FOLDER, openapi, rendered

PROMISED = {
    ("post", "/api/v1/patients"),
    ("get", "/api/v1/patients"),
    ("get", "/api/v1/patients/{patient}"),
    ("patch", "/api/v1/patients/{patient}"),
    ("post", "/api/v1/patients/{patient}/discharge"),
    ("get", "/api/v1/protocols"),
    ("post", "/api/v1/patients/{patient}/plans"),
    ("get", "/api/v1/patients/{patient}/plan"),
    ("post", "/api/v1/sessions"),
    ("patch", "/api/v1/sessions/{session}"),
    ("post", "/api/v1/sessions/{session}/cancel"),
    ("post", "/api/v1/sessions/{session}/attend"),
    ("post", "/api/v1/sessions/{session}/miss"),
    ("get", "/api/v1/patients/{patient}/sessions"),
    ("get", "/api/v1/patients/{patient}/messages"),
    ("get", "/api/v1/messages/{message}"),
    ("get", "/api/v1/patients/{patient}/checkins"),
    ("post", "/api/v1/checkins"),
    ("post", "/api/v1/checkins/{checkin}/answers"),
    ("get", "/api/v1/patients/{patient}/scores"),
    ("get", "/api/v1/alerts"),
    ("post", "/api/v1/alerts/{alert}/acknowledge"),
    ("post", "/api/v1/alerts/{alert}/close"),
    ("get", "/api/v1/patients/{patient}/proposals"),
    ("post", "/api/v1/proposals/{proposal}/decision"),
    ("get", "/api/v1/status"),
    ("post", "/api/v1/trial/clock"),
    ("get", "/api/v1/trial/clock"),
}


@pytest.fixture(scope="module")
async def document() -> dict[str, Any]:
    return openapi()


def shape(path: str) -> str:
    """Return a path whose parameters have no names, so that only its shape counts."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, methods in document["paths"].items():
        for method in methods:
            yield method, shape(path)


def test_the_committed_document_is_the_generated_one(document: dict[str, Any]) -> None:
    committed = (FOLDER / "openapi.json").read_text(encoding="utf-8")
    assert committed == rendered(document), "run `make contracts`"


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(json.loads(rendered(document)))


@pytest.mark.parametrize(("method", "path"), sorted(PROMISED))
def test_what_is_promised_to_programs_is_there(document: dict[str, Any], method: str, path: str) -> None:
    assert (method, shape(path)) in set(operations(document))


def test_no_path_carries_a_number_a_name_or_health_data(document: dict[str, Any]) -> None:
    for path in document["paths"]:
        assert not any(word in path.lower() for word in ("phone", "name", "score_", "drug", "diagnosis")), path
