"""After a session was moved or cancelled the console says what the patient knows, and nothing that it does not know."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared import events
from shared.ids import new_id
from tests.integration.clinic.conftest import Browser, Home
from tests.integration.clinic.sample_events import NOON, SampleEvents

GOES_AT = NOON + timedelta(hours=20)


OCCURRENCES = {"move": "moved", "cancel": "cancelled"}


@dataclass
class Scene:
    """A clinic, one patient of it, what is said of them, and somebody at the console."""

    home: Home
    sample: SampleEvents
    browser: Browser
    patient: Any

    async def tell(self, event: events.Event) -> None:
        await self.home.bench.tell(event)


@pytest.fixture
async def scene(home: Home, patient: Any) -> Scene:
    here = Scene(home, SampleEvents(home.bench.clinic, patient["id"]), await home.logged_in(), patient)
    await here.tell(here.sample.session())
    return here


async def changed(scene: Scene, what: str) -> str:
    """Move or cancel the session in the console and return the page that follows."""
    home, sample, browser, patient = scene.home, scene.sample, scene.browser, scene.patient
    state = "booked" if what == "move" else "cancelled"
    said = sample.session(version=2, state=state).model_dump(mode="json")
    method, path = ("PATCH", "") if what == "move" else ("POST", "/cancel")
    home.owner.answer(method, f"/sessions/{sample.session_id}{path}", {**said, "id": said["session"]})
    answer = await browser.post(f"/console/sessions/{sample.session_id}/{what}", starts_at="2026-12-01T16:00")
    assert answer.status == 303, answer.text
    return (await browser.get(f"/console/patients/{patient['id']}")).text


def planned(sample: SampleEvents, occurrence: str, **changes: Any) -> events.MessageEvent:
    more = {"message": sample.alert_id, "goes_at": GOES_AT, "in_time": True, "occurrence": occurrence, **changes}
    return sample.message(events.MessagePlanned, 1, **more)


@pytest.mark.parametrize("what", ["move", "cancel"])
async def test_a_change_that_nobody_was_told_of_is_not_called_told(scene: Scene, what: str) -> None:
    assert "had not told the patient" in await changed(scene, what)


@pytest.mark.parametrize("what", ["move", "cancel"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"goes_at": NOON + timedelta(minutes=1)}, "within two minutes"),
        ({}, "Wed, Dec 2, 8:00 AM"),
        ({"in_time": False}, "please call them"),
    ],
)
async def test_staff_are_not_left_to_guess_whether_a_patient_who_was_told_hears_of_the_change(
    scene: Scene, what: str, change: dict[str, Any], words: str
) -> None:
    await scene.tell(scene.sample.message(events.MessageSent, 1))
    await scene.tell(planned(scene.sample, OCCURRENCES[what], **change))
    page = await changed(scene, what)
    assert words in page
    assert "not told the patient" not in page


async def test_nothing_is_promised_where_no_word_of_a_message_has_come(scene: Scene) -> None:
    await scene.tell(scene.sample.message(events.MessageSent, 1))
    page = await changed(scene, "move")
    assert "if nothing is planned there, please call them" in page
    assert "goes out" not in page


@pytest.mark.parametrize("word", ["moved-at.x", "moved-at", "moved-at.99999999999999", "gone"])
async def test_a_cookie_of_somebody_elses_making_breaks_no_page(scene: Scene, word: str) -> None:
    scene.browser.cookies["keepwell_said"] = word
    assert (await scene.browser.get("/console/today")).status == 200


CALL = "Patients to call"


@pytest.mark.parametrize(
    "event",
    [
        {"kind": events.MessagePlanned, "goes_at": GOES_AT, "in_time": False},
        {"kind": events.MessageWithheld, "reason": "too_late"},
        {"kind": events.MessageWithheld, "reason": "opted_out"},
        {"kind": events.MessageWithheld, "reason": "no_consent"},
        {"kind": events.MessageWithheld, "reason": "bad_address"},
        {"kind": events.MessageFailed, "error": "30006"},
    ],
)
async def test_whom_no_message_reaches_in_time_is_on_today_until_somebody_called(
    scene: Scene, event: dict[str, Any]
) -> None:
    await scene.tell(scene.sample.message(version=1, occurrence="moved", **event))
    page = (await scene.browser.get("/console/today")).text
    assert CALL in page.replace(" hidden", "")
    assert "Their visit has a new time, and they know the old one." in page
    assert "Unknown patient" not in page
    assert scene.patient["family_name"] in page.partition(CALL)[2].partition("</ul>")[0]
    assert "Messages that did not" not in page.split(CALL)[0]
    done = await scene.browser.post(f"/console/calls/{scene.sample.message_id}/called")
    assert done.status == 303
    assert "they know the old one" not in (await scene.browser.get("/console/today")).text
    assert (await scene.browser.post(f"/console/calls/{scene.sample.message_id}/called")).status == 404


@pytest.mark.parametrize("reason", ["superseded", "session_moved", "session_over"])
async def test_nobody_is_called_about_a_word_that_another_one_replaced(scene: Scene, reason: str) -> None:
    await scene.tell(scene.sample.message(events.MessageWithheld, 1, occurrence="moved", reason=reason))
    assert "they know the old one" not in (await scene.browser.get("/console/today")).text


async def test_nobody_is_called_where_the_mail_said_what_the_text_could_not(scene: Scene) -> None:
    await scene.tell(scene.sample.message(events.MessageFailed, 1, occurrence="moved", error="30006"))
    mail = {"message": new_id(), "channel": "email", "occurrence": "moved"}
    await scene.tell(scene.sample.message(events.MessageSent, 1, **mail))
    later = UUID(int=max(scene.sample.message_id.int, mail["message"].int))  # type: ignore[attr-defined]  # an id
    shown = "they know the old one" in (await scene.browser.get("/console/today")).text
    assert shown is (later == scene.sample.message_id)
