"""Answers that came stand before a person until somebody has seen them; what staff change of a score stays told."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared import events
from tests.integration.clinic.conftest import Browser, Home, a_body
from tests.integration.clinic.sample_events import NOON, SampleEvents
from tests.integration.clinic.test_phone import an_instrument
from tests.support.bench import KEYRING

WORDS = "My ears ring at night. Is that usual?"
CHECK = {"mood": 2, "nausea": 1}


@pytest.fixture
def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.login.clinic, UUID(patient["id"]))


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


def a_result(instrument: str = "post-session", **changes: Any) -> dict[str, Any]:
    said = {
        "id": str(uuid4()),
        "instrument": instrument,
        "version": 2,
        "total": None,
        "band": None,
        "flags": ["side-effect:nausea"],
        "answers": CHECK,
        "words": WORDS,
        "at": NOON.isoformat(),
        "entered_by": None,
    }
    return {**said, **changes}


def sealed(*results: dict[str, Any]) -> str:
    return KEYRING.seal(json.dumps(results), context="result")


def checkin(sample: SampleEvents, version: int = 2, **changes: Any) -> dict[str, Any]:
    about = {"checkin": sample.checkin_id, "occurrence": "day-1", "instruments": ("post-session",)}
    return {**sample.whose, **about, "version": version, "asked_for": date(2026, 12, 1), **changes}


def completed(sample: SampleEvents, *results: dict[str, Any], **changes: Any) -> events.CheckinCompleted:
    return events.CheckinCompleted(
        **checkin(sample, **changes), completed_at=NOON, result=sealed(*(results or (a_result(),)))
    )


def page_of(sample: SampleEvents) -> str:
    return f"/console/patients/{sample.whose['patient']}"


async def test_mood_and_own_words_do_not_end_in_a_side_table(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(completed(sample))
    for where in ("/console/today", page_of(sample)):
        page = (await browser.get(where)).text
        assert "mood 2 of 10" in page, where
        assert WORDS in page, where
    page = (await browser.get(page_of(sample))).text
    assert "Post session over time. Last: mood 2 of 10" in page, "drawn although nothing describes the instrument"


async def test_a_score_is_charted_as_its_owner_describes_the_instrument(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    about = {"name": "Well-being (WHO-5)", "lowest": 0, "highest": 25, "better": "higher", "of": None, "marks": []}
    bands = [{"lowest": 0, "highest": 12, "name": "poor"}, {"lowest": 13, "highest": 25, "name": "good"}]
    score = a_result(instrument="who-5", total=7, band="poor", about={**about, "bands": bands})
    await home.bench.tell(completed(sample, score, instruments=("who-5",)))
    page = (await browser.get(page_of(sample))).text
    assert "Well-being (WHO-5) over time. Last: 7 poor" in page
    assert "<tspan" in page
    assert "good" in page


async def test_answers_leave_today_when_somebody_has_seen_them_and_not_before(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(completed(sample))
    assert "Mark as seen" in (await browser.get("/console/today")).text
    await browser.get("/console/today")
    done = await browser.post(f"/console/checkins/{sample.checkin_id}/seen", back="today")
    assert (done.status, done.headers["location"]) == (303, "/console/today")
    assert WORDS not in (await browser.get("/console/today")).text
    page = (await browser.get(page_of(sample))).text
    assert WORDS in page
    assert "Seen by Alma Reid" in page


async def test_answers_that_staff_took_by_phone_are_seen(home: Home, sample: SampleEvents, browser: Browser) -> None:
    await home.bench.tell(completed(sample, a_result(entered_by="Nurse Kim")))
    assert WORDS not in (await browser.get("/console/today")).text
    assert "entered by Nurse Kim" in (await browser.get(page_of(sample))).text


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("late", "came too late for the score"),
        ("again", "sent once more, with other answers"),
        ("unfinished", "not finished in time"),
    ],
)
async def test_answers_that_make_no_score_still_stand_before_a_person(
    home: Home, sample: SampleEvents, browser: Browser, why: Any, said: str
) -> None:
    await home.bench.tell(sample.opened())
    content = {name: a_result()[name] for name in ("instrument", "version", "total", "flags", "answers", "words")}
    aside = events.AnswersSetAside(
        **checkin(sample, version=1),
        answers=uuid4(),
        why=why,
        at=NOON,
        content=KEYRING.seal(json.dumps(content), context="result"),
    )
    await home.bench.tell(aside)
    for where in ("/console/today", page_of(sample)):
        page = (await browser.get(where)).text
        assert said in page, where
        assert WORDS in page, where
    assert "over time" not in (await browser.get(page_of(sample))).text
    await browser.post(f"/console/further/{aside.answers}/seen", back="patient")
    assert WORDS not in (await browser.get("/console/today")).text


async def test_a_machines_answer_is_pointed_out_and_its_score_draws_no_line(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    machine = a_result("phq-9", total=27, band="severe", words=None, answers={"9": 3}, quick=True, seconds=2)
    await home.bench.tell(completed(sample, machine))
    page = (await browser.get(page_of(sample))).text
    assert "Answered 2 s after the link arrived" in page
    path = f"/console/checkins/{sample.checkin_id}/results/{machine['id']}/void"
    assert path in page
    void = {"at": NOON.isoformat(), "by": "Alma Reid", "reason": "A mail scanner.", "replaced_by": None}
    view = {
        **machine,
        "instrument_version": 1,
        "seconds_after_delivery": 2,
        "checkin": str(sample.checkin_id),
        "voided": void,
    }
    held = {
        **sample.opened().model_dump(mode="json"),
        "id": str(sample.checkin_id),
        "state": "open",
        "completed_at": None,
    }
    answer = {"id": str(sample.checkin_id), "version": 4, "state": "open", "checkin": held, "scores": [view]}
    home.owner.answer("POST", f"/scores/{machine['id']}/void", answer)
    done = await browser.post(path, reason="A mail scanner.")
    assert done.status == 303
    order = next(one for one in home.owner.orders if one[1].endswith("/void"))
    assert order[2] == {"reason": "A mail scanner."}
    page = (await browser.get(page_of(sample))).text
    assert "The score counts no more, and stays on record." in page
    assert "Discarded by Alma Reid" in page
    assert "A mail scanner." in page
    assert "PHQ-9 over time" not in page
    changed = events.ResultChanged(
        **checkin(sample, version=3), state="open", completed_at=None, result=sealed(), voided=sealed(machine)
    )
    await home.bench.tell(changed)
    assert "Discarded by Alma Reid" in (await browser.get(page_of(sample))).text


async def test_a_voided_score_is_told_by_its_event_too(home: Home, sample: SampleEvents, browser: Browser) -> None:
    machine = a_result("phq-9", total=27, band="severe", words=None)
    await home.bench.tell(completed(sample, machine))
    void = {"by": "Nurse Kim", "at": NOON.isoformat(), "reason": "Not the patient.", "replaced": False}
    changed = events.ResultChanged(
        **checkin(sample, version=3),
        state="open",
        completed_at=None,
        result=sealed(),
        voided=sealed({**machine, "void": void}),
    )
    await home.bench.tell(changed)
    await home.bench.tell(
        events.CheckinOpened(**checkin(sample, version=4), expires_at=NOON, link=sample.opened().link)
    )
    page = (await browser.get(page_of(sample))).text
    assert "Discarded by Nurse Kim" in page
    assert "Not the patient." in page
    assert f"/console/checkins/{sample.checkin_id}/answers" in page


async def test_a_slip_is_corrected_with_a_reason_and_never_without(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    slip = a_result("phq-9", total=1, band="minimal", words=None, answers={"1": 1, "9": 0})
    await home.bench.tell(completed(sample, slip))
    score = {**slip, "checkin": str(sample.checkin_id), "instrument_version": 1, "voided": None}
    whose = sample.whose["patient"]
    home.owner.answer("GET", f"/patients/{whose}/scores", {"items": [score], "next": None})
    home.owner.answer("GET", "/instruments", {"items": [an_instrument("phq-9", "1", "9")], "next": None})
    path = f"/console/checkins/{sample.checkin_id}/results/{slip['id']}/correct"
    page = (await browser.get(path)).text
    assert 'name="q-1" value="1" checked' in page
    assert 'name="q-9" value="0" checked' in page
    refused = await browser.post(path, **{"q-1": "0", "q-9": "0", "reason": " "})
    assert (refused.status, "Say why the answers were otherwise." in refused.text) == (422, True)
    held = {**sample.opened().model_dump(mode="json"), "id": str(sample.checkin_id), "state": "completed"}
    void = {"at": NOON.isoformat(), "by": "Alma Reid", "reason": "Wrong line.", "replaced_by": str(uuid4())}
    now = {**score, "id": str(uuid4()), "total": 0, "entered_by": "Alma Reid"}
    answer = {
        "id": str(sample.checkin_id),
        "version": 3,
        "state": "completed",
        "checkin": {**held, "completed_at": NOON.isoformat()},
        "scores": [now, {**score, "voided": void}],
    }
    home.owner.answer("POST", f"/scores/{slip['id']}/correct", answer)
    done = await browser.post(path, **{"q-1": "0", "q-9": "0", "reason": "Wrong line."})
    assert done.status == 303, done.text
    order = next(one for one in home.owner.orders if one[1].endswith("/correct"))
    assert order[2] == {"answers": [0, 0], "reason": "Wrong line."}
    page = (await browser.get(page_of(sample))).text
    assert "Corrected by Alma Reid" in page
    assert "Wrong line." in page


async def test_answers_of_another_clinic_are_seen_by_nobody_here(
    home: Home, browser: Browser, sample: SampleEvents
) -> None:
    elsewhere = SampleEvents(home.login.clinic, uuid4())
    elsewhere.whose["clinic"] = uuid4()
    await home.bench.tell(completed(elsewhere))
    assert WORDS not in (await browser.get("/console/today")).text
    assert (await browser.post(f"/console/checkins/{elsewhere.checkin_id}/seen", back="today")).status == 404
    assert (await browser.post(f"/console/further/{uuid4()}/seen")).status == 404


async def lapsed(
    home: Home,
    sample: SampleEvents,
    day: date,
    *,
    answered: bool = False,
    told: type[events.MessageEvent] | None = events.MessageSent,
    **message: Any,
) -> None:
    """Let a check-in be asked on a day and run out, with what became of its message; None: there never was one."""
    about = checkin(sample, version=1, checkin=uuid4(), asked_for=day)
    ends = NOON + (day - NOON.date()) + timedelta(days=3)
    await home.bench.tell(events.CheckinOpened(**about, expires_at=ends, link=sample.opened().link))
    if told is not None:
        sample.message_id = uuid4()
        said = {"purpose": "checkin", "occurrence": "day-7", "about": about["checkin"], **message}
        await home.bench.tell(sample.message(told, 1, **said))
    if answered:
        at = ends - timedelta(days=2)
        await home.bench.tell(
            events.CheckinCompleted(**{**about, "version": 2}, completed_at=at, result=sealed(a_result()))
        )
    else:
        await home.bench.tell(events.CheckinExpired(**{**about, "version": 2}))


SILENT = "Fallen silent"


async def is_silent(browser: Browser, kind: str = "silent") -> bool:
    page = (await browser.get(f"/console/waiting/{kind}")).text
    return "Maya Okafor" in page


UNTOLD: list[tuple[Any, dict[str, str]]] = [
    (None, {}),
    (events.MessageWithheld, {"reason": "no_address"}),
    (events.MessageWithheld, {"reason": "no_consent"}),
    (events.MessageWithheld, {"reason": "opted_out"}),
    (events.MessageWithheld, {"reason": "wrong_number"}),
    (events.MessageWithheld, {"reason": "bad_address"}),
    (events.MessageFailed, {"error": "30005"}),
    (events.MessageFailed, {"error": "30006"}),
]


@pytest.mark.parametrize(("told", "message"), UNTOLD)
async def test_whom_no_message_reached_is_never_called_silent(
    home: Home, sample: SampleEvents, browser: Browser, told: Any, message: dict[str, Any]
) -> None:
    for back in (40, 33, 26):
        await lapsed(home, sample, NOON.date() - timedelta(days=back), told=told, **message)
    assert not await is_silent(browser)
    assert await is_silent(browser, "unasked")
    page = (await browser.get("/console/today")).text
    assert "Cannot be asked" in page
    assert "3 check-ins, and no message went out" in page
    # One text that goes out is one question: not silence yet, and no more one who cannot be asked.
    await lapsed(home, sample, NOON.date() - timedelta(days=9), told=events.MessageDelivered)
    assert not await is_silent(browser, "unasked")
    assert not await is_silent(browser)
    await lapsed(home, sample, NOON.date() - timedelta(days=6), told=events.MessageDelivered)
    assert await is_silent(browser)


async def test_whose_number_said_stop_after_two_questions_is_silent_still(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    for back in (19, 12):
        await lapsed(home, sample, NOON.date() - timedelta(days=back))
    await lapsed(home, sample, NOON.date() - timedelta(days=5), told=events.MessageWithheld, reason="opted_out")
    assert await is_silent(browser)
    assert not await is_silent(browser, "unasked")


async def test_who_answers_by_phone_can_be_asked(home: Home, sample: SampleEvents, browser: Browser) -> None:
    for back in (26, 19):
        await lapsed(home, sample, NOON.date() - timedelta(days=back), told=None)
    assert await is_silent(browser, "unasked")
    await lapsed(home, sample, NOON.date() - timedelta(days=12), told=None, answered=True)
    assert not await is_silent(browser, "unasked")


async def test_nobody_is_to_ask_who_has_left(home: Home, sample: SampleEvents, browser: Browser) -> None:
    for back in (26, 19):
        await lapsed(home, sample, NOON.date() - timedelta(days=back), told=None)
    await home.bench.call("POST", f"/patients/{sample.whose['patient']}/discharge", {"reason": "Moved."})
    assert not await is_silent(browser, "unasked")


async def test_whoever_leaves_two_check_ins_in_a_row_unanswered_does_not_drop_out_of_sight(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    days = [NOON.date() - timedelta(days=back) for back in (12, 9, 6)]
    await lapsed(home, sample, days[0], answered=True)
    await lapsed(home, sample, days[1])
    assert not await is_silent(browser)
    await lapsed(home, sample, days[2])
    assert await is_silent(browser)
    page = (await browser.get("/console/today")).text
    assert "2 check-ins without an answer" in page
    assert SILENT in page
    await lapsed(home, sample, NOON.date() - timedelta(days=3), answered=True)
    assert not await is_silent(browser)


async def test_fourteen_days_without_an_answer_to_anything_asked_are_silence(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await lapsed(home, sample, NOON.date() - timedelta(days=30), answered=True)
    assert not await is_silent(browser)
    await lapsed(home, sample, NOON.date() - timedelta(days=10))
    assert await is_silent(browser)


async def test_whoever_was_never_asked_or_has_left_is_not_called_silent(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.call("POST", "/patients", a_body(given_name="Ana"))
    for back in (12, 6):
        await lapsed(home, sample, NOON.date() - timedelta(days=back))
    assert await is_silent(browser)
    assert "Ana" not in (await browser.get("/console/waiting/silent")).text
    left = await home.bench.call("POST", f"/patients/{sample.whose['patient']}/discharge", {"reason": "Moved."})
    assert left.status == 200, left.text
    assert not await is_silent(browser)
