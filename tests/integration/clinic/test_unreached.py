"""Whom messages may not reach stands on a list of its own until it is mended; bounced mail is not taken for read."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.clinic.tables import REASONS
from shared import events
from tests.integration.clinic.conftest import Browser, Home, a_body
from tests.integration.clinic.sample_events import NOON
from tests.integration.clinic.test_worklist import part, today


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


CONSENTS = a_body()["contacts"][0]["consents"]
MAIL = {"kind": "email", "value": "name@gmial.com", "consents": CONSENTS}

WORDS = {"30005": "the number is not in use", "30006": "the number is a landline"}


async def enrol(home: Home, **changes: Any) -> Any:
    answer = await home.bench.call("POST", "/patients", a_body(**changes), headers={"Idempotency-Key": str(uuid4())})
    assert answer.status == 201, answer.text
    return answer.json


def checked(home: Home, patient: Any, why: str, *, works: bool = False, version: int = 1) -> events.ContactChecked:
    return events.ContactChecked(
        clinic=home.bench.clinic,
        patient=UUID(patient["id"]),
        version=version,
        contact=UUID(patient["contacts"][0]["id"]),
        kind="sms",
        works=works,
        why=why,
        at=NOON + timedelta(minutes=version),
        words=WORDS.get(why),
    )


@pytest.mark.parametrize(("why", "words"), [*WORDS.items(), ("31999", "the provider says 31999")])
async def test_a_dead_number_never_stays_out_of_sight_until_it_is_mended(
    home: Home, browser: Browser, patient: Any, why: str, words: str
) -> None:
    assert part(await today(browser), "unreached") == ""
    await home.bench.tell(checked(home, patient, why))
    listed = part(await today(browser), "unreached")
    for said in ("Maya Okafor", words, "nothing reaches them", f"/console/patients/{patient['id']}/change"):
        assert said in listed
    assert "Maya Okafor" in (await browser.get("/console/waiting/contacts")).text
    other = {**a_body()["contacts"][0], "value": "+1 202 555 0124"}
    mended = await home.bench.call(
        "PATCH", f"/patients/{patient['id']}", {"contacts": [other]}, headers={"If-Match": '"1"'}
    )
    assert mended.status == 200, mended.text
    assert part(await today(browser), "unreached") == ""


async def test_whom_another_way_reaches_is_told_apart_and_goes_when_the_number_works(
    home: Home, browser: Browser
) -> None:
    both = await enrol(home, contacts=[*a_body()["contacts"], MAIL])
    await home.bench.tell(checked(home, both, "30006"))
    assert "reached another way" in part(await today(browser), "unreached")
    await home.bench.tell(checked(home, both, "staff", works=True, version=2))
    assert part(await today(browser), "unreached") == ""


async def test_nobody_without_a_way_to_reach_them_is_left_off_the_list(home: Home, browser: Browser) -> None:
    nowhere = await enrol(home, given_name="Nora", contacts=[])
    unasked = await enrol(home, given_name="Uma", contacts=[{**MAIL, "consents": []}])
    stopped = await enrol(home, given_name="Sol")
    whose = {"clinic": home.bench.clinic, "patient": UUID(stopped["id"])}
    contact = UUID(stopped["contacts"][0]["id"])
    said = {"purposes": ("reminders", "checkins"), "granted": False, "how": "STOP by text", "at": NOON}
    await home.bench.tell(events.ConsentChanged(**whose, version=1, contact=contact, kind="sms", **said))
    left = await enrol(home, given_name="Lena", contacts=[])
    await home.bench.call("POST", f"/patients/{left['id']}/discharge", {"reason": "Moved away"})
    listed = part(await today(browser), "unreached")
    for one in (nowhere, unasked, stopped):
        assert one["given_name"] in listed
    assert "They have no number and no address here." in listed
    assert listed.count("they said stop there, or agreed to nothing") == 2
    assert "Lena" not in listed


async def test_mail_that_bounced_never_looks_as_if_it_was_read(home: Home, browser: Browser) -> None:
    mailed = await enrol(home, contacts=[MAIL])
    page = (await browser.get(f"/console/patients/{mailed['id']}")).text
    assert "was taken by the mail server, and may still come back" in page
    assert "/console/settings#mail" in page
    settings = (await browser.get("/console/settings")).text
    assert "Mail that comes back" in settings
    assert "No mail is sent: nobody has set a mail server." in settings


async def test_an_address_is_never_marked_as_bad_without_a_reason_on_record(home: Home, browser: Browser) -> None:
    mailed = await enrol(home, contacts=[MAIL])
    contact, path = mailed["contacts"][0]["id"], f"/console/patients/{mailed['id']}"
    await browser.get(path)
    home.owner.answer("POST", f"/contacts/{contact}/bad", {"id": contact, "version": 3, "works": False})
    refused = await browser.post(f"{path}/contacts/{contact}/bad", key=str(uuid4()), reason=" ")
    assert refused.status == 422
    assert not [order for order in home.owner.orders if order[0] == "POST"]
    done = await browser.post(f"{path}/contacts/{contact}/bad", key=str(uuid4()), reason="The mail came back")
    assert done.status == 303, done.text
    page = (await browser.get(path)).text
    assert "Number or address marked as bad" in page
    assert "<q>The mail came back</q>" in page
    assert "marked by Alma Reid" in part(await today(browser), "unreached")
    async with home.bench.database.reading() as reader:
        assert "came back" not in repr(await reader.all(select(REASONS)))
