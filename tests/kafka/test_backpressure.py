"""A provider that slows down to a tenth: the backlog waits in PostgreSQL, in sight, and nothing else suffers."""

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import psutil
import pytest
from aiohttp import web
from sqlalchemy import func, select, text

from services.notifier.model.rate import Limits
from services.notifier.tables import ATTEMPTS, MESSAGES
from shared.bus import publish
from shared.clock import RealClock
from shared.events import SessionBooked, SessionDue
from shared.ids import ClinicId
from shared.settings import NotifierSettings
from tests.integration.notifier.fake_provider import FakeProvider, fake_provider
from tests.kafka.hosts import Host, clinic_open_all_day, enrolled, host, prepared, started
from tests.kafka.test_order import tell_all
from tests.support.bench import eventually
from tests.support.databases import Databases
from tests.support.figures import figure

TEXTS: Final = 400
CALLS: Final = 4
QUICK, SLOW = 0.02, 0.2
"""Real seconds that the provider takes for a call: 200 texts a second with four calls at once, and a tenth of that."""
GROWTH: Final = 60 * 1024 * 1024
"""Bytes that the process may grow while the backlog stands."""


async def fall_due(one: Host, clinic: ClinicId) -> None:
    """Let the reminders of a morning fall due, as the scheduler says it, through Kafka."""
    clock = one.database("scheduler").clock
    starts = (clock.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    wall = {"starts_at": starts.strftime("%Y-%m-%dT%H:%M"), "zone": "UTC", "starts_at_utc": starts, "minutes": 60}
    people = [(uuid4(), uuid4()) for _ in range(TEXTS)]
    await tell_all(one, [enrolled(clinic, patient, number, clock.now()) for number, (patient, _) in enumerate(people)])
    async with one.database("scheduler").transaction() as tx:
        for patient, session in people:
            said: dict[str, Any] = {"clinic": clinic, "version": 1, "patient": patient, "session": session, **wall}
            await publish(tx, SessionBooked(**said, plan=None, state="booked"))
            await publish(tx, SessionDue(**said, occurrence="3d"))


def slowly(patch: pytest.MonkeyPatch, pace: dict[str, float]) -> None:
    """Let the provider take its time over each call."""
    take = FakeProvider.take

    async def slow(self: FakeProvider, request: web.Request) -> web.StreamResponse:
        await RealClock().pause(pace["now"])
        return await take(self, request)

    patch.setattr(FakeProvider, "take", slow)


def generation(one: Host) -> list[tuple[str, int]]:
    """Return each consumer's group and how often that was shared anew."""
    consumers = [subscriber.consumer for subscriber in one.engine._broker.subscribers]  # type: ignore[attr-defined]
    return sorted((c._group_id, c._coordinator.generation) for c in consumers)


async def counts(one: Host) -> dict[str, int]:
    """Return how many messages are in each state."""
    async with one.database("notifier").reading() as reader:
        grouped = select(MESSAGES.c.state, func.count()).group_by(MESSAGES.c.state)
        rows: list[Any] = list(await reader.all(grouped))
    return {str(row[0]): int(row[1]) for row in rows}


async def morning(databases: Databases, kafka: str, patch: pytest.MonkeyPatch) -> list[str]:
    """Live through a morning with a slow provider; return what was wrong with it."""
    found: set[str] = set()
    pace = {"now": QUICK}
    slowly(patch, pace)
    clinic = ClinicId(uuid4())
    urls = await prepared(databases, ["scheduler", "notifier"])
    settings = NotifierSettings(concurrency=CALLS, texts_per_day=100)
    async with fake_provider() as phones:
        one = host(urls, kafka, RealClock(), phones.provider(), settings=settings)
        await tell_all(one, [clinic_open_all_day(clinic)])
        async with started(one):
            pace["now"] = SLOW
            before, shared = psutil.Process().memory_info().rss, generation(one)
            await fall_due(one, clinic)

            async def planned() -> bool:
                return sum((await counts(one)).values()) == TEXTS

            await eventually(planned, seconds=60)
            # The topic is read though the provider is slow: what waits, waits in PostgreSQL.
            await eventually(lambda: one.engine.watch.quiet(_true), seconds=30)
            while sum(state in {"planned", "sending"} for state in await _states(one)) > TEXTS // 2:
                await one.engine.sampler.round()
                async with one.database("notifier").reading() as reader:
                    under_way = await reader.scalar(
                        select(func.count()).select_from(ATTEMPTS).where(ATTEMPTS.c.state == "calling")
                    )
                if under_way > CALLS * 8 + CALLS:
                    found.add("more was claimed than calls can be made of")
                await RealClock().pause(0.2)
            if figure("keepwell_message_overdue_seconds") < 2:
                found.add("the backlog is not in the metrics")
            if psutil.Process().memory_info().rss - before > GROWTH:
                found.add("the process grew")
            pace["now"] = QUICK

            async def done() -> bool:
                return not {"planned", "sending", "unknown"} & set(await counts(one))

            await eventually(done, seconds=90)
            if generation(one) != shared:
                found.add("a consumer fell out of its group")
            await one.engine.sampler.round()
            if figure("keepwell_message_overdue_seconds") > 0:
                found.add("the metrics tell of a backlog that is gone")
            async with one.database("notifier").reading() as reader:
                silent = await reader.scalar(
                    text("SELECT count(*) FROM messages WHERE state IN ('expired', 'withheld') AND reason IS NULL")
                )
            if silent or len({sent.to for sent in phones.ledger}) != TEXTS or len(phones.ledger) != TEXTS:
                found.add("texts were lost, or went out twice")
    return sorted(found)


async def _true() -> bool:
    return True


async def _states(one: Host) -> list[str]:
    return [state for state, number in (await counts(one)).items() for _ in range(number)]


async def test_a_provider_that_slows_to_a_tenth_makes_a_backlog_in_sight_and_nothing_else(
    databases: Databases, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await morning(databases, kafka, monkeypatch) == []


async def test_without_a_bound_on_what_is_claimed_the_backlog_would_stand_in_memory(
    databases: Databases, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Limits, "claimed", 1_000_000)
    assert "more was claimed than calls can be made of" in await morning(databases, kafka, monkeypatch)
