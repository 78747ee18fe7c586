"""Words of a later version are kept, and what is known is sent all the same."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from services.notifier.commands import on_call
from services.notifier.model.purposes import Channel
from services.notifier.tables import CONTACT_POINTS
from shared.events import (
    AlertRaised,
    Consent,
    Contact,
    MessageWithheld,
    OnCallChecked,
    SessionBooked,
    SessionDue,
    SessionMoved,
    StaffContact,
)
from shared.ids import new_id
from tests.integration.notifier.harness import NotifierHarness, Session, at, contact_of
from tests.support.bench import KEYRING

PHONE = "+12025550123"


def by_letter() -> Contact:
    given = tuple(Consent(purpose=one, how="form", at=at("2026-11-01T10:00")) for one in ("reminders", "newsletter"))
    value = KEYRING.seal("+12025550177", context="contact")
    return Contact(id=new_id(), kind="whatsapp", value=value, consents=given)


async def remind(harness: NotifierHarness, session: Session, occurrence: str, days: int | None) -> None:
    said = {"starts_at": session.starts_at, "zone": session.zone, "starts_at_utc": at(session.starts_at)}
    await harness.bench.tell(
        SessionDue(
            clinic=harness.bench.clinic,
            version=session.version,
            patient=session.patient,
            session=session.id,
            occurrence=occurrence,
            days=days,
            minutes=90,
            **said,
        )
    )


@pytest.mark.parametrize(("occurrence", "days"), [("7d", 7), ("14d", 14), ("hours-2", None)])
async def test_a_reminder_that_nobody_had_heard_of_is_sent(
    harness: NotifierHarness, occurrence: str, days: int | None
) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    session = await harness.book(patient, "2026-12-15T12:00" if days == 14 else "2026-12-08T12:00")
    await remind(harness, session, occurrence, days)
    await harness.settled()
    assert len(harness.fake_provider.to(PHONE)) == 1
    assert (await harness.only()).occurrence == occurrence


async def test_a_reminder_of_a_week_before_is_not_sent_beside_that_of_three_days(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    session = await harness.book(patient, "2026-12-04T11:00")
    await remind(harness, session, "7d", 7)
    await remind(harness, session, "3d", 3)
    await harness.settled()
    assert len(harness.fake_provider.to(PHONE)) == 1
    assert [one.reason for one in await harness.bench.said(MessageWithheld)] == ["superseded"]


async def test_a_patient_with_a_way_and_a_purpose_not_known_here_is_reminded_by_the_known_one(
    harness: NotifierHarness,
) -> None:
    patient = await harness.enrol(by_letter(), contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.settled()
    assert len(harness.fake_provider.to(PHONE)) == 1
    async with harness.bench.database.reading() as reader:
        kept = {row.kind: row.purposes for row in await reader.all(select(CONTACT_POINTS))}
    assert kept["whatsapp"] == ["newsletter", "reminders"]


async def test_a_patient_with_no_way_known_here_is_said_to_get_nothing(harness: NotifierHarness) -> None:
    patient = await harness.enrol(by_letter())
    await harness.due(await harness.book(patient))
    await harness.settled()
    (withheld,) = await harness.bench.said(MessageWithheld)
    assert withheld.reason == "no_address"
    assert (withheld.why, withheld.step) == ("there is no address for it", "Ask for a number or an address, or call.")


async def test_nobody_is_reminded_of_a_session_whose_state_is_not_understood(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    session = await harness.book(patient)
    session.version += 1
    await harness.tell_session(SessionMoved, session, "on-hold")
    await harness.due(session)
    await harness.settled()
    assert harness.fake_provider.to(PHONE) == []
    assert [one.reason for one in await harness.bench.said(MessageWithheld)] == ["session_over"]


async def test_an_alert_of_a_level_not_known_here_pages_by_the_ways_that_are_known(harness: NotifierHarness) -> None:
    pager = StaffContact(kind="pager", value=KEYRING.seal("12345", context="contact"))
    phone = StaffContact(kind="sms", value=KEYRING.seal(PHONE, context="contact"))
    await harness.opens(version=2, oncall=(pager, phone))
    patient = await harness.enrol()
    raised = AlertRaised(
        clinic=harness.bench.clinic,
        version=1,
        patient=patient,
        alert=uuid4(),
        level="very-high",
        cause=KEYRING.seal("item 9", context="cause"),
        raised_at=harness.clock.now(),
    )
    await harness.bench.tell(raised)
    await harness.settled()
    assert len(harness.fake_provider.to(PHONE)) == 1
    async with harness.bench.database.transaction() as tx:
        await on_call.tell(tx, KEYRING, set(Channel))
    told = (await harness.bench.said(OnCallChecked))[-1]
    assert [(one.kind, one.trouble) for one in told.contacts] == [("pager", "off"), ("sms", None)]


async def test_a_session_of_a_kind_not_known_here_is_reminded_of(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    session = Session(patient, "2026-12-04T10:00")
    event = SessionBooked(
        clinic=harness.bench.clinic,
        version=1,
        patient=patient,
        session=session.id,
        plan=None,
        starts_at=session.starts_at,
        zone=session.zone,
        starts_at_utc=at(session.starts_at),
        minutes=90,
        state="booked",
        kind="group-session",
    )
    await harness.bench.tell(event)
    await harness.due(session)
    await harness.settled()
    assert len(harness.fake_provider.to(PHONE)) == 1
