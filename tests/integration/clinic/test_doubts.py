"""A number that may want no texts is shown as that beside its owner, and a person ends the doubt with a reason."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.clinic.tables import AUDIT, DOUBTS
from shared import events
from tests.integration.clinic.conftest import Browser, Home
from tests.integration.clinic.sample_events import NOON
from tests.support.bench import KEYRING


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


def doubted(home: Home, patient: Any, version: int = 1, **changes: Any) -> events.ContactDoubted:
    said = {
        "clinic": home.bench.clinic,
        "patient": UUID(patient["id"]),
        "version": version,
        "contact": UUID(patient["contacts"][0]["id"]),
        "open": True,
        "wrote": KEYRING.seal("enough\nalready <3", context="reply"),
        "at": NOON + timedelta(minutes=version),
    }
    return events.ContactDoubted(**{**said, **changes})


def page_of(patient: Any) -> str:
    return f"/console/patients/{patient['id']}"


async def end(browser: Browser, patient: Any, word: str, reason: str = "She said so by phone today.") -> Any:
    contact = patient["contacts"][0]["id"]
    await browser.get(page_of(patient))
    path = f"{page_of(patient)}/contacts/{contact}/doubt"
    return await browser.post(path, key=str(uuid4()), word=word, reason=reason)


async def test_a_number_whose_reminders_wait_for_an_answer_does_not_look_like_any_other(
    home: Home, browser: Browser, patient: Any
) -> None:
    assert "still want texts" not in (await browser.get(page_of(patient))).text
    await home.bench.tell(doubted(home, patient))
    page = (await browser.get(page_of(patient))).text
    assert "Does this number still want texts? It has not answered." in page
    assert '<q class="pre">enough\nalready &lt;3</q>' in page
    assert "no reminders, no check-ins" in page
    await home.bench.tell(doubted(home, patient, 2, open=False, wrote=None))
    await home.bench.tell(doubted(home, patient))
    assert "still want texts" not in (await browser.get(page_of(patient))).text


@pytest.mark.parametrize("word", ["wants-texts", "wants-no-texts"])
async def test_no_doubt_is_ended_that_its_owner_does_not_hear_of_with_name_and_reason(
    home: Home, browser: Browser, patient: Any, word: str
) -> None:
    contact = patient["contacts"][0]["id"]
    await home.bench.tell(doubted(home, patient))
    home.owner.answer("POST", f"/contacts/{contact}/{word}", {"id": contact, "version": 4, "were_held": True})
    answer = await end(browser, patient, word)
    assert answer.status == 303, answer.text
    order = home.owner.orders[-1]
    assert order[:3] == ("POST", f"/contacts/{contact}/{word}", {"reason": "She said so by phone today."})
    page = (await browser.get(page_of(patient))).text
    assert "still want texts" not in page
    assert "<q>She said so by phone today.</q>" in page
    assert "though the number has not answered" in page
    # Word of the doubt that comes late does not bring it back.
    await home.bench.tell(doubted(home, patient, 3))
    assert "still want texts" not in (await browser.get(page_of(patient))).text
    async with home.bench.database.reading() as reader:
        lines = await reader.all(select(AUDIT).where(AUDIT.c.what == f"contact.{word}"))
    assert [(str(line.thing), str(line.patient)) for line in lines] == [(contact, patient["id"])]


@pytest.mark.parametrize(
    ("word", "reason"), [("wants-texts", "   "), ("wants-no-texts", ""), ("perhaps", "She said so."), ("bad", "She.")]
)
async def test_no_doubt_is_ended_without_a_reason_or_a_choice_and_what_was_typed_stays(
    home: Home, browser: Browser, patient: Any, word: str, reason: str
) -> None:
    await home.bench.tell(doubted(home, patient))
    orders = len(home.owner.orders)
    answer = await end(browser, patient, word, reason)
    assert answer.status == 422
    assert "still want texts" in answer.text
    assert f'value="{reason}"' in answer.text
    assert not [order for order in home.owner.orders[orders:] if order[0] == "POST"]


async def test_an_old_page_does_not_end_what_the_number_has_settled_itself(
    home: Home, browser: Browser, patient: Any
) -> None:
    contact = patient["contacts"][0]["id"]
    await home.bench.tell(doubted(home, patient))
    said = {"detail": "It is not in doubt any more whether this number wants texts. Read what it wrote since."}
    home.owner.answer("POST", f"/contacts/{contact}/wants-no-texts", said, status=409)
    answer = await end(browser, patient, "wants-no-texts")
    assert answer.status == 409
    assert "Read what it wrote since." in answer.text
    async with home.bench.database.reading() as reader:
        assert (await reader.one(select(DOUBTS))).version == 1


async def test_a_number_of_somebody_else_is_not_touched(home: Home, browser: Browser, patient: Any) -> None:
    await home.bench.tell(doubted(home, patient))
    await browser.get(page_of(patient))
    path = f"{page_of(patient)}/contacts/{uuid4()}/doubt"
    answer = await browser.post(path, key=str(uuid4()), word="wants-texts", reason="She said so by phone.")
    assert answer.status == 404


async def test_a_number_that_said_stop_is_not_shown_as_one_in_doubt(home: Home, browser: Browser, patient: Any) -> None:
    await home.bench.tell(doubted(home, patient))
    stop = events.ConsentChanged(
        clinic=home.bench.clinic,
        patient=UUID(patient["id"]),
        version=2,
        contact=UUID(patient["contacts"][0]["id"]),
        kind="sms",
        purposes=("reminders", "checkins"),
        granted=False,
        how="staff",
        at=NOON,
    )
    await home.bench.tell(stop)
    page = (await browser.get(page_of(patient))).text
    assert "still want texts" not in page
    assert "staff noted that no more texts are wanted" in page
