from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.assessments.packs import Packs
from shared.events import (
    AlertAcknowledged,
    AlertClosed,
    AlertOverdue,
    AlertRaised,
    MessageDelivered,
    MessageFailed,
    MessageSent,
    MessageWithheld,
    ReplyReceived,
    UnknownNumberTexted,
)
from shared.web.tokens import USUAL_SCOPES
from tests.integration.assessments.harness import AssessmentsHarness, spread
from tests.support.bench import KEYRING

QUARTER = timedelta(minutes=15)


async def raised(harness: AssessmentsHarness, item_9: int = 1) -> Any:
    await harness.phq9(9, item_9=item_9)
    (alert,) = await harness.items("/alerts?state=open")
    return alert


async def told(harness: AssessmentsHarness, kind: Any, alert: Any, *, message: UUID, version: int, **more: Any) -> None:
    await harness.bench.tell(
        kind(
            clinic=harness.bench.clinic,
            version=version,
            patient=harness.patient,
            message=message,
            purpose="page",
            channel="sms",
            occurrence="page-1",
            about=UUID(alert["id"]),
            to="+1•••••••0100",
            at=harness.bench.clock.now(),
            **more,
        )
    )


async def test_item_9_raises_an_alert_with_its_cause_sealed_on_the_bus(harness: AssessmentsHarness) -> None:
    await harness.phq9(9, item_9=1)
    (event,) = await harness.bench.said(AlertRaised)
    assert (event.level, event.page_number) == ("elevated", 1)
    assert "item 9" not in event.model_dump_json()
    assert KEYRING.open(event.cause, context="cause").startswith("PHQ-9 item 9")


async def test_an_answer_of_two_or_three_is_high(harness: AssessmentsHarness) -> None:
    assert (await raised(harness, item_9=2))["level"] == "high"


async def test_item_9_at_zero_raises_none(harness: AssessmentsHarness) -> None:
    await harness.phq9(20)
    assert await harness.bench.said(AlertRaised) == []
    assert await harness.items("/alerts") == []


async def test_a_later_answer_of_the_same_form_makes_the_alert_more_urgent_and_pages_at_once(
    harness: AssessmentsHarness,
) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.send(path, "phq-9", {"9": 1})
    await harness.send(path, "phq-9", spread(5, item_9=3))
    first, second = await harness.bench.said(AlertRaised)
    assert first.alert == second.alert
    assert (second.level, second.page_number, second.version) == ("high", 2, 2)


async def test_paging_never_ends_before_somebody_acknowledges(harness: AssessmentsHarness) -> None:
    await raised(harness)
    fired = await harness.bench.live_until(harness.bench.clock.now() + timedelta(hours=12))
    pages = [event for event in fired if isinstance(event, AlertOverdue)]
    assert [event.page_number for event in pages] == list(range(2, 50))
    (alert,) = await harness.items("/alerts?state=open")
    assert alert["pages"] == 49


async def test_the_second_page_goes_out_after_a_quarter_of_an_hour(harness: AssessmentsHarness) -> None:
    alert = await raised(harness)
    at, event = (await harness.bench.pending())[f"alert:{alert['id']}"]
    assert at == harness.bench.clock.now() + QUARTER
    assert isinstance(event, AlertOverdue)


async def test_an_acknowledged_alert_is_not_forgotten_before_it_is_closed(harness: AssessmentsHarness) -> None:
    alert = await raised(harness)
    answer = await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})
    assert (answer.status, answer.json["state"]) == (200, "acknowledged")
    assert answer.json["acknowledged_by"] == "test"
    (event,) = await harness.bench.said(AlertAcknowledged)
    assert event.version == answer.json["version"] == 2
    began = harness.bench.clock.now()
    fired = [
        event
        for event in await harness.bench.live_until(began + timedelta(minutes=130))
        if isinstance(event, AlertOverdue)
    ]
    assert [event.page_number for event in fired] == [2, 3]
    await harness.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Called; safe plan agreed."})
    assert await harness.bench.live_until(began + timedelta(hours=12)) == []


async def test_when_those_on_call_are_paged_again_is_told_and_is_when_they_are(harness: AssessmentsHarness) -> None:
    alert = await raised(harness)
    timer = f"alert:{alert['id']}"
    await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})
    (event,) = await harness.bench.said(AlertAcknowledged)
    assert event.next_page_at == (await harness.bench.pending())[timer][0]
    fired = await harness.bench.live_until(harness.bench.clock.now() + timedelta(minutes=61))
    (page,) = [event for event in fired if isinstance(event, AlertOverdue)]
    assert page.next_page_at == (await harness.bench.pending())[timer][0]


async def test_of_an_alert_that_pages_nobody_no_page_is_promised(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("post-session"))
    await harness.send(path, "post-session", {"bladder-urgency": 1})
    (alert,) = await harness.items("/alerts?state=open")
    assert alert["level"] == "task"
    await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})
    (event,) = await harness.bench.said(AlertAcknowledged)
    assert event.next_page_at is None


async def test_a_page_that_fires_after_the_acknowledgement_repeats_after_the_hour_and_not_before(
    harness: AssessmentsHarness,
) -> None:
    alert = await raised(harness)
    _, overdue = (await harness.bench.pending())[f"alert:{alert['id']}"]
    await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})
    await harness.bench.tell(overdue)
    at, _ = (await harness.bench.pending())[f"alert:{alert['id']}"]
    assert at == harness.bench.clock.now() + timedelta(hours=1)


async def test_closing_keeps_what_was_done_and_tells_it_sealed(harness: AssessmentsHarness) -> None:
    alert = await raised(harness)
    answer = await harness.bench.call(
        "POST", f"/alerts/{alert['id']}/close", {"disposition": "Called; safe plan agreed."}
    )
    assert (answer.status, answer.json["state"]) == (200, "closed")
    assert answer.json["disposition"] == "Called; safe plan agreed."
    (event,) = await harness.bench.said(AlertClosed)
    assert KEYRING.open(event.disposition, context="disposition") == "Called; safe plan agreed."
    again = await harness.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Called her twice."})
    assert again.status == 409
    assert "This alert is closed" in again.json["detail"]


async def test_closing_needs_a_disposition(harness: AssessmentsHarness) -> None:
    alert = await raised(harness)
    answer = await harness.bench.call("POST", f"/alerts/{alert['id']}/close", {})
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/disposition"


@pytest.mark.parametrize("note", [".", "ok", "..........", "done"])
async def test_a_full_stop_closes_no_alert(harness: AssessmentsHarness, note: str) -> None:
    alert = await raised(harness)
    answer = await harness.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": note})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/disposition")
    assert len(await harness.items("/alerts?state=open")) == 1


async def test_a_token_that_was_given_no_such_scope_closes_no_alert(harness: AssessmentsHarness) -> None:
    alert = await raised(harness)
    token = harness.bench.token(scopes=USUAL_SCOPES)
    body = {"disposition": "Called; safe plan agreed."}
    answer = await harness.bench.call("POST", f"/alerts/{alert['id']}/close", body, token=token)
    assert answer.status == 403
    assert (await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {}, token=token)).status == 200


async def test_an_alert_closed_over_a_mild_answer_does_not_silence_a_worse_one(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.send(path, "phq-9", {"9": 1})
    (first,) = await harness.items("/alerts?state=open")
    await harness.bench.call("POST", f"/alerts/{first['id']}/acknowledge", {})
    await harness.bench.call("POST", f"/alerts/{first['id']}/close", {"disposition": "Called; safe plan agreed."})
    await harness.bench.said(clear=True)
    await harness.send(path, "phq-9", {"9": 1})
    assert await harness.bench.said(AlertRaised) == []
    await harness.send(path, "phq-9", spread(11, item_9=3))
    (event,) = await harness.bench.said(AlertRaised)
    assert (event.level, event.page_number, event.version) == ("high", 1, 1)
    assert event.alert != UUID(first["id"])
    assert f"alert:{event.alert}" in await harness.bench.pending()


@pytest.mark.parametrize("worse", [2, 3])
async def test_a_worse_answer_to_an_acknowledged_alert_pages_and_repeats(
    harness: AssessmentsHarness, worse: int
) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.send(path, "phq-9", {"9": 1})
    (alert,) = await harness.items("/alerts?state=open")
    await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})
    await harness.send(path, "phq-9", {"9": worse})
    (again,) = await harness.items("/alerts?state=open")
    assert (again["id"], again["level"], again["acknowledged_by"]) == (alert["id"], "high", None)
    fired = await harness.bench.live_until(harness.bench.clock.now() + timedelta(minutes=40))
    assert [event.page_number for event in fired if isinstance(event, AlertOverdue)] == [3, 4]


async def test_two_is_not_as_bad_as_three(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.send(path, "phq-9", {"9": 2})
    (alert,) = await harness.items("/alerts?state=open")
    await harness.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Called; safe plan agreed."})
    await harness.send(path, "phq-9", spread(11, item_9=3))
    assert len(await harness.items("/alerts?state=open")) == 1


async def test_blood_and_pain_after_a_session_reach_somebody(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("post-session", occurrence="day-1"))
    fine = {item.id: 0 for item in Packs.load().get("post-session").items}
    await harness.send(path, "post-session", {**fine, "mood": 3, "bladder-blood": 1, "bladder-pain": 1})
    (event,) = await harness.bench.said(AlertRaised)
    assert (event.level, event.page_number) == ("elevated", 1)
    assert "bladder" not in event.model_dump_json()


async def test_what_is_not_urgent_waits_on_today_and_pages_nobody(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("post-session", occurrence="day-1"))
    fine = {item.id: 0 for item in Packs.load().get("post-session").items}
    await harness.send(path, "post-session", {**fine, "mood": 3, "bladder-urgency": 1})
    (event,) = await harness.bench.said(AlertRaised)
    assert (event.level, event.page_number) == ("task", 0)
    assert f"alert:{event.alert}" not in await harness.bench.pending()
    answer = await harness.bench.call("POST", f"/alerts/{event.alert}/acknowledge", {})
    assert answer.status == 200
    assert f"alert:{event.alert}" not in await harness.bench.pending()


async def text(harness: AssessmentsHarness, words: str, *, patient: bool = True, number: str = "+12025550123") -> UUID:
    reply = uuid4()
    sealed = KEYRING.seal(words, context="reply")
    common = {"clinic": harness.bench.clinic, "version": 1, "reply": reply, "intent": "other", "text": sealed}
    now = harness.bench.clock.now()
    if patient:
        await harness.bench.tell(
            ReplyReceived(**common, patient=harness.patient, session=None, session_version=None, at=now)
        )
    else:
        sealed = KEYRING.seal(number, context="contact")
        await harness.bench.tell(UnknownNumberTexted(**common, number=sealed, masked="+1•••0123", at=now))
    return reply


@pytest.mark.parametrize(
    "words", ["quiero suicidarme", "I dont want to be here anymore", "i have the pills", "i took all of them"]
)
async def test_words_of_suicide_are_never_filed_below_running_late(harness: AssessmentsHarness, words: str) -> None:
    await text(harness, "running late")
    assert await harness.bench.said(AlertRaised) == []
    reply = await text(harness, words)
    (event,) = await harness.bench.said(AlertRaised)
    assert (event.level, event.patient, event.reply) == ("high", harness.patient, reply)
    assert words not in event.model_dump_json()
    assert KEYRING.open(event.cause, context="cause") == f'Text message: "{words}"'
    (alert,) = await harness.items("/alerts?state=open")
    assert (alert["checkin"], alert["kind"]) == (None, "crisis-words")


async def test_the_second_cry_of_a_day_is_paged_as_the_first(harness: AssessmentsHarness) -> None:
    for words in ("ok thanks", "I dont want to be here anymore", "i have the pills"):
        await text(harness, words)
    assert len(await harness.items("/alerts?state=open")) == 2


async def test_one_strangers_many_texts_never_silence_another_ones_cry(harness: AssessmentsHarness) -> None:
    for _ in range(25):
        await text(harness, "i have the pills", patient=False)
    flood = len(await harness.items("/alerts?state=open&limit=100"))
    assert flood == 20
    await text(harness, "i want to die", patient=False, number="+12025550177")
    assert len(await harness.items("/alerts?state=open&limit=100")) == flood + 1


async def test_a_cry_from_an_unknown_number_leaves_a_trace(harness: AssessmentsHarness) -> None:
    await text(harness, "quiero suicidarme", patient=False)
    (event,) = await harness.bench.said(AlertRaised)
    assert (event.patient, event.level) == (None, "high")
    closed = await harness.bench.call(
        "POST", f"/alerts/{event.alert}/close", {"disposition": "Called the number; safe with a friend."}
    )
    assert (closed.status, closed.json["patient"]) == (200, None)


async def test_a_machine_that_answers_a_machine_floods_nobody(harness: AssessmentsHarness) -> None:
    for _ in range(25):
        await text(harness, "This is an emergency line. Call 911.")
    assert len(await harness.bench.said(AlertRaised)) == 20


async def test_a_page_that_reached_nobody_is_not_left_for_a_quarter_of_an_hour(harness: AssessmentsHarness) -> None:
    alert = await raised(harness)
    await told(harness, MessageWithheld, alert, message=uuid4(), version=1, reason="opted_out")
    at, event = (await harness.bench.pending())[f"alert:{alert['id']}"]
    assert isinstance(event, AlertOverdue)
    assert (at - harness.bench.clock.now(), event.page_number) == (timedelta(minutes=1), 2)
    (shown,) = await harness.items("/alerts?state=open")
    assert (shown["pages"], shown["reached"]) == (1, 0)


async def test_an_old_version_is_refused(harness: AssessmentsHarness) -> None:
    alert = await raised(harness)
    path = f"/alerts/{alert['id']}/acknowledge"
    assert (await harness.bench.call("POST", path, {}, headers={"If-Match": '"7"'})).status == 412
    assert (await harness.bench.call("POST", path, {}, headers={"If-Match": '"1"'})).status == 200


async def test_an_alert_shows_what_became_of_its_pages(harness: AssessmentsHarness) -> None:
    alert = await raised(harness)
    one, other = uuid4(), uuid4()
    await told(harness, MessageSent, alert, message=one, version=1)
    await told(harness, MessageDelivered, alert, message=one, version=2)
    await told(harness, MessageSent, alert, message=one, version=1)
    await told(harness, MessageFailed, alert, message=other, version=1, error="30003")
    shown = (await harness.bench.call("GET", f"/alerts/{alert['id']}")).json["paged"]
    assert sorted((page["to"], page["state"], page["reason"]) for page in shown) == [
        ("+1•••••••0100", "delivered", None),
        ("+1•••••••0100", "failed", "30003"),
    ]


async def test_alerts_are_listed_by_state_and_for_their_clinic_alone(harness: AssessmentsHarness) -> None:
    alert = await raised(harness)
    assert [one["id"] for one in await harness.items("/alerts")] == [alert["id"]]
    assert await harness.items("/alerts?state=closed") == []
    stranger = harness.bench.token(clinic=uuid4())  # type: ignore[arg-type]
    assert (await harness.bench.call("GET", "/alerts", token=stranger)).json["items"] == []
    refused = await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {}, token=stranger)
    assert refused.status == 404
    assert (await harness.bench.call("GET", "/alerts?state=sleeping")).status == 422
