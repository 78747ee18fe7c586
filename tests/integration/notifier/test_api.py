from uuid import uuid4

from shared.ids import ClinicId
from tests.integration.notifier.harness import NotifierHarness, contact_of

PHONE = "+15550101234"


async def test_a_message_tells_its_story_and_shows_no_number(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted")
    await harness.fake_provider.report(harness.fake_provider.ledger[0], "delivered")
    message = await harness.only()
    answer = await harness.bench.call("GET", f"/messages/{message.id}")
    assert {name.lower(): value for name, value in answer.headers.items()}["etag"] == f'"{answer.json["version"]}"'
    assert answer.json["to"] == "+1••••••1234"
    assert PHONE not in answer.text
    assert [line["what"] for line in answer.json["story"]] == ["planned", "attempt", "accepted", "provider reported"]


async def test_another_clinics_patient_and_message_are_not_found(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.settled()
    stranger = harness.bench.token(clinic=ClinicId(uuid4()))
    for path in (f"/patients/{patient}/messages", f"/messages/{(await harness.only()).id}"):
        assert (await harness.bench.call("GET", path, token=stranger)).status == 404
        assert (await harness.bench.call("GET", path, token="")).status == 401


async def test_a_list_goes_on_where_it_ended(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    for day in range(4, 9):
        await harness.due(await harness.book(patient, f"2026-12-0{day}T10:00"))
    seen: list[str] = []
    after = ""
    while True:
        answer = await harness.bench.call("GET", f"/patients/{patient}/messages?limit=2{after}")
        seen += [item["id"] for item in answer.json["items"]]
        if answer.json["next"] is None:
            break
        after = f"&after={answer.json['next']}"
    assert len(seen) == len(set(seen)) == 5


async def test_why_a_message_was_not_sent_is_told(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE, ()))
    await harness.due(await harness.book(patient))
    await harness.in_state("withheld")
    answer = await harness.bench.call("GET", f"/patients/{patient}/messages")
    (item,) = answer.json["items"]
    assert item["reason"] == "no_consent"
    assert item["story"][-1]["what"] == "withheld"
    assert item["story"][-1]["detail"] == "the patient has not agreed to this on this channel"
