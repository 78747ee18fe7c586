"""A notifier whose database was set back to an earlier point: nothing goes out twice, nothing is lost unseen."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.notifier.commands import held_messages
from services.notifier.model.send_rules import Reason
from services.notifier.store import held_messages as store
from services.notifier.store.held_messages import Lost
from services.notifier.tables import CONTACT_POINTS, STOPS
from shared.events import ConsentChanged, MessageSent, StaffContact
from tests.integration.notifier.fake_provider import OUR_NUMBER, Sent
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import KEYRING, eventually, running
from tests.support.figures import figure

PHONE = "+15550107777"
WORDS = "Lakeside Clinic: your visit is on Friday, December 4 at 10:00 AM. Reply C to confirm, STOP to end texts."
LINK = "Lakeside Clinic: how are you doing? Two minutes: https://care.example/c/older"


def lost(
    harness: NotifierHarness,
    *,
    forgotten: bool = False,
    changes: dict[UUID, list[str]] | None = None,
    consents: list[tuple[UUID, bool]] | None = None,
    since: timedelta = timedelta(hours=26),
) -> Lost:
    return Lost(harness.clock.now() - since, forgotten, changes or {}, consents or [])


async def restore(harness: NotifierHarness, what: Lost) -> int:
    async with harness.bench.database.transaction() as tx:
        return await held_messages.begin(tx, what)


def already_sent(harness: NotifierHarness, body: str, number: str = PHONE, status: str = "delivered") -> Sent:
    sent = Sent(f"SM{uuid4().hex}", number, body, "", status)
    harness.fake_provider.ledger.append(sent)
    return sent


async def reminded(harness: NotifierHarness) -> UUID:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    return patient


async def why(harness: NotifierHarness) -> list[str]:
    async with harness.bench.database.reading() as reader:
        return [each.why or "" for each in await store.waiting(reader)]


async def held_for_a_person(harness: NotifierHarness) -> None:
    async def one_waits() -> bool:
        return len(await why(harness)) == 1

    await eventually(one_waits)


async def looked(harness: NotifierHarness) -> None:
    """Live past the instant at which the provider is asked."""
    await harness.until(harness.clock.now() + timedelta(seconds=61))


async def test_what_the_provider_has_counts_as_sent_and_is_not_sent_again(harness: NotifierHarness) -> None:
    sent = already_sent(harness, WORDS)
    await restore(harness, lost(harness))
    await reminded(harness)
    await harness.in_state("held")
    await looked(harness)
    await harness.in_state("delivered")
    message = await harness.only()
    assert (message.sid, harness.fake_provider.requests) == (sent.sid, 0)
    assert [event.message for event in await harness.bench.said(MessageSent)] == [message.id]


async def test_what_the_provider_has_not_goes_out_after_it_was_asked(harness: NotifierHarness) -> None:
    await restore(harness, lost(harness))
    await reminded(harness)
    await looked(harness)
    await harness.in_state("accepted")
    assert harness.fake_provider.to(PHONE) == [WORDS]


async def test_the_words_of_a_reminder_that_was_not_confirmed_then_are_known_again(harness: NotifierHarness) -> None:
    already_sent(harness, WORDS)
    await restore(harness, lost(harness))
    patient = await harness.enrol(contact_of("sms", PHONE))
    session = await harness.book(patient)
    await harness.confirm(session)
    await harness.due(session)
    await looked(harness)
    await harness.in_state("delivered")
    assert harness.fake_provider.requests == 0


async def test_two_messages_of_the_same_words_are_not_settled_by_one_text(harness: NotifierHarness) -> None:
    already_sent(harness, WORDS)
    await restore(harness, lost(harness))
    for _ in range(2):
        await reminded(harness)
    await looked(harness)
    await harness.in_state("accepted", "delivered")
    assert harness.fake_provider.requests == 1


async def test_a_text_of_the_same_kind_in_other_words_waits_for_a_person_and_goes_on_their_word(
    harness: NotifierHarness,
) -> None:
    already_sent(harness, LINK)
    await restore(harness, lost(harness))
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.open_checkin(patient)
    await looked(harness)
    await held_for_a_person(harness)
    assert harness.fake_provider.requests == 0
    message = await harness.only()
    async with harness.bench.database.transaction() as tx:
        assert await held_messages.release(tx, [message.id], "Dr. A") == 1
    await harness.in_state("accepted")
    assert "may go after a restore: on the word of Dr. A" in await harness.story(message.id)


async def test_a_text_about_which_a_person_has_decided_holds_up_nothing_more(harness: NotifierHarness) -> None:
    already_sent(harness, LINK)
    await restore(harness, lost(harness))
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.open_checkin(patient)
    await looked(harness)
    await held_for_a_person(harness)
    async with harness.bench.database.transaction() as tx:
        await held_messages.drop(tx, [(await harness.only()).id], "Dr. A")
    await harness.open_checkin(patient, "day-3")
    await looked(harness)
    await harness.in_state("accepted", "withheld")


async def test_what_a_person_drops_never_goes_out(harness: NotifierHarness) -> None:
    already_sent(harness, LINK)
    await restore(harness, lost(harness))
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.open_checkin(patient)
    await looked(harness)
    await held_for_a_person(harness)
    async with harness.bench.database.transaction() as tx:
        assert await held_messages.drop(tx, [(await harness.only()).id], "Dr. A") == 1
    await harness.until(harness.clock.now() + timedelta(hours=1))
    message = await harness.only()
    assert (message.state, message.reason, harness.fake_provider.requests) == ("withheld", Reason.DROPPED, 0)


async def test_a_text_of_another_kind_does_not_hold_up_a_reminder(harness: NotifierHarness) -> None:
    already_sent(harness, LINK)
    await restore(harness, lost(harness))
    await reminded(harness)
    await looked(harness)
    await harness.in_state("accepted")


async def test_words_that_nobody_here_knows_hold_up_a_reminder(harness: NotifierHarness) -> None:
    already_sent(harness, "Hello from the version of next year")
    await restore(harness, lost(harness))
    await reminded(harness)
    await looked(harness)
    await held_for_a_person(harness)
    assert "nobody here knows" in (await why(harness))[0]


async def test_while_the_provider_cannot_be_asked_nothing_goes_out(harness: NotifierHarness) -> None:
    harness.fake_provider.hidden = True
    already_sent(harness, WORDS)
    await restore(harness, lost(harness))
    await reminded(harness)
    await harness.in_state("held")
    harness.fake_provider.hidden = False
    await looked(harness)
    await harness.in_state("delivered")
    assert harness.fake_provider.requests == 0


async def test_an_email_of_the_lost_time_waits_for_a_person_because_nobody_can_be_asked(
    harness: NotifierHarness,
) -> None:
    await restore(harness, lost(harness))
    patient = await harness.enrol(contact_of("email", "ana@example.org"))
    await harness.due(await harness.book(patient))
    await held_for_a_person(harness)
    assert "mail server" in (await why(harness))[0]


async def test_what_can_only_be_due_after_the_restore_is_not_held(harness: NotifierHarness) -> None:
    await restore(harness, lost(harness))
    patient = await harness.enrol(contact_of("sms", PHONE))
    session = await harness.book(patient, "2026-12-20T10:00")
    await harness.due(session)
    await harness.in_state("accepted")


async def test_a_patient_whose_record_changed_in_the_lost_time_gets_nothing_without_a_persons_word(
    harness: NotifierHarness,
) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await restore(harness, lost(harness, changes={patient: ["session.cancelled"]}))
    session = await harness.book(patient, "2026-12-20T10:00")
    await harness.due(session)
    await held_for_a_person(harness)
    assert "record changed" in (await why(harness))[0]
    await harness.cancel(session)
    assert (await harness.only()).reason == Reason.SESSION_OVER


async def test_where_nothing_is_known_of_the_lost_time_every_patient_waits(harness: NotifierHarness) -> None:
    await restore(harness, lost(harness, forgotten=True))
    await reminded(harness)
    await looked(harness)
    await held_for_a_person(harness)
    assert harness.fake_provider.requests == 0


@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_page_is_never_held_for_a_person(harness: NotifierHarness, forgotten: bool) -> None:
    oncall = (StaffContact(kind="sms", value=KEYRING.seal(PHONE, context="contact")),)
    await harness.opens(version=2, oncall=oncall)
    await restore(harness, lost(harness, forgotten=forgotten))
    await harness.alert(uuid4())
    await looked(harness)
    await harness.in_state("accepted")


async def test_a_stop_of_the_lost_time_holds_again_before_anything_goes_out(harness: NotifierHarness) -> None:
    harness.fake_provider.inbound.append(
        {"sid": "SM1", "from": PHONE, "to": OUR_NUMBER, "body": "please stop texting me", "direction": "inbound"}
    )
    await restore(harness, lost(harness))
    await reminded(harness)
    await looked(harness)
    await harness.in_state("withheld")
    assert (await harness.only()).reason == Reason.OPTED_OUT
    assert harness.fake_provider.requests == 0  # the stop was answered when it came
    assert [event.granted for event in await harness.bench.said(ConsentChanged)] == [False]


async def test_a_stop_that_the_lost_events_tell_of_holds_from_the_first_instant(resting: NotifierHarness) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    async with resting.bench.database.reading() as reader:
        contact = await reader.scalar(select(CONTACT_POINTS.c.contact).where(CONTACT_POINTS.c.patient == patient))
    assert await restore(resting, lost(resting, consents=[(contact, False)])) == 1
    async with resting.bench.database.reading() as reader:
        assert len(await reader.all(select(STOPS))) == 1


async def test_a_restore_stays_open_while_a_message_is_held_and_is_seen(harness: NotifierHarness) -> None:
    await restore(harness, lost(harness, forgotten=True))
    await reminded(harness)
    await looked(harness)
    await held_for_a_person(harness)
    async with harness.bench.database.transaction() as tx:
        assert await held_messages.close(tx) == 1
    async with harness.bench.database.reading() as reader:
        # This clinic has nobody on call, which is a finding of its own.
        (note,) = [said for said in await harness.bench.service.notes(reader) if "on call" not in said]
        assert "1 wait for a person" in note
        assert (await harness.bench.service.status(reader))["held_for_a_person"] == 1
        await harness.bench.service.measure(reader)
    assert figure("keepwell_messages_for_a_person") == 1
    async with harness.bench.database.transaction() as tx:
        await held_messages.release(tx, [(await harness.only()).id], "Dr. A")
        assert await held_messages.close(tx) == 0
    async with harness.bench.database.reading() as reader:
        assert not any("restored" in said for said in await harness.bench.service.notes(reader))


async def test_a_second_restore_asks_anew_about_what_the_first_had_let_go(resting: NotifierHarness) -> None:
    await restore(resting, lost(resting))
    await reminded(resting)
    message = await resting.only()
    async with running(resting.bench.service):
        resting.fake_provider.script.extend(["busy"] * 9)
        await looked(resting)
    assert (await resting.only()).state == "planned"
    already_sent(resting, WORDS)
    await restore(resting, lost(resting))
    resting.fake_provider.script.clear()
    async with running(resting.bench.service):
        await resting.until(resting.clock.now() + timedelta(minutes=5))
    assert [(row.id, row.state) for row in await resting.messages()] == [(message.id, "delivered")]


async def test_a_backup_of_an_open_restore_keeps_its_beginning(resting: NotifierHarness) -> None:
    first = lost(resting, since=timedelta(days=3), forgotten=True)
    await restore(resting, first)
    await restore(resting, lost(resting))
    async with resting.bench.database.reading() as reader:
        row = await store.open_restore(reader)
    assert row is not None
    since: datetime = row.backed_up_at
    assert (since, row.forgotten) == (first.backed_up_at, True)
