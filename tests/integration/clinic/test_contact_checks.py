"""A number or mailbox at which nothing arrives is shown as that until it is corrected; staff can say so too."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared import events
from tests.integration.clinic.conftest import Browser, Home
from tests.integration.clinic.sample_events import NOON, SampleEvents


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


def checked(home: Home, patient: Any, *, works: bool, version: int = 1) -> events.ContactChecked:
    return events.ContactChecked(
        clinic=home.bench.clinic,
        patient=UUID(patient["id"]),
        version=version,
        contact=UUID(patient["contacts"][0]["id"]),
        kind="sms",
        works=works,
        why="30006" if not works else "staff",
        at=NOON + timedelta(minutes=version),
        words=None if works else "the number is a landline and takes no texts",
    )


async def test_a_dead_number_is_not_shown_as_one_that_works(home: Home, browser: Browser, patient: Any) -> None:
    path = f"/console/patients/{patient['id']}"
    await home.bench.tell(checked(home, patient, works=False))
    page = (await browser.get(path)).text
    assert "Nothing is sent here: the number is a landline and takes no texts, found on" in page
    assert "It works" in page
    await home.bench.tell(checked(home, patient, works=True, version=2))
    await home.bench.tell(checked(home, patient, works=False))
    page = (await browser.get(path)).text
    assert "Nothing is sent here" not in page


async def test_staff_say_that_nothing_arrives_and_the_owner_hears_it(
    home: Home, browser: Browser, patient: Any
) -> None:
    contact = patient["contacts"][0]["id"]
    path = f"/console/patients/{patient['id']}"
    await browser.get(path)
    home.owner.answer("POST", f"/contacts/{contact}/bad", {"id": contact, "version": 3, "works": False})
    answer = await browser.post(f"{path}/contacts/{contact}/bad", key=str(uuid4()), reason="It bounced")
    assert answer.status == 303, answer.text
    assert home.owner.orders[-1][:2] == ("POST", f"/contacts/{contact}/bad")
    page = (await browser.get(path)).text
    assert "Nothing is sent here: marked by " in page


async def test_a_contact_of_somebody_else_is_not_marked(home: Home, browser: Browser, patient: Any) -> None:
    del home
    await browser.get(f"/console/patients/{patient['id']}")
    answer = await browser.post(
        f"/console/patients/{patient['id']}/contacts/{uuid4()}/bad", key=str(uuid4()), reason="It bounced"
    )
    assert answer.status == 404


async def test_whom_no_number_reaches_is_on_todays_list(home: Home, browser: Browser, patient: Any) -> None:
    sample = SampleEvents(home.bench.clinic, UUID(patient["id"]))
    await home.bench.tell(
        sample.message(
            events.MessageWithheld,
            1,
            reason="bad_address",
            why="nothing arrives there",
            step="Ask for the right number.",
        )
    )
    page = (await browser.get("/console/today")).text
    assert "Nothing arrives there. Ask for the right number." in page
