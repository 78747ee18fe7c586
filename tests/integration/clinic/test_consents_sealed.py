"""How a patient agreed is written down in free words: they are sealed in the table and on the bus."""

import json

import pytest
from sqlalchemy import select, text, update

from services.clinic.store.in_clear import IN_CLEAR
from services.clinic.tables import BUS, CONTACTS
from shared.events import PatientEnrolled
from shared.events.clinic import CONSENT
from shared.sealing import Sealing
from tests.integration.clinic.conftest import Home, a_body
from tests.support.bench import KEYRING

MARK = "Planted0123, after the overdose, in the ward"
CONSENTED = [{"purpose": "reminders", "how": MARK, "at": "2026-12-01T15:00:00Z"}]
CONTACT = {"kind": "sms", "value": "+1 202 555 0123", "consents": CONSENTED}


async def all_told(home: Home) -> str:
    async with home.bench.service.database.reading() as reader:
        rows = [dict(row._mapping) for table in (CONTACTS, BUS.outbox) for row in await reader.all(select(table))]
    return json.dumps(rows, default=str)


@pytest.mark.parametrize("door", ["program", "page"])
async def test_how_a_patient_agreed_never_lies_in_clear(home: Home, door: str) -> None:
    if door == "program":
        made = await home.bench.call("POST", "/patients", a_body(contacts=[CONTACT]))
        assert made.json["contacts"][0]["consents"][0]["how"] == MARK
    else:
        browser = await home.logged_in()
        await browser.get("/console/patients/new")
        typed = {"given_name": "Maya", "family_name": "Okafor", "zone": "America/New_York", "language": "en"}
        agreed = {"sms": "+12025550123", "sms-reminders": "on", "sms-how": MARK, "sms-at": "2026-12-01"}
        made = await browser.post("/console/patients/new", **typed, **agreed)
        assert made.status == 303, made.text
    event = (await home.bench.said(PatientEnrolled))[0]
    consent = event.contacts[0].consents[0]
    assert (consent.how, KEYRING.open(consent.words or "", context=CONSENT)) == ("", MARK)
    assert "Planted0123" not in await all_told(home)


async def test_how_a_patient_agreed_never_stays_in_clear_from_before(home: Home) -> None:
    made = await home.bench.call("POST", "/patients", a_body(contacts=[CONTACT]))
    database = home.bench.service.database
    old = [{"purpose": "reminders", "how": MARK, "at": "2026-12-01T15:00:00+00:00"}]
    async with database.transaction() as tx:
        await tx.execute(update(CONTACTS).values(consents=old))
        await tx.execute(text("DELETE FROM outbox"))
    shown = (await home.bench.call("GET", f"/patients/{made.json['id']}")).json
    assert shown["contacts"][0]["consents"][0]["how"] == MARK
    assert await Sealing(database, KEYRING, IN_CLEAR).round() == {"contacts": 1}
    assert await Sealing(database, KEYRING, IN_CLEAR).round() == {}
    assert "Planted0123" not in await all_told(home)
    shown = (await home.bench.call("GET", f"/patients/{made.json['id']}")).json
    assert shown["contacts"][0]["consents"][0]["how"] == MARK
