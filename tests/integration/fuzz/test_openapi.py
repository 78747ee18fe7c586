"""Each operation of the OpenAPI document, with what fits its schema and with what does not."""

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import pytest
import requests
import schemathesis
from schemathesis.specs.openapi import checks

from keepwell.tools.contracts import FOLDER
from shared.web.tokens import Scope
from tests.integration.fuzz.profiles import tries
from tests.integration.fuzz.world import PATIENCE, World


def without_tokens() -> dict[str, Any]:
    """Return the document as if no operation needed a token: who gets in is asked apart, of each operation."""
    document: dict[str, Any] = json.loads((FOLDER / "openapi.json").read_text(encoding="utf-8"))
    del document["components"]["securitySchemes"]
    for methods in document["paths"].values():
        for operation in methods.values():
            operation.pop("security")
    return document


SCHEMA: Final = schemathesis.openapi.from_dict(without_tokens())
SEMANTIC: Final = [
    checks.positive_data_acceptance,  # a zone must exist, a name must not be empty: no schema says it all
    checks.ensure_resource_availability,  # events are brought by hand here
]
_numbers = count(1000)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all calls."""
    with requests.Session() as session:
        yield session


@pytest.fixture
def ids(world: World) -> dict[str, str]:
    """A patient of this test's own, by path parameter."""
    return world.harness(next(_numbers))


@SCHEMA.exclude(path="/api/v1/status").parametrize()  # asks Kafka
@tries(8)
def test_an_operation_answers_as_its_document_says(
    case: Any, world: World, session: requests.Session, ids: dict[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {world.token()}"}
    # What exists in the place of ids that could be: else each call would end with 404 before its body is looked at.
    for place in (case.path_parameters, case.body):
        if isinstance(place, dict):
            place.update({name: ids[name] for name, value in place.items() if name in ids and is_id(value)})
    case.call_and_validate(
        base_url=world.base, session=session, headers=headers, excluded_checks=SEMANTIC, timeout=PATIENCE
    )


ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_id(value: Any) -> bool:
    """Tell whether something is an id as the document writes them."""
    return (
        isinstance(value, str)
        and re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value) is not None
    )


OPERATIONS: Final = [
    (method.upper(), path, "requestBody" in operation)
    for path, methods in SCHEMA.raw_schema["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize(("method", "path", "_body"), OPERATIONS)
def test_nobody_gets_in_without_a_token_that_holds(world: World, method: str, path: str, _body: bool) -> None:
    whole = path.replace("{", "").replace("}", "")
    # The first character of the signature: the last one has bits that say nothing.
    signed, _, signature = world.token().rpartition(".")
    altered = f"{signed}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    for sent in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {altered}"}, {"Authorization": "Basic x"}):
        answer = requests.request(method, world.base + whole, headers=sent, json={}, timeout=PATIENCE)
        assert answer.status_code == 401, (sent, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path", "_body"), [one for one in OPERATIONS if one[0] != "GET"])
def test_a_token_that_may_only_read_changes_nothing(world: World, method: str, path: str, _body: bool) -> None:
    ids = world.known()
    headers = {"Authorization": f"Bearer {world.token(scopes=frozenset({Scope.READ}))}"}
    whole = path.format_map(ids | {"proposal_id": ids["patient"], "contact": ids["patient"]})
    answer = requests.request(method, world.base + whole, headers=headers, json={}, timeout=PATIENCE)
    assert answer.status_code == 403, answer.text


STRANGE: Final[tuple[Any, ...]] = (
    *("\x00", "a\x00b", "\ud800", "\u202e", "", "x" * 3000, "9" * 5000, "1700000000", "0001-01-01"),
    *(0, 2**63, 10**400, 0.1, True, None, [], {}, ["\x00"]),
)
VALID: Final[dict[str, Any]] = {
    "answers": [0] * 9,
    "contacts": [],
    "crisis": {"en": "Call 988.", "es": "Llame al 988."},
    "decision": "approve",
    "disposition": "Called; safe plan agreed.",
    "entered_by": "Alma",
    "family_name": "Reyes",
    "given_name": "Ana",
    "happened_on": "2026-11-30",
    "instrument": "phq-9",
    "instruments": ["phq-9"],
    "kind": "dose",
    "language": "en",
    "minutes": 60,
    "name": "Harbor",
    "protocol": "iv-ketamine",
    "reason": "Typed in the wrong line.",
    "start_on": "2026-12-01",
    "starts_at": "2026-12-20T10:00",
    "to": "2026-12-02T10:00:00Z",
    "zone": "America/New_York",
}


def contacts_with(value: Any) -> list[Any]:
    """Return a contact point with something in each of its fields, one after the other."""
    consent = {"purpose": "reminders", "how": "form", "at": "2026-11-01T10:00:00Z"}
    plain = {"kind": "sms", "value": "+12025550111", "consents": [consent]}
    return [
        *({**plain, name: value} for name in plain),
        *({**plain, "consents": [{**consent, name: value}]} for name in consent),
    ]


@pytest.mark.parametrize(("method", "path", "_body"), [one for one in OPERATIONS if one[2]])
def test_no_value_in_no_field_breaks_an_order(
    world: World, session: requests.Session, ids: dict[str, str], method: str, path: str, _body: bool
) -> None:
    operation = SCHEMA.raw_schema["paths"][path][method.lower()]
    fields = _fields(operation["requestBody"]["content"]["application/json"]["schema"])
    valid = {"patient": ids["patient"], **{name: VALID[name] for name in fields if name in VALID}}
    whole = path.format_map(ids | {"proposal_id": ids["patient"]})
    headers = {"Authorization": f"Bearer {world.token()}", "Content-Type": "application/json"}
    for field in fields:
        for value in STRANGE:
            for instead in contacts_with(value) if field == "contacts" else [value]:
                body = {name: old for name, old in valid.items() if name in fields} | {
                    field: [instead] if field == "contacts" else instead
                }
                answer = session.request(
                    method, world.base + whole, headers=headers, data=json.dumps(body), timeout=PATIENCE
                )
                assert answer.status_code < 500, (body, answer.text)
                if field in {"happened_on", "start_on", "birth_date"} and value in ("1700000000", 0):
                    assert answer.status_code in {404, 422}, "seconds since 1970 are no day"


def _fields(schema: dict[str, Any]) -> list[str]:
    for option in schema.get("anyOf", [schema]):
        if "$ref" in option:
            name = option["$ref"].rpartition("/")[2]
            return sorted(SCHEMA.raw_schema["components"]["schemas"][name].get("properties", {}))
    return []
