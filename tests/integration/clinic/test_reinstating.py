"""A discharge by mistake is taken back: the same record, with both states on it."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.clinic.retelling import retell
from services.clinic.tables import AUDIT, REASONS
from shared import events
from tests.integration.clinic.conftest import Browser, Home, a_body
from tests.integration.clinic.test_staff_pages import joined
from tests.support.bench import KEYRING


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


@pytest.fixture
async def left(home: Home, patient: Any) -> Any:
    gone = await home.bench.call("POST", f"/patients/{patient['id']}/discharge", {"reason": "Moved to Ohio"})
    assert gone.status == 200
    await home.bench.said(clear=True)
    return patient


async def _back(home: Home, patient: Any, **fields: Any) -> Any:
    body = {"reason": "The wrong Maya", **fields}
    return await home.bench.call("POST", f"/patients/{patient['id']}/reinstate", body)


async def test_a_discharge_by_mistake_is_never_a_dead_end(home: Home, left: Any) -> None:
    back = await _back(home, left)
    assert (back.status, back.json["state"], back.json["version"]) == (200, "enrolled", 3)
    assert (back.json["discharged_at"], back.json["contacts"]) == (None, left["contacts"])
    (told,) = await home.bench.said(events.PatientEnrolled)
    assert told.version == 3
    assert [len(contact.consents) for contact in told.contacts] == [len(one["consents"]) for one in left["contacts"]]
    assert (await home.bench.call("PATCH", f"/patients/{left['id']}", {"zone": "America/Chicago"})).status == 200


async def test_neither_state_is_lost_from_the_record(home: Home, browser: Browser, left: Any) -> None:
    path = f"/console/patients/{left['id']}"
    page = (await browser.get(path)).text
    assert "Discharged by mistake?" in page
    assert "are not restarted" in page
    done = await browser.post(f"{path}/reinstate", reason="The wrong Maya", version="2")
    assert (done.status, done.headers.get("location", path)) == (303, path)
    page = (await browser.get(path)).text
    assert "<q>Moved to Ohio</q>" in page
    assert "<q>The wrong Maya</q>" in page
    assert "Put back in care" in page
    assert "Discharged by mistake?" not in page
    async with home.bench.database.reading() as reader:
        rows = await reader.all(select(AUDIT).where(AUDIT.c.patient == left["id"]).order_by(AUDIT.c.id))
        kept = await reader.all(select(REASONS))
    assert "patient.reinstated" in [row.what for row in rows]
    assert "Maya" not in repr(kept)


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
async def test_nobody_is_put_back_without_a_reason(home: Home, browser: Browser, left: Any, reason: str) -> None:
    assert (await _back(home, left, reason=reason)).status == 422
    page = await browser.post(f"/console/patients/{left['id']}/reinstate", reason=reason, version="2")
    assert page.status == 422
    assert await home.bench.said() == []


async def test_the_front_desk_never_takes_a_discharge_back(home: Home, browser: Browser, left: Any) -> None:
    desk = await joined(home, browser)
    path = f"/console/patients/{left['id']}"
    assert (await desk.post(f"{path}/reinstate", reason="The wrong Maya", version="2")).status == 403
    assert "Discharged by mistake?" not in (await desk.get(path)).text


async def test_who_goes_on_under_another_record_is_never_in_care_twice(home: Home) -> None:
    first = (await home.bench.call("POST", "/patients", a_body(external_id="MRN-0042"))).json
    await home.bench.call("POST", f"/patients/{first['id']}/discharge", {"reason": "Moved away"})
    again = (await home.bench.call("POST", "/patients", a_body(external_id="MRN-0042"))).json
    refused = await _back(home, first)
    assert (refused.status, again["id"] in refused.json["detail"]) == (409, True)


async def test_a_record_number_given_to_another_since_is_never_held_by_two(home: Home, left: Any) -> None:
    numbered = (await home.bench.call("POST", "/patients", a_body(external_id="A-1"))).json
    await home.bench.call("PATCH", f"/patients/{numbered['id']}", {"external_id": "A-2"})
    gone = (await home.bench.call("POST", "/patients", a_body(external_id="A-1"))).json
    await home.bench.call("POST", f"/patients/{gone['id']}/discharge", {"reason": "Moved away"})
    await home.bench.call("PATCH", f"/patients/{numbered['id']}", {"external_id": "A-1"})
    refused = await _back(home, gone)
    assert (refused.status, numbered["id"] in refused.json["detail"]) == (409, True)


async def test_who_is_in_care_or_a_closed_double_is_not_put_back(home: Home, browser: Browser, patient: Any) -> None:
    assert (await _back(home, patient)).status == 409
    assert (await _back(home, {"id": uuid4()})).status == 404
    twin = (await home.bench.call("POST", "/patients", a_body())).json["id"]
    path = f"/console/patients/{patient['id']}/join"
    assert (await browser.post(path, other=twin, reason="One person", version="1")).status == 303
    assert (await _back(home, {"id": twin})).status == 409


async def test_a_form_older_than_the_record_puts_nobody_back(home: Home, browser: Browser, left: Any) -> None:
    path = f"/console/patients/{left['id']}/reinstate"
    assert (await browser.post(path, reason="The wrong Maya", version="1")).status == 412
    assert await home.bench.said() == []


async def test_who_is_told_anew_is_never_left_discharged_elsewhere(home: Home, left: Any) -> None:
    await _back(home, left)
    await home.bench.said(clear=True)
    await retell(home.bench.database, KEYRING)
    told = await home.bench.said(events.PatientEnrolled)
    assert [event.version for event in told] == [3]


@pytest.mark.parametrize("deed", ["discharge", "reinstate"])
@pytest.mark.parametrize("version", ["of before", ""])
async def test_no_old_form_ends_or_takes_back_care_past_what_somebody_changed_since(
    home: Home, browser: Browser, patient: Any, deed: str, version: str
) -> None:
    path = f"/console/patients/{patient['id']}"
    if deed == "reinstate":
        await home.bench.call("POST", f"/patients/{patient['id']}/discharge", {"reason": "Moved to Ohio"})
    known = (await home.bench.call("GET", f"/patients/{patient['id']}")).json
    await browser.get(path)
    old = str(known["version"] - 1) if version else ""
    refused = await browser.post(f"{path}/{deed}", reason="The wrong Maya", version=old)
    assert refused.status == 412
    assert "Somebody else has changed this patient since you opened the form" in refused.text
    assert 'value="The wrong Maya"' in refused.text
    assert (await home.bench.call("GET", f"/patients/{patient['id']}")).json == known
    done = await browser.post(f"{path}/{deed}", reason="The wrong Maya", version=str(known["version"]))
    assert done.status == 303
