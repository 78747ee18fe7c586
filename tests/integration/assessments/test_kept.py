"""Each is told what was kept, and nothing that was answered is lost without a word to patient and staff."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.events import (
    AlertRaised,
    AnswersSetAside,
    CheckinCompleted,
    CheckinExpired,
    CheckinOpened,
    MessageDelivered,
    MessageSent,
    PatientDischarged,
    ResultChanged,
)
from tests.integration.assessments.harness import CRISIS_EN, AssessmentsHarness, questions, spread
from tests.integration.assessments.test_pages import CHECK
from tests.support.bench import KEYRING

THANKS = "Your answers are saved. Your clinic looks at them"
REASON = "The form was filled in by a mail scanner."


async def scores(harness: AssessmentsHarness) -> list[Any]:
    return await harness.items(f"/patients/{harness.patient}/scores")


def opened_result(event: Any, field: str = "result") -> Any:
    return json.loads(KEYRING.open(getattr(event, field), context="result"))


async def test_a_worse_answer_from_a_second_device_is_not_thanked_for_and_thrown_away(
    harness: AssessmentsHarness,
) -> None:
    path = harness.path(opened := await harness.ask("phq-9"))
    assert THANKS in (await harness.send(path, "phq-9", spread(4))).text
    page = await harness.send(path, "phq-9", spread(6, item_9=2))
    assert page.status == 410
    assert THANKS not in page.text
    assert CRISIS_EN in page.text
    assert "What you sent now is saved beside it" in page.text
    assert [one["total"] for one in await scores(harness)] == [4]
    (aside,) = await harness.bench.said(AnswersSetAside)
    assert (aside.checkin, aside.why) == (opened.checkin, "again")
    assert opened_result(aside, "content")["answers"]["9"] == 2
    assert len(await harness.bench.said(AlertRaised)) == 1
    (kept,) = await harness.items(f"/checkins/{opened.checkin}/further-answers")
    assert (kept["why"], kept["answers"]["9"]) == ("again", 2)


async def test_a_milder_second_answer_is_told_apart_from_a_second_click(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.send(path, "phq-9", spread(9))
    assert THANKS in (await harness.send(path, "phq-9", spread(9))).text
    page = await harness.send(path, "phq-9", spread(3))
    assert "This was answered before, with other answers" in page.text
    assert "The first answers count." in page.text
    for _ in range(3):
        await harness.send(path, "phq-9", spread(3))
    assert len(await harness.bench.said(AnswersSetAside)) == 1


async def test_a_link_that_is_used_without_end_says_what_it_does_not_keep(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.send(path, "phq-9", spread(27 - 3))
    pages = [await harness.send(path, "phq-9", spread(total)) for total in range(21)]
    assert "We could not save this" in pages[-1].text
    assert len(await harness.bench.said(AnswersSetAside)) == 20


async def test_a_part_that_is_changed_by_going_back_is_kept_and_says_so(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("post-session", "phq-9"))
    await harness.send(path, "post-session", CHECK)
    page = await harness.send(path, "post-session", {**CHECK, "mood": 2})
    assert page.status == 200
    assert "Your change is saved, in place of what you chose before." in page.text
    assert questions(page.text)[0] == "1"
    await harness.send(path, "phq-9", spread(3))
    (completed,) = await harness.bench.said(CheckinCompleted)
    (check,) = [one for one in opened_result(completed) if one["instrument"] == "post-session"]
    assert check["answers"]["mood"] == 2
    (before,) = opened_result(completed, "voided")
    assert (before["answers"]["mood"], before["void"]["by"], before["void"]["replaced"]) == (6, None, True)
    assert len([one for one in await scores(harness) if one["voided"] is None]) == 2


async def test_a_total_that_was_changed_by_going_back_is_the_one_that_the_rule_reads(
    harness: AssessmentsHarness,
) -> None:
    path = harness.path(await harness.ask("phq-9", "post-session"))
    await harness.send(path, "phq-9", spread(3))
    await harness.send(path, "phq-9", spread(15))
    (current,) = [one for one in await harness.proposals() if one["state"] in {"open", "held"}]
    assert [one["total"] for one in current["evidence"]] in ([15], [])
    assert [one["total"] for one in await scores(harness) if one["voided"] is None] == [15]


async def test_an_answer_that_was_changed_before_all_was_sent_stays_on_record(harness: AssessmentsHarness) -> None:
    path = harness.path(opened := await harness.ask("phq-9"))
    await harness.send(path, "phq-9", {"9": 2})
    await harness.send(path, "phq-9", spread(5))
    (kept,) = await harness.items(f"/checkins/{opened.checkin}/further-answers")
    assert (kept["why"], kept["answers"]) == ("replaced", {"9": 2})
    assert len(await harness.bench.said(AlertRaised)) == 1


async def test_answers_after_the_end_are_kept_and_neither_patient_nor_staff_is_left_guessing(
    harness: AssessmentsHarness,
) -> None:
    opened = await harness.ask("phq-9")
    await harness.bench.live_until(opened.expires_at)
    page = await harness.send(harness.path(opened), "phq-9", spread(8))
    assert page.status == 410
    assert "Your answers came after the check-in had ended" in page.text
    assert "your clinic can see them" in page.text
    (aside,) = await harness.bench.said(AnswersSetAside)
    content = opened_result(aside, "content")
    assert (aside.why, content["total"], content["answers"]) == ("late", 8, spread(8))
    assert await scores(harness) == []


async def test_answers_between_the_end_and_its_timer_are_late_too(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    await harness.bench.clock.move_to(opened.expires_at)
    await harness.send(harness.path(opened), "phq-9", spread(8))
    (aside,) = await harness.bench.said(AnswersSetAside)
    assert aside.why == "late"


async def test_what_was_half_answered_when_it_ended_reaches_staff(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("post-session", "phq-9")
    await harness.send(harness.path(opened), "post-session", CHECK)
    await harness.send(harness.path(opened), "phq-9", {"1": 3, "2": 3})
    fired = await harness.bench.live_until(opened.expires_at)
    assert [type(event) for event in fired] == [CheckinExpired]
    (aside,) = await harness.bench.said(AnswersSetAside)
    assert (aside.why, opened_result(aside, "content")["answers"]) == ("unfinished", {"1": 3, "2": 3})
    (changed,) = await harness.bench.said(ResultChanged)
    assert (changed.state, [one["instrument"] for one in opened_result(changed)]) == ("expired", ["post-session"])


async def test_what_was_half_answered_when_a_patient_left_reaches_staff(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    await harness.send(harness.path(opened), "phq-9", {"1": 3})
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=9, patient=harness.patient))
    (aside,) = await harness.bench.said(AnswersSetAside)
    assert aside.why == "unfinished"


async def arrives(harness: AssessmentsHarness, opened: CheckinOpened, *kinds: Any) -> None:
    for version, kind in enumerate(kinds or (MessageSent, MessageDelivered), start=2):
        await harness.bench.tell(
            kind(
                clinic=harness.bench.clinic,
                patient=harness.patient,
                message=opened.checkin,
                version=version,
                purpose="checkin",
                channel="sms",
                occurrence=opened.occurrence,
                about=opened.checkin,
                to="+1•••••••0123",
                at=harness.bench.clock.now(),
            )
        )


@pytest.mark.parametrize(("seconds", "quick"), [(2, True), (9, True), (10, False), (600, False)])
async def test_a_form_that_a_machine_filled_in_at_once_does_not_look_like_a_persons(
    harness: AssessmentsHarness, seconds: int, *, quick: bool
) -> None:
    opened = await harness.ask("phq-9")
    await arrives(harness, opened)
    await harness.bench.clock.move_to(harness.bench.clock.now() + timedelta(seconds=seconds))
    await harness.send(harness.path(opened), "phq-9", {**spread(27, item_9=3), "difficulty": 3})
    (score,) = await scores(harness)
    assert (score["seconds_after_delivery"], score["quick"]) == (seconds, quick)
    assert score["total"] == 27


async def test_a_report_of_delivery_that_comes_after_the_answer_hides_no_machine(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    await arrives(harness, opened, MessageSent)
    await harness.bench.clock.move_to(harness.bench.clock.now() + timedelta(seconds=3))
    await harness.send(harness.path(opened), "phq-9", spread(27, item_9=3))
    await harness.bench.clock.move_to(harness.bench.clock.now() + timedelta(seconds=60))
    await arrives(harness, opened, MessageSent, MessageDelivered)
    (score,) = await scores(harness)
    assert score["quick"]


async def voided(harness: AssessmentsHarness, score: str) -> Any:
    return await harness.bench.call("POST", f"/scores/{score}/void", {"reason": REASON})


async def test_a_score_that_a_machine_made_never_keeps_the_patient_from_answering(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    await arrives(harness, opened)
    old = harness.path(opened)
    await harness.send(old, "phq-9", spread(27, item_9=3))
    (score,) = await scores(harness)
    await harness.bench.said(clear=True)
    answer = await voided(harness, score["id"])
    assert (answer.status, answer.json["state"]) == (200, "open"), answer.text
    (changed,) = await harness.bench.said(ResultChanged)
    (void,) = opened_result(changed, "voided")
    assert (void["total"], void["void"]["by"], void["void"]["reason"]) == (27, "test", REASON)
    assert opened_result(changed) == []
    (again,) = await harness.bench.said(CheckinOpened)
    assert again.version > changed.version
    assert all(one["state"] == "superseded" for one in await harness.proposals())
    assert (await harness.bench.call("GET", old, token="")).status == 404
    assert THANKS in (await harness.send(harness.path(again), "phq-9", spread(6))).text
    first, second = sorted(await scores(harness), key=lambda one: one["total"])
    assert (first["total"], first["voided"]) == (6, None)
    assert (second["total"], second["quick"], second["voided"]["reason"]) == (27, True, REASON)
    (completed,) = await harness.bench.said(CheckinCompleted)
    assert [one["total"] for one in opened_result(completed)] == [6]
    assert [one["total"] for one in opened_result(completed, "voided")] == [27]
    assert len(await harness.items("/alerts")) == 1


async def test_a_score_is_voided_once_with_a_reason_and_by_its_own_clinic(harness: AssessmentsHarness) -> None:
    await harness.phq9(7)
    (score,) = await scores(harness)
    path = f"/scores/{score['id']}/void"
    assert (await harness.bench.call("POST", path, {"reason": " "})).status == 422
    stranger = harness.bench.token(clinic=uuid4())  # type: ignore[arg-type]
    assert (await harness.bench.call("POST", path, {"reason": REASON}, token=stranger)).status == 404
    assert (await voided(harness, score["id"])).status == 200
    assert (await voided(harness, score["id"])).status == 409
    assert (await harness.bench.call("POST", f"/scores/{uuid4()}/void", {"reason": REASON})).status == 404


async def test_one_part_that_is_voided_leaves_the_other_and_asks_that_part_alone(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("post-session", "phq-9")
    path = harness.path(opened)
    await harness.send(path, "post-session", CHECK)
    await harness.send(path, "phq-9", spread(9))
    (score,) = [one for one in await scores(harness) if one["instrument"] == "phq-9"]
    await harness.bench.said(clear=True)
    assert (await voided(harness, score["id"])).json["state"] == "partial"
    (again,) = await harness.bench.said(CheckinOpened)
    page = await harness.bench.call("GET", harness.path(again), token="")
    assert questions(page.text)[0] == "1"
    await harness.send(harness.path(again), "phq-9", spread(2))
    (completed,) = await harness.bench.said(CheckinCompleted)
    assert {one["instrument"] for one in opened_result(completed)} == {"post-session", "phq-9"}


async def test_a_voided_score_of_somebody_who_left_asks_nobody(harness: AssessmentsHarness) -> None:
    await harness.phq9(7)
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=9, patient=harness.patient))
    (score,) = await scores(harness)
    await harness.bench.said(clear=True)
    assert (await voided(harness, score["id"])).json["state"] == "expired"
    assert await harness.bench.said(CheckinOpened) == []


async def correct(harness: AssessmentsHarness, score: Any, answers: list[int], **more: Any) -> Any:
    body = {"answers": answers, "reason": "Read from the wrong line.", **more}
    return await harness.bench.call("POST", f"/scores/{score['id']}/correct", body)


async def test_a_slip_in_a_score_can_be_corrected_and_both_stay(harness: AssessmentsHarness) -> None:
    await harness.phq9(7)
    (score,) = await scores(harness)
    await harness.bench.said(clear=True)
    answer = await correct(harness, score, [1, 1, 1, 1, 1, 1, 1, 1, 0])
    assert answer.status == 200, answer.text
    now, before = sorted(answer.json["scores"], key=lambda one: one["voided"] is not None)
    assert (now["total"], now["entered_by"], now["at"], now["voided"]) == (8, "test", score["at"], None)
    assert (before["total"], before["voided"]["by"]) == (7, "test")
    assert (before["voided"]["reason"], before["voided"]["replaced_by"]) == ("Read from the wrong line.", now["id"])
    (changed,) = await harness.bench.said(ResultChanged)
    assert [one["total"] for one in opened_result(changed)] == [8]
    assert [one["state"] for one in await harness.proposals()].count("held") == 1
    assert (await correct(harness, score, [1] * 9)).status == 409
    assert (await correct(harness, now, [1, 1, 1, 1, 1, 1, 1, 1, 0])).status == 409


async def test_a_corrected_answer_about_being_better_off_dead_reaches_a_person(harness: AssessmentsHarness) -> None:
    await harness.phq9(7)
    (score,) = await scores(harness)
    assert (await correct(harness, score, [1, 1, 1, 1, 1, 1, 1, 0, 2], difficulty=1)).status == 200
    (alert,) = await harness.bench.said(AlertRaised)
    assert alert.level == "high"


async def test_own_words_are_kept_with_the_answers_and_lie_sealed(harness: AssessmentsHarness) -> None:
    path = harness.path(opened := await harness.ask("post-session"))
    form = (await harness.bench.call("GET", path, token="")).text
    assert "Is there anything you want us to know?" in form
    await harness.send(path, "post-session", {"mood": 4}, words="My ears ring\r\nat night.")
    again = await harness.bench.call("GET", path, token="")
    assert "My ears ring" not in again.text
    await harness.send(path, "post-session", CHECK, words="And I slept badly.")
    (completed,) = await harness.bench.said(CheckinCompleted)
    (check,) = opened_result(completed)
    assert (check["version"], check["words"]) == (2, "My ears ring\nat night.\nAnd I slept badly.")
    assert "ears" not in completed.model_dump_json()
    (score,) = await scores(harness)
    assert score["words"] == check["words"]
    assert opened.checkin == completed.checkin


async def test_words_alone_are_an_answer(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("post-session")
    page = await harness.send(harness.path(opened), "post-session", {}, words="Please call me.")
    assert page.status == 422
    await harness.bench.live_until(opened.expires_at)
    (aside,) = await harness.bench.said(AnswersSetAside)
    assert opened_result(aside, "content")["words"] == "Please call me."
