from typing import Any

import pytest

from shared import events
from shared.web.tokens import Scope
from tests.integration.clinic.conftest import Home
from tests.support.bench import KEYRING

ONCALL = [{"kind": "sms", "value": "+1 917 456 7890"}, {"kind": "email", "value": "oncall@example.org"}]


async def test_the_first_clinic_is_told_to_the_others_with_sealed_numbers(home: Home) -> None:
    (event,) = await home.bench.said(events.ClinicChanged)
    assert (event.clinic, event.version, event.zone) == (home.login.clinic, 1, "America/New_York")
    assert KEYRING.open(event.oncall[0].value, context="contact") == "+12025550199"
    assert "988" in event.crisis.en
    assert "988" in event.crisis.es


async def test_who_is_on_call_is_changed_told_and_shown_masked(home: Home) -> None:
    await home.bench.said(clear=True)
    changed = await home.bench.call("PATCH", "/clinic", {"oncall": ONCALL}, headers={"If-Match": '"1"'})
    assert (changed.status, changed.json["version"]) == (200, 2)
    assert changed.json["oncall"][1] == {"kind": "email", "to": "o•••@example.org"}
    (event,) = await home.bench.said(events.ClinicChanged)
    assert [KEYRING.open(one.value, context="contact") for one in event.oncall] == [
        "+19174567890",
        "oncall@example.org",
    ]
    assert (await home.bench.call("GET", "/clinic")).json == changed.json
    assert (await home.bench.call("PATCH", "/clinic", {"name": "X"}, headers={"If-Match": '"1"'})).status == 412


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"oncall": []}, "/oncall"),
        ({"oncall": [{"kind": "sms", "value": "1"}]}, "/oncall/0/value"),
        ({"quiet_until": "07:00"}, "/quiet_until"),
        ({"quiet_from": "8"}, "/quiet_from"),
        ({"zone": "Nowhere"}, "/zone"),
        ({"sender_name": "x" * 31}, "/sender_name"),
        ({"crisis": {"en": "", "es": "988"}}, "/crisis/en"),
        ({"phone": None}, "/phone"),
        ({"motto": "x"}, "/motto"),
    ],
)
async def test_a_wrong_setting_is_refused_at_its_place(home: Home, change: dict[str, Any], pointer: str) -> None:
    answer = await home.bench.call("PATCH", "/clinic", change)
    assert answer.status == 422
    assert [flaw["pointer"] for flaw in answer.json["errors"]] == [pointer]


async def test_a_token_that_may_only_write_does_not_change_who_is_paged(home: Home) -> None:
    token = home.bench.token(scopes=frozenset({Scope.READ, Scope.WRITE}))
    assert (await home.bench.call("PATCH", "/clinic", {"oncall": ONCALL}, token=token)).status == 403


async def test_a_made_up_number_on_call_is_said_on_the_settings_page_until_it_is_a_real_one(home: Home) -> None:
    browser = await home.logged_in()
    assert "reaches nobody" in (await browser.get("/console/settings")).text
    await home.bench.call("PATCH", "/clinic", {"oncall": ONCALL})
    assert "reaches nobody" not in (await browser.get("/console/settings")).text


async def test_a_setting_that_would_harm_is_refused_and_a_reason_for_hours_is_kept_and_shown(home: Home) -> None:
    for change, pointer in (
        ({"crisis": {"en": "call us", "es": "Llame al 988"}}, "/crisis/en"),
        ({"crisis": {"en": "Call 988", "es": "llámenos"}}, "/crisis/es"),
        ({"sender_name": "Ketamine Clinic"}, "/sender_name"),
        ({"quiet_until": "23:59"}, "/quiet_until"),
    ):
        answer = await home.bench.call("PATCH", "/clinic", change)
        assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, pointer)
    hours = {"quiet_from": "06:00", "quiet_until": "23:00"}
    kept = await home.bench.call("PATCH", "/clinic", hours | {"hours_reason": "Night shift workers"})
    assert (kept.status, kept.json["hours_reason"]) == (200, "Night shift workers")
    other = await home.bench.call("PATCH", "/clinic", {"name": "Harbor"})
    assert (other.status, other.json["hours_reason"]) == (200, "Night shift workers")
    browser = await home.logged_in()
    assert "At unusual hours because: Night shift workers" in (await browser.get("/console/settings")).text
    wider = await home.bench.call("PATCH", "/clinic", {"quiet_until": "23:30"})
    assert wider.status == 422
