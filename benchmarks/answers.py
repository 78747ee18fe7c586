"""Answers: a patient's form over real HTTP, stored and scored: how many a second, and how long each takes at 200."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks import tell
from benchmarks.figures import Report, percentile
from benchmarks.processor import spent
from benchmarks.scale import Scale
from benchmarks.stand import CLOCK, Stand, child, first_line, stand
from shared.events import BY_TYPE, CheckinDue, CheckinOpened, Topic
from tests.support.checkins import page_mark

CALLERS = 20
RATE = 200
WARM = 200
FORM = {"instrument": "phq-9", **{f"q-{item}": "1" for item in range(1, 9)}, "q-9": "0"}


@dataclass
class Desk:
    """One assessments service, patients with open links, and how they answer."""

    here: Stand
    sql: asyncpg.Connection
    http: aiohttp.ClientSession
    base: str
    numbers: Any = field(default_factory=count)
    told: int = 0
    refused: int = 0

    async def links(self, number: int) -> list[tuple[str, str]]:
        """Let check-ins of new patients fall due; return their links, each with what its page's form carries."""
        zone = tell.zone_at_noon()
        patients = [tell.patient(self.here, next(self.numbers), zone) for _ in range(number)]
        self.told += number
        before = await _ends(self.here)
        await tell.tell(self.here, patients)
        await tell.arrived(self.sql, "assessments.patients", self.told)
        today = CLOCK.now().date()
        await tell.tell(
            self.here,
            [
                CheckinDue(
                    clinic=each.clinic,
                    version=1,
                    patient=each.patient,
                    session=uuid4(),
                    plan=uuid4(),
                    occurrence="day-7",
                    asked_for=today,
                    instruments=("phq-9",),
                )
                for each in patients
            ],
        )
        keyring = self.here.keyring
        return [
            (keyring.open(each.link, context="link"), page_mark(keyring, each.checkin))
            for each in await _opened(self.here, before, number)
        ]

    async def answer(self, link: tuple[str, str]) -> float:
        """Answer a check-in; return the milliseconds until the page of thanks."""
        began = perf_counter()
        address, mark = link
        async with self.http.post(address, data={**FORM, "page": mark}, allow_redirects=False) as page:
            await page.read()
        self.refused += page.status >= 400  # noqa: PLR2004 - HTTP's errors
        return 1000 * (perf_counter() - began)

    async def crowd(self, links: Sequence[tuple[str, str]]) -> tuple[float, Counter[str]]:
        """Let several patients answer at a time, each at once after the one before.

        Returns:
            answers a second, and microseconds of processor for each by part.
        """
        left = iter(links)

        async def caller() -> None:
            for link in left:
                await self.answer(link)

        before, began = spent(), perf_counter()
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        rate = len(links) / (perf_counter() - began)
        used = spent() - before
        return rate, Counter({part: 1e6 * seconds / len(links) for part, seconds in used.items()})

    async def steady(self, links: Sequence[tuple[str, str]]) -> list[float]:
        """Let answers come evenly, however long the ones before take; return each one's milliseconds."""
        began = perf_counter()
        tasks = []
        for number, link in enumerate(links):
            await CLOCK.pause(max(0.0, began + number / RATE - perf_counter()))
            tasks.append(asyncio.create_task(self.answer(link)))
        return await asyncio.gather(*tasks)


async def run(report: Report, scale: Scale) -> None:
    async with (
        stand() as here,
        here.sql() as sql,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
    ):
        log = here.folder / "children.log"
        async with child("keepwell", "up", "assessments", "--json", environment=here.environment(), log=log) as running:
            base = json.loads(await first_line(running, log))["api"].removesuffix("/api/v1")
            desk = Desk(here, sql, http, base)
            await tell.tell(here, [tell.clinic(tell.zone_at_noon())])
            await tell.arrived(sql, "assessments.clinics", 1)
            await desk.crowd(await desk.links(WARM))
            await _measure(report, desk, scale)


async def _measure(report: Report, desk: Desk, scale: Scale) -> None:
    crowds = [await desk.crowd(await desk.links(scale.answers)) for _ in range(scale.runs)]
    scored = await desk.sql.fetchval("SELECT count(*) FROM assessments.scores")
    remark = f"{scored} scores of {WARM + scale.runs * scale.answers} answers"
    rates = [rate for rate, _ in crowds]
    report.add(f"answers stored and scored, {CALLERS} at a time", "1/s", rates, remark=remark)
    for part in sorted(crowds[0][1]):
        report.add(f"processor for an answer: {part}", "µs", [used[part] for _, used in crowds])
    bare = [await _bare(desk, scale.answers) for _ in range(scale.runs)]
    report.add("GET /healthz of the same process", "1/s", bare, bare=True)
    middle, late = [], []
    for _ in range(scale.runs):
        waits = await desk.steady(await desk.links(RATE * scale.seconds))
        middle.append(percentile(waits, 0.5))
        late.append(percentile(waits, 0.99))
    report.add(f"an answer, p50 at {RATE}/s", "ms", middle)
    report.add(f"an answer, p99 at {RATE}/s", "ms", late, remark=f"{desk.refused} refused, with what waits too long")


async def _bare(desk: Desk, number: int) -> float:
    left = iter(range(number))

    async def caller() -> None:
        for _ in left:
            async with desk.http.get(f"{desk.base}/healthz") as page:
                await page.read()

    began = perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return number / (perf_counter() - began)


_PARTS = [TopicPartition(str(Topic.ASSESSMENTS), number) for number in range(4)]


async def _ends(here: Stand) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=here.kafka, enable_auto_commit=False)
    await consumer.start()
    ends: dict[TopicPartition, int] = await consumer.end_offsets(_PARTS)
    await consumer.stop()
    return ends


async def _opened(here: Stand, before: dict[TopicPartition, int], number: int) -> list[CheckinOpened]:
    """Return the check-ins that were opened since; they hold the links, sealed."""
    consumer = AIOKafkaConsumer(bootstrap_servers=here.kafka, enable_auto_commit=False)
    await consumer.start()
    consumer.assign(_PARTS)
    for part, offset in before.items():
        consumer.seek(part, offset)
    found: list[CheckinOpened] = []
    while len(found) < number:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                if dict(record.headers)["ce_type"].decode() == CheckinOpened.TYPE:
                    event = BY_TYPE[CheckinOpened.TYPE].model_validate_json(record.value)
                    found += [event] if isinstance(event, CheckinOpened) else []
    await consumer.stop()
    return found
