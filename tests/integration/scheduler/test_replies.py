from uuid import UUID

import pytest
from sqlalchemy import select

from services.scheduler.history import HISTORY
from services.scheduler.tables import replies
from shared.bus import NotYet
from shared.database.migrate import drift
from shared.events import ReplyReceived, SessionConfirmed, SessionUnconfirmed
from shared.ids import new_id
from tests.integration.scheduler.office import SEALED, Office


async def outcome(office: Office, reply: UUID) -> str | None:
    async with office.bench.database.reading() as reader:
        found: str | None = await reader.scalar(select(replies.c.outcome).where(replies.c.id == reply))
        return found


async def test_a_yes_confirms_the_session_it_was_told_of(office: Office) -> None:
    session = await office.book("2026-12-10T10:00")
    reply = await office.reply(session["id"], 1)
    assert await outcome(office, reply) == "confirmed"
    now = (await office.bench.call("GET", f"/sessions/{session['id']}")).json
    assert (now["state"], now["version"]) == ("confirmed", 2)
    (confirmed,) = await office.said(SessionConfirmed)
    assert (str(confirmed.session), confirmed.state) == (session["id"], "confirmed")


async def test_a_no_never_leaves_a_session_confirmed(office: Office) -> None:
    session = await office.book("2026-12-10T10:00")
    await office.reply(session["id"], 1)
    reply = await office.reply(session["id"], 1, intent="decline")
    assert await outcome(office, reply) == "taken-back"
    now = (await office.bench.call("GET", f"/sessions/{session['id']}")).json
    assert (now["state"], now["version"]) == ("booked", 3)
    (lifted,) = await office.said(SessionUnconfirmed)
    assert (str(lifted.session), lifted.state, lifted.version) == (session["id"], "booked", 3)
    assert {event.version for _, event in (await office.bench.pending()).values()} == {3}
    await office.reply(session["id"], 3)
    assert (await office.bench.call("GET", f"/sessions/{session['id']}")).json["state"] == "confirmed"


async def test_a_no_to_a_session_nobody_confirmed_changes_nothing(office: Office) -> None:
    session = await office.book("2026-12-10T10:00")
    reply = await office.reply(session["id"], 1, intent="decline")
    assert await outcome(office, reply) == "not-confirmed"
    assert (await office.bench.call("GET", f"/sessions/{session['id']}")).json == session


async def test_a_yes_to_the_old_time_does_not_confirm_the_new_one(office: Office) -> None:
    session = await office.book("2026-12-10T10:00")
    await office.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2026-12-17T10:00"})
    reply = await office.reply(session["id"], 1)
    assert await outcome(office, reply) == "old-version"
    assert (await office.bench.call("GET", f"/sessions/{session['id']}")).json["state"] == "booked"


@pytest.mark.parametrize("version", [1, 2])
async def test_a_second_yes_changes_nothing(office: Office, version: int) -> None:
    session = await office.book("2026-12-10T10:00")
    await office.reply(session["id"], 1)
    assert await outcome(office, await office.reply(session["id"], version)) == "already-confirmed"
    assert len(await office.said(SessionConfirmed)) == 1


async def test_a_yes_to_one_session_leaves_the_others(office: Office) -> None:
    session = await office.book("2026-12-10T10:00")
    other = await office.book("2026-12-14T10:00")
    await office.reply(session["id"], 1)
    assert (await office.bench.call("GET", f"/sessions/{other['id']}")).json["state"] == "booked"


async def test_a_yes_to_a_cancelled_session_is_recorded_and_revives_nothing(office: Office) -> None:
    session = await office.end(await office.book("2026-12-10T10:00"), "cancel")
    assert await outcome(office, await office.reply(session["id"], 1)) == "closed"
    assert await office.bench.pending() == {}


async def test_a_yes_after_the_session_has_begun_is_recorded_alone(office: Office) -> None:
    session = await office.book("2026-12-02T10:00")
    await office.until("2026-12-02T10:00")
    assert await outcome(office, await office.reply(session["id"], 1)) == "started"


async def test_a_yes_without_a_session_is_recorded_alone(office: Office) -> None:
    assert await outcome(office, await office.reply(None, None)) == "no-session"


@pytest.mark.parametrize("intent", ["stop", "start", "help", "other"])
async def test_other_replies_are_not_the_schedulers(office: Office, intent: str) -> None:
    session = await office.book("2026-12-10T10:00")
    assert await outcome(office, await office.reply(session["id"], 1, intent)) is None
    assert await office.said(SessionConfirmed) == []


async def test_a_reply_that_overtakes_the_enrolment_is_tried_again(office: Office) -> None:
    event = ReplyReceived(
        clinic=office.bench.clinic,
        version=1,
        patient=new_id(),
        reply=new_id(),
        intent="confirm",
        session=None,
        session_version=None,
        text=SEALED,
        at=office.bench.clock.now(),
    )
    with pytest.raises(NotYet, match="has not been told of yet"):
        await office.bench.tell(event)


async def test_the_migrations_lead_to_the_tables_in_the_code(office: Office) -> None:
    assert await drift(office.bench.database.url, HISTORY) == []
