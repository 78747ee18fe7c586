from itertools import permutations
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator

from services.notifier.tables import CALLBACKS, FORGERIES
from shared.events import MessageDelivered, MessageFailed, MessageSent
from tests.integration.notifier.fake_provider import TOKEN, Sent
from tests.integration.notifier.harness import NotifierHarness, contact_of

PHONE = "+15550101234"


async def sent_text(harness: NotifierHarness) -> Sent:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted")
    return harness.fake_provider.ledger[-1]


async def test_reports_out_of_order_and_twice_end_where_they_would_in_order(harness: NotifierHarness) -> None:
    for number, order in enumerate(permutations(["sending", "sent", "delivered"])):
        patient = await harness.enrol(contact_of("sms", f"+1555010200{number}"))
        await harness.due(await harness.book(patient))
        await harness.settled()
        for status in order * 2:
            await harness.fake_provider.report(harness.fake_provider.ledger[-1], status)
    assert set(await harness.states()) == {"delivered"}
    assert len(await harness.bench.said(MessageSent)) == 6
    assert len(await harness.bench.said(MessageDelivered)) == 6
    async with harness.bench.database.reading() as reader:
        assert await reader.scalar(select(func.count()).select_from(CALLBACKS)) == 36


async def test_a_late_report_does_not_erase_the_error(harness: NotifierHarness) -> None:
    sent = await sent_text(harness)
    await harness.fake_provider.report(sent, "undelivered", "30005")
    await harness.fake_provider.report(sent, "sent")
    await harness.fake_provider.report(sent, "delivered")
    message = await harness.only()
    assert (message.state, message.error) == ("undelivered", "30005")
    (failed,) = await harness.bench.said(MessageFailed)
    assert failed.error == "30005"


async def test_a_failure_that_comes_after_delivery_stays_on_record(harness: NotifierHarness) -> None:
    sent = await sent_text(harness)
    await harness.fake_provider.report(sent, "delivered")
    await harness.fake_provider.report(sent, "failed", "30008")
    message = await harness.only()
    assert (message.state, message.error) == ("delivered", None)
    assert "provider reported: failed 30008" in await harness.story(message.id)


async def test_a_report_that_overtakes_the_answer_to_the_call_is_not_undone_by_it(harness: NotifierHarness) -> None:
    harness.fake_provider.script.append("hold")
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.fake_provider.held.wait()
    await harness.fake_provider.report(harness.fake_provider.ledger[0], "delivered")
    harness.fake_provider.go_on.set()
    await harness.settled()
    assert await harness.states() == ["delivered"]
    assert len(await harness.bench.said(MessageSent)) == 1


async def test_a_second_copy_at_the_provider_is_put_on_record(harness: NotifierHarness) -> None:
    sent = await sent_text(harness)
    await harness.fake_provider.report(Sent("SMother", sent.to, sent.body, sent.callback), "delivered")
    message = await harness.only()
    assert (message.state, message.sid) == ("accepted", sent.sid)
    assert any(line.startswith("second copy") for line in await harness.story(message.id))


async def test_a_report_about_nothing_we_sent_is_kept_and_changes_nothing(harness: NotifierHarness) -> None:
    address = f"{harness.bench.base_url}/webhooks/twilio/status?message={uuid4()}&attempt=nonsense"
    assert await harness.fake_provider.report(Sent("SMstrange", PHONE, "", address), "delivered") == 204


@pytest.mark.parametrize("code", ["30003", "30007"])
async def test_what_the_carrier_rejects_is_not_tried_again_on_this_channel(harness: NotifierHarness, code: str) -> None:
    await harness.fake_provider.report(await sent_text(harness), "undelivered", code)
    await harness.settled()
    assert harness.fake_provider.requests == 1


@pytest.mark.parametrize("fault", ["no signature", "wrong secret", "altered", "other address", "not a form"])
async def test_a_forged_report_is_refused_recorded_and_without_effect(harness: NotifierHarness, fault: str) -> None:
    sent = await sent_text(harness)
    address, form = sent.callback, {"MessageSid": sent.sid, "MessageStatus": "delivered"}
    validator_of = harness.fake_provider.post
    match fault:
        case "no signature":
            answer = await harness.bench.call("POST", _path(address), data=form, token="")
            status = answer.status
        case "wrong secret":
            status = await validator_of(address, form, token="guess")
        case "not a form":
            answer = await harness.bench.call("POST", _path(address), data=b"\xff\xfe", token="")
            status = answer.status
        case _:
            changed = {**form, "MessageStatus": "failed"} if fault == "altered" else form
            other = address + "&more=1" if fault == "other address" else address
            status = await _signed_for_something_else(harness, other, changed, address, form)
    assert status == 403
    assert await harness.states() == ["accepted"]
    async with harness.bench.database.reading() as reader:
        assert await reader.scalar(select(FORGERIES.c.count)) == 1


def _path(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


async def _signed_for_something_else(
    harness: NotifierHarness, address: str, form: dict[str, str], signed_address: str, signed_form: dict[str, str]
) -> int:
    signature = RequestValidator(TOKEN).compute_signature(signed_address, signed_form)
    answer = await harness.bench.call(
        "POST", _path(address), data=form, token="", headers={"X-Twilio-Signature": signature}
    )
    return answer.status
