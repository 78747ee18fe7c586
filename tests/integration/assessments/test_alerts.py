from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.events import (
    AlertAcknowledged,
    AlertClosed,
    AlertOverdue,
    AlertRaised,
    MessageDelivered,
    MessageFailed,
    MessageSent,
)
from tests.integration.assessments.ward import Ward, spread
from tests.support.bench import KEYRING

QUARTER = timedelta(minutes=15)


async def raised(ward: Ward, item_9: int = 1) -> Any:
    await ward.phq9(9, item_9=item_9)
    (alert,) = await ward.items("/alerts?state=open")
    return alert


async def told(ward: Ward, kind: Any, alert: Any, *, message: UUID, version: int, **more: Any) -> None:
    await ward.bench.tell(
        kind(
            clinic=ward.bench.clinic,
            version=version,
            patient=ward.patient,
            message=message,
            purpose="page",
            channel="sms",
            occurrence="page-1",
            about=UUID(alert["id"]),
            to="+1•••••••0100",
            at=ward.bench.clock.now(),
            **more,
        )
    )


async def test_item_9_raises_an_alert_with_its_cause_sealed_on_the_bus(ward: Ward) -> None:
    await ward.phq9(9, item_9=1)
    (event,) = await ward.bench.said(AlertRaised)
    assert (event.level, event.page_number) == ("elevated", 1)
    assert "item 9" not in event.model_dump_json()
    assert KEYRING.open(event.cause, context="cause").startswith("PHQ-9 item 9")


async def test_an_answer_of_two_or_three_is_high(ward: Ward) -> None:
    assert (await raised(ward, item_9=2))["level"] == "high"


async def test_item_9_at_zero_raises_none(ward: Ward) -> None:
    await ward.phq9(20)
    assert await ward.bench.said(AlertRaised) == []
    assert await ward.items("/alerts") == []


async def test_a_later_answer_of_the_same_form_makes_the_alert_more_urgent_and_pages_at_once(ward: Ward) -> None:
    path = ward.path(await ward.ask("phq-9"))
    await ward.send(path, "phq-9", {"9": 1})
    await ward.send(path, "phq-9", spread(5, item_9=3))
    first, second = await ward.bench.said(AlertRaised)
    assert first.alert == second.alert
    assert (second.level, second.page_number, second.version) == ("high", 2, 2)


async def test_nobody_acknowledges_so_it_pages_every_quarter_of_an_hour_up_to_the_bound(ward: Ward) -> None:
    await raised(ward)
    fired = await ward.bench.live_until(ward.bench.clock.now() + timedelta(hours=12))
    pages = [event for event in fired if isinstance(event, AlertOverdue)]
    assert [event.page_number for event in pages] == list(range(2, 13))
    (alert,) = await ward.items("/alerts?state=open")
    assert alert["pages"] == 12


async def test_the_second_page_goes_out_after_a_quarter_of_an_hour(ward: Ward) -> None:
    alert = await raised(ward)
    at, event = (await ward.bench.pending())[f"alert:{alert['id']}"]
    assert at == ward.bench.clock.now() + QUARTER
    assert isinstance(event, AlertOverdue)


async def test_an_acknowledged_alert_pages_no_more(ward: Ward) -> None:
    alert = await raised(ward)
    answer = await ward.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})
    assert (answer.status, answer.json["state"]) == (200, "acknowledged")
    assert answer.json["acknowledged_by"] == "test"
    assert f"alert:{alert['id']}" not in await ward.bench.pending()
    (event,) = await ward.bench.said(AlertAcknowledged)
    assert event.version == answer.json["version"] == 2


async def test_a_page_that_fires_after_the_acknowledgement_counts_for_nothing(ward: Ward) -> None:
    alert = await raised(ward)
    _, overdue = (await ward.bench.pending())[f"alert:{alert['id']}"]
    await ward.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})
    await ward.bench.tell(overdue)
    assert f"alert:{alert['id']}" not in await ward.bench.pending()


async def test_closing_keeps_what_was_done_and_tells_it_sealed(ward: Ward) -> None:
    alert = await raised(ward)
    answer = await ward.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Called; safe plan agreed."})
    assert (answer.status, answer.json["state"]) == (200, "closed")
    assert answer.json["disposition"] == "Called; safe plan agreed."
    (event,) = await ward.bench.said(AlertClosed)
    assert KEYRING.open(event.disposition, context="disposition") == "Called; safe plan agreed."
    again = await ward.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Twice."})
    assert again.status == 409
    assert "This alert is closed" in again.json["detail"]


async def test_closing_needs_a_disposition(ward: Ward) -> None:
    alert = await raised(ward)
    answer = await ward.bench.call("POST", f"/alerts/{alert['id']}/close", {})
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/disposition"


async def test_an_old_version_is_refused(ward: Ward) -> None:
    alert = await raised(ward)
    path = f"/alerts/{alert['id']}/acknowledge"
    assert (await ward.bench.call("POST", path, {}, headers={"If-Match": '"7"'})).status == 412
    assert (await ward.bench.call("POST", path, {}, headers={"If-Match": '"1"'})).status == 200


async def test_an_alert_shows_what_became_of_its_pages(ward: Ward) -> None:
    alert = await raised(ward)
    one, other = uuid4(), uuid4()
    await told(ward, MessageSent, alert, message=one, version=1)
    await told(ward, MessageDelivered, alert, message=one, version=2)
    await told(ward, MessageSent, alert, message=one, version=1)
    await told(ward, MessageFailed, alert, message=other, version=1, error="30003")
    shown = (await ward.bench.call("GET", f"/alerts/{alert['id']}")).json["paged"]
    assert sorted((page["to"], page["state"], page["reason"]) for page in shown) == [
        ("+1•••••••0100", "delivered", None),
        ("+1•••••••0100", "failed", "30003"),
    ]


async def test_alerts_are_listed_by_state_and_for_their_clinic_alone(ward: Ward) -> None:
    alert = await raised(ward)
    assert [one["id"] for one in await ward.items("/alerts")] == [alert["id"]]
    assert await ward.items("/alerts?state=closed") == []
    stranger = ward.bench.token(clinic=uuid4())  # type: ignore[arg-type]
    assert (await ward.bench.call("GET", "/alerts", token=stranger)).json["items"] == []
    refused = await ward.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {}, token=stranger)
    assert refused.status == 404
    assert (await ward.bench.call("GET", "/alerts?state=sleeping")).status == 422
