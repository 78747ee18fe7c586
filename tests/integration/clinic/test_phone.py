"""Answers taken by phone: the form, its order to the owner, and the alert that an answer raises."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.clinic.tables import AUDIT
from tests.integration.clinic.conftest import Browser, Home, a_body
from tests.integration.clinic.sample_events import NOON, SampleEvents
from tests.support.bench import KEYRING

OPTIONS = [{"value": value, "text": text} for value, text in enumerate(("Not at all", "Several days"))]
FIELDS = {"q-1": "0", "q-9": "1"}


def an_instrument(instrument: str, *items: str) -> dict[str, Any]:
    def words(language: str) -> dict[str, Any]:
        asked = [{"id": item, "text": f"{language} {item}?", "required": True, "options": OPTIONS} for item in items]
        return {"title": "T", "notice": "N", "sections": [{"stem": "How often?", "items": asked}], "words": None}

    return {"id": instrument, "version": 1, "validated": True, "languages": {one: words(one) for one in ("en", "es")}}


@pytest.fixture
def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.login.clinic, UUID(patient["id"]))


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


@pytest.fixture
async def path(home: Home, sample: SampleEvents) -> str:
    """The address of an open check-in's form, with an owner that knows of it."""
    await home.bench.tell(sample.opened())
    known = [an_instrument("phq-9", "1", "9"), an_instrument("post-session", "mood")]
    home.owner.answer("GET", "/instruments", {"items": known, "next": None})
    home.owner.answer("GET", f"/patients/{sample.whose['patient']}/scores", {"items": [], "next": None})
    held(home, sample)
    return f"/console/checkins/{sample.checkin_id}/answers"


def held(home: Home, sample: SampleEvents, state: str = "open", version: int = 1, **changes: Any) -> None:
    said = sample.opened().model_dump(mode="json")
    about = {"id": str(sample.checkin_id), "version": version, "state": state, "completed_at": None}
    home.owner.answer("GET", f"/checkins/{sample.checkin_id}", {**said, **about, **changes})


def answered(home: Home, sample: SampleEvents, state: str = "completed", alert: str | None = None) -> None:
    score = {
        "checkin": str(sample.checkin_id),
        "instrument": "phq-9",
        "instrument_version": 1,
        "total": 12,
        "band": "moderate",
        "flags": ["item9"],
        "answers": {"1": 0, "9": 1},
    }
    answer = {**score, "version": 2, "state": state, "alert": alert, "scores": [score]}
    home.owner.answer("POST", f"/checkins/{sample.checkin_id}/answers", answer)


async def test_an_open_check_in_offers_its_questions_in_the_patients_language(
    home: Home, sample: SampleEvents, browser: Browser, path: str
) -> None:
    assert path in (await browser.get("/console/today")).text
    assert path in (await browser.get(f"/console/patients/{sample.whose['patient']}")).text
    page = (await browser.get(path)).text
    assert '<span lang="en">en 9?</span>' in page
    assert 'Several days <span class="hint">(1)</span>' in page
    assert '<span lang="es">es 9?</span>' in (await browser.get(f"{path}?language=es")).text


async def test_answers_go_to_their_owner_with_the_name_of_who_took_them_and_are_shown_before_their_event(
    home: Home, sample: SampleEvents, browser: Browser, path: str
) -> None:
    await browser.get(path)
    held(home, sample, "completed", 2, completed_at=NOON.isoformat())
    answered(home, sample)
    # The owner is asked for the check-in before and after the answers; before, it is open.
    home.owner.once("GET", f"/checkins/{sample.checkin_id}", state="open", version=1)
    key = str(uuid4())
    done = await browser.post(path, instrument="phq-9", language="en", key=key, **FIELDS)
    assert (done.status, done.headers["location"]) == (303, f"/console/patients/{sample.whose['patient']}")
    method, _, body, headers = next(order for order in home.owner.orders if order[0] == "POST")
    assert (method, body) == ("POST", {"instrument": "phq-9", "answers": [0, 1], "entered_by": "Alma Reid"})
    assert headers["idempotency-key"] == key
    page = (await browser.get(done.headers["location"])).text
    assert "The answers are saved." in page
    assert "12 moderate" in page
    assert path not in page
    await home.bench.tell(sample.completed(total=12))
    # Once among the answers, once in the table under the chart.
    assert (await browser.get(done.headers["location"])).text.count(">12 moderate<") == 3
    async with home.bench.database.reading() as reader:
        row = await reader.one(select(AUDIT).where(AUDIT.c.what == "checkin.answered"))
    assert (row.thing, row.patient) == (sample.checkin_id, sample.whose["patient"])


async def test_an_answer_that_needs_a_person_shows_its_alert_and_what_to_say_at_once(
    home: Home, sample: SampleEvents, browser: Browser, path: str
) -> None:
    await browser.get(path)
    raised = sample.raised()
    alert = {**raised.model_dump(mode="json"), "id": str(raised.alert), "state": "open", "pages": 1}
    alert["cause"] = KEYRING.open(raised.cause, context="cause")
    home.owner.answer("GET", f"/alerts/{raised.alert}", alert)
    answered(home, sample, alert=str(raised.alert))
    held(home, sample, "completed", 2, completed_at=NOON.isoformat())
    home.owner.once("GET", f"/checkins/{sample.checkin_id}", state="open", version=1)
    done = await browser.post(path, instrument="phq-9", **FIELDS)
    page = (await browser.get(done.headers["location"])).text
    assert 'role="alert">The answers are saved, and one of them needs a person now.' in page
    assert "Open safety alert" in page
    assert "item 9 was answered 1 of 3" in page
    assert "call or text 988" in page
    await home.bench.tell(raised)
    assert (await browser.get("/console/alerts")).text.count("was answered 1 of 3") == 1


async def test_a_question_without_an_answer_comes_back_with_all_others_kept(
    home: Home, browser: Browser, path: str
) -> None:
    await browser.get(path)
    answer = await browser.post(path, instrument="phq-9", **{"q-9": "1"})
    assert answer.status == 422
    assert 'id="e-q-1"' in answer.text
    assert 'name="q-9" value="1" checked' in answer.text
    assert not [order for order in home.owner.orders if order[0] == "POST"]


async def test_a_check_in_of_two_parts_goes_on_with_the_second(
    home: Home, sample: SampleEvents, browser: Browser, path: str
) -> None:
    held(home, sample, instruments=["phq-9", "post-session"])
    answered(home, sample, state="partial")
    await browser.get(path)
    done = await browser.post(path, instrument="phq-9", **FIELDS)
    assert (done.status, done.headers["location"]) == (303, path)
    scores = [{"instrument": "phq-9", "checkin": str(sample.checkin_id), "voided": None}]
    home.owner.answer("GET", f"/patients/{sample.whose['patient']}/scores", {"items": scores, "next": None})
    page = (await browser.get(path)).text
    assert "part 2 of 2" in page
    assert "en mood?" in page


async def test_a_part_whose_score_was_voided_can_be_asked_by_phone_again(
    home: Home, sample: SampleEvents, browser: Browser, path: str
) -> None:
    void = {"at": NOON.isoformat(), "by": "Alma Reid", "reason": "A machine.", "replaced_by": None}
    scores = [{"instrument": "phq-9", "checkin": str(sample.checkin_id), "voided": void}]
    home.owner.answer("GET", f"/patients/{sample.whose['patient']}/scores", {"items": scores, "next": None})
    assert "en 9?" in (await browser.get(path)).text


async def test_a_closed_check_in_takes_no_answers(
    home: Home, sample: SampleEvents, browser: Browser, path: str
) -> None:
    held(home, sample, "expired", 2)
    answer = await browser.get(path)
    assert answer.status == 409
    assert "takes no more answers" in answer.text


async def test_another_clinics_check_in_is_not_found(home: Home, browser: Browser) -> None:
    await home.bench.call("POST", "/patients", a_body())
    assert (await browser.get(f"/console/checkins/{uuid4()}/answers")).status == 404


async def test_a_check_in_of_an_instrument_not_known_here_says_so_and_breaks_no_page(
    home: Home, browser: Browser, sample: SampleEvents, path: str
) -> None:
    held(home, sample, instruments=["xyz-2"])
    answer = await browser.get(path)
    assert answer.status == 409
    assert "The questions of xyz-2 are not known here" in answer.text
