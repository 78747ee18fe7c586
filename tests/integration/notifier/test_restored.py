"""A notifier whose database was set back to an earlier point: nothing goes out twice, nothing is lost unseen."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.notifier.commands import holds
from services.notifier.model.judging import Reason
from services.notifier.store import holds as store
from services.notifier.store.holds import Lost
from services.notifier.tables import CONTACT_POINTS, STOPS
from shared.events import ConsentChanged, MessageSent, StaffContact
from tests.integration.notifier.exchange import OUR_NUMBER, Sent
from tests.integration.notifier.practice import Practice, contact_of
from tests.support.bench import KEYRING, eventually, running
from tests.support.figures import figure

PHONE = "+15550107777"
WORDS = "Lakeside Clinic: your visit is on Friday, December 4 at 10:00 AM. Reply C to confirm, STOP to end texts."
LINK = "Lakeside Clinic: how are you doing? Two minutes: https://care.example/c/older"


def lost(
    practice: Practice,
    *,
    forgotten: bool = False,
    changes: dict[UUID, list[str]] | None = None,
    consents: list[tuple[UUID, bool]] | None = None,
    since: timedelta = timedelta(hours=26),
) -> Lost:
    return Lost(practice.clock.now() - since, forgotten, changes or {}, consents or [])


async def restore(practice: Practice, what: Lost) -> int:
    async with practice.bench.database.transaction() as tx:
        return await holds.begin(tx, what)


def already_sent(practice: Practice, body: str, number: str = PHONE, status: str = "delivered") -> Sent:
    sent = Sent(f"SM{uuid4().hex}", number, body, "", status)
    practice.exchange.ledger.append(sent)
    return sent


async def reminded(practice: Practice) -> UUID:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    return patient


async def why(practice: Practice) -> list[str]:
    async with practice.bench.database.reading() as reader:
        return [each.why or "" for each in await store.waiting(reader)]


async def held_for_a_person(practice: Practice) -> None:
    async def one_waits() -> bool:
        return len(await why(practice)) == 1

    await eventually(one_waits)


async def looked(practice: Practice) -> None:
    """Live past the instant at which the provider is asked."""
    await practice.until(practice.clock.now() + timedelta(seconds=61))


async def test_what_the_provider_has_counts_as_sent_and_is_not_sent_again(practice: Practice) -> None:
    sent = already_sent(practice, WORDS)
    await restore(practice, lost(practice))
    await reminded(practice)
    await practice.in_state("held")
    await looked(practice)
    await practice.in_state("delivered")
    message = await practice.only()
    assert (message.sid, practice.exchange.requests) == (sent.sid, 0)
    assert [event.message for event in await practice.bench.said(MessageSent)] == [message.id]


async def test_what_the_provider_has_not_goes_out_after_it_was_asked(practice: Practice) -> None:
    await restore(practice, lost(practice))
    await reminded(practice)
    await looked(practice)
    await practice.in_state("accepted")
    assert practice.exchange.to(PHONE) == [WORDS]


async def test_the_words_of_a_reminder_that_was_not_confirmed_then_are_known_again(practice: Practice) -> None:
    already_sent(practice, WORDS)
    await restore(practice, lost(practice))
    patient = await practice.enrol(contact_of("sms", PHONE))
    session = await practice.book(patient)
    await practice.confirm(session)
    await practice.due(session)
    await looked(practice)
    await practice.in_state("delivered")
    assert practice.exchange.requests == 0


async def test_two_messages_of_the_same_words_are_not_settled_by_one_text(practice: Practice) -> None:
    already_sent(practice, WORDS)
    await restore(practice, lost(practice))
    for _ in range(2):
        await reminded(practice)
    await looked(practice)
    await practice.in_state("accepted", "delivered")
    assert practice.exchange.requests == 1


async def test_a_text_of_the_same_kind_in_other_words_waits_for_a_person_and_goes_on_their_word(
    practice: Practice,
) -> None:
    already_sent(practice, LINK)
    await restore(practice, lost(practice))
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.open_checkin(patient)
    await looked(practice)
    await held_for_a_person(practice)
    assert practice.exchange.requests == 0
    message = await practice.only()
    async with practice.bench.database.transaction() as tx:
        assert await holds.release(tx, [message.id], "Dr. A") == 1
    await practice.in_state("accepted")
    assert "may go after a restore: on the word of Dr. A" in await practice.story(message.id)


async def test_a_text_about_which_a_person_has_decided_holds_up_nothing_more(practice: Practice) -> None:
    already_sent(practice, LINK)
    await restore(practice, lost(practice))
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.open_checkin(patient)
    await looked(practice)
    await held_for_a_person(practice)
    async with practice.bench.database.transaction() as tx:
        await holds.drop(tx, [(await practice.only()).id], "Dr. A")
    await practice.open_checkin(patient, "day-3")
    await looked(practice)
    await practice.in_state("accepted", "withheld")


async def test_what_a_person_drops_never_goes_out(practice: Practice) -> None:
    already_sent(practice, LINK)
    await restore(practice, lost(practice))
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.open_checkin(patient)
    await looked(practice)
    await held_for_a_person(practice)
    async with practice.bench.database.transaction() as tx:
        assert await holds.drop(tx, [(await practice.only()).id], "Dr. A") == 1
    await practice.until(practice.clock.now() + timedelta(hours=1))
    message = await practice.only()
    assert (message.state, message.reason, practice.exchange.requests) == ("withheld", Reason.DROPPED, 0)


async def test_a_text_of_another_kind_does_not_hold_up_a_reminder(practice: Practice) -> None:
    already_sent(practice, LINK)
    await restore(practice, lost(practice))
    await reminded(practice)
    await looked(practice)
    await practice.in_state("accepted")


async def test_words_that_nobody_here_knows_hold_up_a_reminder(practice: Practice) -> None:
    already_sent(practice, "Hello from the version of next year")
    await restore(practice, lost(practice))
    await reminded(practice)
    await looked(practice)
    await held_for_a_person(practice)
    assert "nobody here knows" in (await why(practice))[0]


async def test_while_the_provider_cannot_be_asked_nothing_goes_out(practice: Practice) -> None:
    practice.exchange.hidden = True
    already_sent(practice, WORDS)
    await restore(practice, lost(practice))
    await reminded(practice)
    await practice.in_state("held")
    practice.exchange.hidden = False
    await looked(practice)
    await practice.in_state("delivered")
    assert practice.exchange.requests == 0


async def test_an_email_of_the_lost_time_waits_for_a_person_because_nobody_can_be_asked(practice: Practice) -> None:
    await restore(practice, lost(practice))
    patient = await practice.enrol(contact_of("email", "ana@example.org"))
    await practice.due(await practice.book(patient))
    await held_for_a_person(practice)
    assert "mail server" in (await why(practice))[0]


async def test_what_can_only_be_due_after_the_restore_is_not_held(practice: Practice) -> None:
    await restore(practice, lost(practice))
    patient = await practice.enrol(contact_of("sms", PHONE))
    session = await practice.book(patient, "2026-12-20T10:00")
    await practice.due(session)
    await practice.in_state("accepted")


async def test_a_patient_whose_record_changed_in_the_lost_time_gets_nothing_without_a_persons_word(
    practice: Practice,
) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await restore(practice, lost(practice, changes={patient: ["session.cancelled"]}))
    session = await practice.book(patient, "2026-12-20T10:00")
    await practice.due(session)
    await held_for_a_person(practice)
    assert "record changed" in (await why(practice))[0]
    await practice.cancel(session)
    assert (await practice.only()).reason == Reason.SESSION_OVER


async def test_where_nothing_is_known_of_the_lost_time_every_patient_waits(practice: Practice) -> None:
    await restore(practice, lost(practice, forgotten=True))
    await reminded(practice)
    await looked(practice)
    await held_for_a_person(practice)
    assert practice.exchange.requests == 0


@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_page_is_never_held_for_a_person(practice: Practice, forgotten: bool) -> None:
    oncall = (StaffContact(kind="sms", value=KEYRING.seal(PHONE, context="contact")),)
    await practice.opens(version=2, oncall=oncall)
    await restore(practice, lost(practice, forgotten=forgotten))
    await practice.alert(uuid4())
    await looked(practice)
    await practice.in_state("accepted")


async def test_a_stop_of_the_lost_time_holds_again_before_anything_goes_out(practice: Practice) -> None:
    practice.exchange.inbound.append(
        {"sid": "SM1", "from": PHONE, "to": OUR_NUMBER, "body": "please stop texting me", "direction": "inbound"}
    )
    await restore(practice, lost(practice))
    await reminded(practice)
    await looked(practice)
    await practice.in_state("withheld")
    assert (await practice.only()).reason == Reason.OPTED_OUT
    assert practice.exchange.requests == 0  # the stop was answered when it came
    assert [event.granted for event in await practice.bench.said(ConsentChanged)] == [False]


async def test_a_stop_that_the_lost_events_tell_of_holds_from_the_first_instant(resting: Practice) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    async with resting.bench.database.reading() as reader:
        contact = await reader.scalar(select(CONTACT_POINTS.c.contact).where(CONTACT_POINTS.c.patient == patient))
    assert await restore(resting, lost(resting, consents=[(contact, False)])) == 1
    async with resting.bench.database.reading() as reader:
        assert len(await reader.all(select(STOPS))) == 1


async def test_a_restore_stays_open_while_a_message_is_held_and_is_seen(practice: Practice) -> None:
    await restore(practice, lost(practice, forgotten=True))
    await reminded(practice)
    await looked(practice)
    await held_for_a_person(practice)
    async with practice.bench.database.transaction() as tx:
        assert await holds.close(tx) == 1
    async with practice.bench.database.reading() as reader:
        # This clinic has nobody on call, which is a finding of its own.
        (note,) = [said for said in await practice.bench.service.notes(reader) if "on call" not in said]
        assert "1 wait for a person" in note
        assert (await practice.bench.service.status(reader))["held_for_a_person"] == 1
        await practice.bench.service.measure(reader)
    assert figure("keepwell_messages_for_a_person") == 1
    async with practice.bench.database.transaction() as tx:
        await holds.release(tx, [(await practice.only()).id], "Dr. A")
        assert await holds.close(tx) == 0
    async with practice.bench.database.reading() as reader:
        assert not any("restored" in said for said in await practice.bench.service.notes(reader))


async def test_a_second_restore_asks_anew_about_what_the_first_had_let_go(resting: Practice) -> None:
    await restore(resting, lost(resting))
    await reminded(resting)
    message = await resting.only()
    async with running(resting.bench.service):
        resting.exchange.script.extend(["busy"] * 9)
        await looked(resting)
    assert (await resting.only()).state == "planned"
    already_sent(resting, WORDS)
    await restore(resting, lost(resting))
    resting.exchange.script.clear()
    async with running(resting.bench.service):
        await resting.until(resting.clock.now() + timedelta(minutes=5))
    assert [(row.id, row.state) for row in await resting.messages()] == [(message.id, "delivered")]


async def test_a_backup_of_an_open_restore_keeps_its_beginning(resting: Practice) -> None:
    first = lost(resting, since=timedelta(days=3), forgotten=True)
    await restore(resting, first)
    await restore(resting, lost(resting))
    async with resting.bench.database.reading() as reader:
        row = await store.open_restore(reader)
    assert row is not None
    since: datetime = row.backed_up_at
    assert (since, row.forgotten) == (first.backed_up_at, True)
