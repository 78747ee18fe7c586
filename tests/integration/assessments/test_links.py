"""A link belongs to the way that it was sent by, and only a person's own answer changes anything."""

from uuid import UUID, uuid4

import pytest

from services.assessments.rendering import STYLE_AT
from shared.events import (
    AlertRaised,
    AnswersSetAside,
    CheckinExpired,
    CheckinOpened,
    ClinicChanged,
    CrisisTexts,
    PatientDischarged,
    ReplyReceived,
)
from tests.integration.assessments.harness import (
    CRISIS_EN,
    CRISIS_ES,
    PHONE,
    ZONE,
    AssessmentsHarness,
    chosen,
    questions,
    spread,
)
from tests.support.bench import KEYRING

OLD, NEW, MAIL = "+12025550123", "+12025550188", "pat@example.org"
LAST_OF_EACH = {**{str(number): 3 for number in range(1, 10)}, "difficulty": 3}


async def states(harness: AssessmentsHarness) -> dict[str, str]:
    return {one["id"]: one["state"] for one in await harness.items(f"/patients/{harness.patient}/checkins")}


async def asked_by_staff(harness: AssessmentsHarness) -> CheckinOpened:
    body = {"patient": str(harness.patient), "instruments": ["phq-9"]}
    await harness.bench.said(clear=True)
    assert (await harness.bench.call("POST", "/checkins", body)).status == 201
    (opened,) = await harness.bench.said(CheckinOpened)
    return opened


@pytest.mark.parametrize(
    ("before", "after"),
    [((OLD,), (NEW,)), ((OLD,), ()), ((OLD, MAIL), (OLD,)), ((OLD,), (MAIL,)), ((OLD, MAIL), (NEW, MAIL))],
)
async def test_a_stranger_who_has_the_number_now_neither_sees_nor_answers_a_check_in(
    harness: AssessmentsHarness, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    await harness.enrol(numbers=before)
    opened = await asked_by_staff(harness)
    old = harness.path(opened)
    await harness.bench.said(clear=True)
    await harness.enrol(numbers=after)
    (again,) = await harness.bench.said(CheckinOpened)
    assert (again.checkin, again.version, again.patient_version) == (opened.checkin, 2, 3)
    page = await harness.send(old, "phq-9", {**spread(9, item_9=3)})
    assert page.status == 404
    assert "We cannot open this link" in page.text
    assert "Harbor" not in page.text
    seen = await harness.bench.call("GET", old, token="")
    assert (seen.status, questions(seen.text)) == (404, [])
    assert await states(harness) == {str(opened.checkin): "open"}
    assert await harness.bench.said(AlertRaised) == []
    assert await harness.bench.said(AnswersSetAside) == []
    new = harness.path(again)
    assert (await harness.send(new, "phq-9", spread(4))).status == 200
    (score,) = await harness.items(f"/patients/{harness.patient}/scores")
    assert score["total"] == 4


async def test_a_number_in_another_spelling_or_another_language_kills_no_link(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.bench.said(clear=True)
    await harness.enrol(numbers=("+1 (202) 555-0123",), language="es")
    await harness.enrol(numbers=(OLD, MAIL))
    assert await harness.bench.said(CheckinOpened) == []
    assert (await harness.bench.call("GET", path, token="")).status == 200


async def test_an_old_link_of_a_check_in_that_is_over_tells_a_stranger_nothing(harness: AssessmentsHarness) -> None:
    answered, lapsed = await harness.ask("phq-9"), await harness.ask("post-session", occurrence="day-1")
    await harness.send(harness.path(answered), "phq-9", spread(3))
    await harness.bench.live_until(lapsed.expires_at)
    await harness.bench.said(clear=True)
    await harness.enrol(numbers=(NEW,))
    assert await harness.bench.said(CheckinOpened) == []
    for opened in (answered, lapsed):
        assert (await harness.bench.call("GET", harness.path(opened), token="")).status == 404
    late = await harness.send(harness.path(lapsed), "post-session", {"mood": 0})
    assert late.status == 404
    assert await harness.bench.said(AnswersSetAside) == []


async def test_what_was_begun_goes_on_under_the_new_link_and_still_expires(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    await harness.send(harness.path(opened), "phq-9", {"1": 2, "2": 1})
    await harness.bench.said(clear=True)
    await harness.enrol(numbers=(NEW,))
    (again,) = await harness.bench.said(CheckinOpened)
    assert (again.begun, again.expires_at) == (True, opened.expires_at)
    assert questions((await harness.bench.call("GET", harness.path(again), token="")).text)[0] == "3"
    fired = await harness.bench.live_until(opened.expires_at)
    assert [type(event) for event in fired] == [CheckinExpired]
    assert list((await states(harness)).values()) == ["expired"]


async def test_the_link_of_a_patient_who_left_shows_nothing_and_makes_no_score(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=9, patient=harness.patient))
    page = await harness.send(path, "phq-9", spread(9, item_9=3))
    assert page.status == 410
    assert questions(page.text) == []
    assert page.text.index(CRISIS_EN) < page.text.index(PHONE)
    assert await harness.items(f"/patients/{harness.patient}/scores") == []


async def test_a_look_at_a_link_by_a_machine_changes_nothing(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    path = harness.path(opened)
    head = await harness.bench.call("HEAD", path, token="")
    assert (head.status, head.text) == (200, "")
    for method in ("GET", "OPTIONS", "PUT", "DELETE"):
        await harness.bench.call(method, path, token="")
    assert await states(harness) == {str(opened.checkin): "open"}
    assert (await harness.bench.call("HEAD", path[:-1], token="")).status == 404


@pytest.mark.parametrize("data", [{}, {"instrument": "phq-9"}, {"q-1": ""}, {"words": "   "}, {"q-1": "9", "x": "1"}])
@pytest.mark.parametrize("marked", [True, False])
async def test_an_empty_form_begins_nothing(harness: AssessmentsHarness, data: dict[str, str], *, marked: bool) -> None:
    opened = await harness.ask("phq-9")
    path = harness.path(opened)
    mark = {"page": harness.mark(path)} if marked else {}
    page = await harness.bench.call("POST", path, data={**data, **mark}, token="")
    assert page.status == 422
    assert "Nothing was chosen yet, so nothing is saved." in page.text
    assert await states(harness) == {str(opened.checkin): "open"}


async def test_a_form_that_came_from_no_page_of_ours_is_shown_and_not_kept(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    answers = {f"q-{item}": str(value) for item, value in spread(9).items()}
    page = await harness.bench.call("POST", path, data={"instrument": "phq-9", **answers}, token="")
    assert page.status == 422
    assert "Nothing of this form is saved yet." in page.text
    assert dict(chosen(page.text)) == {item: str(value) for item, value in spread(9).items()}
    assert await harness.items(f"/patients/{harness.patient}/scores") == []
    assert (await harness.send(path, "phq-9", spread(9))).status == 200


async def test_item_9_in_a_form_from_no_page_of_ours_still_reaches_a_person(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    page = await harness.bench.call("POST", path, data={"instrument": "phq-9", "q-9": "3"}, token="")
    assert page.text.index(CRISIS_EN) < page.text.index("tap once more")
    assert "was not saved as answers" in page.text
    assert len(await harness.bench.said(AlertRaised)) == 1


def helps(page: str, crisis: str = CRISIS_EN) -> bool:
    return crisis in page and PHONE in page and 'href="tel:988"' in page


async def test_no_page_leaves_a_person_without_a_number_to_call(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    path = harness.path(opened)
    calls = [
        ("GET", path[:-1], 404),
        ("GET", path + "x", 404),
        ("GET", "/c/", 404),
        ("GET", f"{path}/more", 404),
        ("GET", "/c/static/patient-0.css", 404),
        ("PUT", path, 405),
        ("DELETE", path, 405),
        ("OPTIONS", path, 405),
    ]
    for method, where, status in calls:
        page = await harness.bench.call(method, where, token="")
        assert (page.status, helps(page.text)) == (status, True), (method, where)
    assert (await harness.bench.call("PUT", path, token="")).headers["Allow"] == "GET, HEAD, POST"
    many = {f"q-{number}": "3" for number in range(150)}
    assert helps((await harness.bench.call("POST", path, data=many, token="")).text)
    await harness.send(path, "phq-9", spread(2))
    assert helps((await harness.bench.call("GET", path, token="")).text)
    late = await harness.ask("phq-9", occurrence="day-14")
    await harness.bench.live_until(late.expires_at)
    assert helps((await harness.bench.call("GET", harness.path(late), token="")).text)
    spanish = await harness.bench.call("GET", "/c/none?lang=es", token="")
    assert helps(spanish.text, CRISIS_ES)


async def test_a_page_without_its_database_still_says_whom_to_call(
    harness: AssessmentsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.bench.call("GET", path, token="")

    def away() -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(harness.bench.database, "reading", away)
    monkeypatch.setattr(harness.bench.database, "transaction", away)
    for method in ("GET", "POST"):
        page = await harness.bench.call(method, path, data={"q-1": "1"} if method == "POST" else None, token="")
        assert (page.status, helps(page.text)) == (503, True)
        assert "This page does not work just now" in page.text


async def test_with_two_clinics_no_unknown_link_shows_one_of_them(harness: AssessmentsHarness) -> None:
    await harness.bench.tell(
        ClinicChanged(
            clinic=uuid4(),
            version=1,
            name="Other",
            sender_name="Other",
            zone=ZONE,
            phone="+1 555 010 0111",
            crisis=CrisisTexts(en="Elsewhere 988", es="En otra parte 988"),
        )
    )
    page = await harness.bench.call("GET", "/c/none", token="")
    assert page.status == 404
    assert not helps(page.text)
    assert "call your local emergency number" in page.text


async def test_item_9_sent_to_a_link_that_leads_nowhere_is_answered_with_whom_to_call(
    harness: AssessmentsHarness,
) -> None:
    path = harness.path(await harness.ask("phq-9"))
    page = await harness.bench.call("POST", path[:-1], data={"instrument": "phq-9", "q-9": "3"}, token="")
    assert page.status == 404
    assert "was not saved as answers" in page.text
    assert page.text.index(CRISIS_EN) < page.text.index("was not saved as answers")
    assert await harness.bench.said(AlertRaised) == []


async def test_the_stylesheet_is_no_link(harness: AssessmentsHarness) -> None:
    assert (await harness.bench.call("GET", STYLE_AT, token="")).status == 200


async def test_two_check_ins_that_wait_get_a_new_link_each(harness: AssessmentsHarness) -> None:
    first, second = await harness.ask("phq-9"), await harness.ask("post-session", occurrence="day-1")
    await harness.bench.said(clear=True)
    await harness.enrol(numbers=(NEW,))
    again = await harness.bench.said(CheckinOpened)
    assert {one.checkin for one in again} == {first.checkin, second.checkin}
    assert len({KEYRING.open(one.link, context="link") for one in again}) == 2
    assert all(isinstance(one.checkin, UUID) for one in again)


async def test_a_family_on_one_number_never_has_to_guess_whose_check_in_it_is(harness: AssessmentsHarness) -> None:
    son = uuid4()
    path = harness.path(opened := await harness.ask("phq-9"))
    alone = await harness.bench.call("GET", path, token="")
    assert "This check-in is for" not in alone.text
    await harness.enrol(patient=son, name="Teo", numbers=("+1 202 555 0123",))
    page = await harness.bench.call("GET", path, token="")
    assert "This check-in is for A., and not for anybody else." in page.text
    assert "Ana" not in page.text
    assert "Teo" not in page.text
    partly = await harness.send(path, "phq-9", {"1": 0})
    assert "This check-in is for A." in partly.text
    spanish = await harness.bench.call("GET", f"{path}?lang=es", token="")
    assert "Este cuestionario es para A." in spanish.text
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=2, patient=son))
    assert "This check-in is for" not in (await harness.bench.call("GET", path, token="")).text
    assert opened.patient == harness.patient


async def test_a_name_that_begins_alike_is_told_apart_by_a_letter_more(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.enrol(patient=uuid4(), name="Alba", numbers=(OLD, MAIL))
    await harness.enrol(patient=uuid4(), name="Bo", numbers=(NEW,))
    assert "This check-in is for An." in (await harness.bench.call("GET", path, token="")).text


async def replies(harness: AssessmentsHarness, intent: str) -> None:
    await harness.bench.tell(
        ReplyReceived(
            clinic=harness.bench.clinic,
            version=1,
            patient=harness.patient,
            reply=uuid4(),
            intent=intent,
            session=None,
            session_version=None,
            text=KEYRING.seal("wrong number, this is not Pat", context="reply"),
            at=harness.bench.clock.now(),
        )
    )


async def test_whoever_says_that_the_number_is_not_the_patients_opens_no_link_of_theirs(
    harness: AssessmentsHarness,
) -> None:
    opened = await harness.ask("phq-9")
    path = harness.path(opened)
    await replies(harness, "other")
    assert (await harness.bench.call("GET", path, token="")).status == 200
    await replies(harness, "wrong-number")
    assert (await harness.send(path, "phq-9", spread(9, item_9=3))).status == 404
    assert await harness.bench.said(AlertRaised) == []
    body = {"instrument": "phq-9", "answers": [0] * 9, "entered_by": "Nurse Kim"}
    await harness.bench.said(clear=True)
    await harness.enrol(numbers=(NEW,))
    (again,) = await harness.bench.said(CheckinOpened)
    assert again.checkin == opened.checkin
    assert (await harness.bench.call("POST", f"/checkins/{opened.checkin}/answers", body)).status == 200
