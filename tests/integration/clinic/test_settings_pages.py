"""Changing the clinic's settings by the form."""

from typing import Any

import pytest
from sqlalchemy import select

from services.clinic.tables import AUDIT
from shared import events
from tests.integration.clinic.conftest import Browser, Home
from tests.support.bench import KEYRING

FORM = {
    "name": "Harbor Clinic",
    "sender_name": "Harbor",
    "zone": "America/Chicago",
    "phone": "+1 202 555 0111",
    "quiet_from": "09:00",
    "quiet_until": "20:00",
    "crisis-en": "Call 988.\r\nIn danger: 911.",
    "crisis-es": "Llame al 988.",
    "oncall-0": "",
    "oncall-0-kind": "sms",
    "oncall-1": "oncall@example.org",
    "oncall-1-kind": "email",
}


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


async def test_settings_are_changed_by_the_form_told_to_the_others_and_noted(home: Home, browser: Browser) -> None:
    page = (await browser.get("/console/settings/change")).text
    assert 'value="+12025550199"' in page
    await home.bench.said(clear=True)
    done = await browser.post("/console/settings/change", version="1", **FORM)
    assert (done.status, done.headers["location"]) == (303, "/console/settings"), done.text
    page = (await browser.get("/console/settings")).text
    assert "The settings are saved." in page
    assert "Harbor Clinic" in page
    (event,) = await home.bench.said(events.ClinicChanged)
    assert (event.version, event.sender_name, event.quiet_from, event.zone) == (2, "Harbor", "09:00", "America/Chicago")
    assert event.crisis.en == "Call 988.\nIn danger: 911."
    assert [KEYRING.open(one.value, context="contact") for one in event.oncall] == ["oncall@example.org"]
    async with home.bench.database.reading() as reader:
        noted = [row.what for row in await reader.all(select(AUDIT.c.what).where(AUDIT.c.thing == home.login.clinic))]
    assert noted.count("clinic.changed") == 1
    assert "clinic.oncall-read" in noted


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"phone": "1"}, "phone"),
        ({"sender_name": ""}, "sender_name"),
        ({"quiet_until": "07:00"}, "quiet_until"),
        ({"crisis-es": " "}, "crisis-es"),
        ({"oncall-1": "nowhere"}, "oncall-1"),
        ({"oncall-1": ""}, "oncall-0"),
    ],
)
async def test_a_flaw_stands_at_its_field_and_nothing_typed_is_lost(
    home: Home, browser: Browser, change: dict[str, Any], field: str
) -> None:
    await browser.get("/console/settings/change")
    answer = await browser.post("/console/settings/change", version="1", **{**FORM, **change})
    assert answer.status == 422
    assert f'id="e-{field}"' in answer.text
    assert 'value="Harbor Clinic"' in answer.text
    assert (await home.bench.call("GET", "/clinic")).json["version"] == 1


async def test_a_form_older_than_the_settings_changes_nothing(home: Home, browser: Browser) -> None:
    await browser.get("/console/settings/change")
    await home.bench.call("PATCH", "/clinic", {"name": "Other"})
    answer = await browser.post("/console/settings/change", version="1", **FORM)
    assert answer.status == 412
    assert "Somebody else has changed the settings" in answer.text
