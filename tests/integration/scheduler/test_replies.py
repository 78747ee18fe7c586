from uuid import UUID

import pytest
from sqlalchemy import select

from services.scheduler.history import HISTORY
from services.scheduler.tables import replies
from shared.bus import NotYet
from shared.database.migrate import drift
from shared.events import ReplyReceived, SessionConfirmed, SessionUnconfirmed
from shared.ids import new_id
from tests.integration.scheduler.harness import SEALED, SchedulerHarness


async def outcome(harness: SchedulerHarness, reply: UUID) -> str | None:
    async with harness.bench.database.reading() as reader:
        found: str | None = await reader.scalar(select(replies.c.outcome).where(replies.c.id == reply))
        return found


async def test_a_yes_confirms_the_session_it_was_told_of(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    reply = await harness.reply(session["id"], 1)
    assert await outcome(harness, reply) == "confirmed"
    now = (await harness.bench.call("GET", f"/sessions/{session['id']}")).json
    assert (now["state"], now["version"]) == ("confirmed", 2)
    (confirmed,) = await harness.said(SessionConfirmed)
    assert (str(confirmed.session), confirmed.state) == (session["id"], "confirmed")


async def test_a_no_never_leaves_a_session_confirmed(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    await harness.reply(session["id"], 1)
    reply = await harness.reply(session["id"], 1, intent="decline")
    assert await outcome(harness, reply) == "taken-back"
    now = (await harness.bench.call("GET", f"/sessions/{session['id']}")).json
    assert (now["state"], now["version"]) == ("booked", 3)
    (lifted,) = await harness.said(SessionUnconfirmed)
    assert (str(lifted.session), lifted.state, lifted.version) == (session["id"], "booked", 3)
    assert {event.version for _, event in (await harness.bench.pending()).values()} == {3}
    await harness.reply(session["id"], 3)
    assert (await harness.bench.call("GET", f"/sessions/{session['id']}")).json["state"] == "confirmed"


async def test_a_no_to_a_session_nobody_confirmed_changes_nothing(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    reply = await harness.reply(session["id"], 1, intent="decline")
    assert await outcome(harness, reply) == "not-confirmed"
    assert (await harness.bench.call("GET", f"/sessions/{session['id']}")).json == session


async def test_a_yes_to_the_old_time_does_not_confirm_the_new_one(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2026-12-17T10:00"})
    reply = await harness.reply(session["id"], 1)
    assert await outcome(harness, reply) == "old-version"
    assert (await harness.bench.call("GET", f"/sessions/{session['id']}")).json["state"] == "booked"


@pytest.mark.parametrize("version", [1, 2])
async def test_a_second_yes_changes_nothing(harness: SchedulerHarness, version: int) -> None:
    session = await harness.book("2026-12-10T10:00")
    await harness.reply(session["id"], 1)
    assert await outcome(harness, await harness.reply(session["id"], version)) == "already-confirmed"
    assert len(await harness.said(SessionConfirmed)) == 1


async def test_a_yes_to_one_session_leaves_the_others(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    other = await harness.book("2026-12-14T10:00")
    await harness.reply(session["id"], 1)
    assert (await harness.bench.call("GET", f"/sessions/{other['id']}")).json["state"] == "booked"


async def test_a_yes_to_a_cancelled_session_is_recorded_and_revives_nothing(harness: SchedulerHarness) -> None:
    session = await harness.end(await harness.book("2026-12-10T10:00"), "cancel")
    assert await outcome(harness, await harness.reply(session["id"], 1)) == "closed"
    assert await harness.bench.pending() == {}


async def test_a_yes_after_the_session_has_begun_is_recorded_alone(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-02T10:00")
    await harness.until("2026-12-02T10:00")
    assert await outcome(harness, await harness.reply(session["id"], 1)) == "started"


async def test_a_yes_without_a_session_is_recorded_alone(harness: SchedulerHarness) -> None:
    assert await outcome(harness, await harness.reply(None, None)) == "no-session"


@pytest.mark.parametrize("intent", ["stop", "start", "help", "other"])
async def test_other_replies_are_not_the_schedulers(harness: SchedulerHarness, intent: str) -> None:
    session = await harness.book("2026-12-10T10:00")
    assert await outcome(harness, await harness.reply(session["id"], 1, intent)) is None
    assert await harness.said(SessionConfirmed) == []


async def test_a_reply_that_overtakes_the_enrolment_is_tried_again(harness: SchedulerHarness) -> None:
    event = ReplyReceived(
        clinic=harness.bench.clinic,
        version=1,
        patient=new_id(),
        reply=new_id(),
        intent="confirm",
        session=None,
        session_version=None,
        text=SEALED,
        at=harness.bench.clock.now(),
    )
    with pytest.raises(NotYet, match="has not been told of yet"):
        await harness.bench.tell(event)


async def test_the_migrations_lead_to_the_tables_in_the_code(harness: SchedulerHarness) -> None:
    assert await drift(harness.bench.database.url, HISTORY) == []
