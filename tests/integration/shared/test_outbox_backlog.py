"""What waits in an outbox, as readiness and Prometheus see it."""

from datetime import timedelta
from uuid import uuid4

from shared.bus import publish
from shared.bus.outbox_backlog import OutboxBacklog, outbox_backlog
from shared.clock import SteppedClock
from shared.database import Database
from shared.events import PatientDischarged
from shared.ids import ClinicId


async def say(database: Database, *, later: timedelta | None = None) -> None:
    async with database.transaction() as tx:
        event = PatientDischarged(clinic=ClinicId(uuid4()), patient=uuid4(), version=1)
        await publish(tx, event, at=None if later is None else tx.now + later)


async def now(database: Database) -> OutboxBacklog:
    async with database.reading() as reader:
        return await outbox_backlog(reader)


async def test_an_empty_outbox_keeps_nobody_waiting(database: Database) -> None:
    assert await now(database) == OutboxBacklog(timer_overdue=0, event_age=0, rows=0)


async def test_a_timer_that_lies_ahead_is_not_due(database: Database) -> None:
    await say(database, later=timedelta(days=3))
    assert await now(database) == OutboxBacklog(timer_overdue=0, event_age=0, rows=0)


async def test_an_event_ages_from_when_it_was_written_and_is_no_timer(database: Database, clock: SteppedClock) -> None:
    await say(database)
    await clock.move_by(timedelta(seconds=40))
    await say(database)
    assert await now(database) == OutboxBacklog(timer_overdue=0, event_age=40, rows=2)


async def test_a_timer_is_overdue_from_when_it_fell_due(database: Database, clock: SteppedClock) -> None:
    await say(database, later=timedelta(days=3))
    await say(database, later=timedelta(days=2))
    await clock.move_by(timedelta(days=3, seconds=5))
    await say(database)
    assert await now(database) == OutboxBacklog(timer_overdue=86_405, event_age=0, rows=3)
