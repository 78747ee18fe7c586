"""Containers are killed, stopped, paused and cut off under load, and nothing is lost, sent twice or stale."""

import asyncio

import aiohttp
import pytest

from tests.containers.engine import inspect
from tests.containers.ordeal import ordeal
from tests.containers.stack import SERVICES, Stack, until
from tests.containers.torment import Torment
from tests.faults.record import Record

KINDS = ("kill", "stop", "pause", "cut")


async def complaints(stack: Stack, word: str, *, seconds: float) -> None:
    """Return once each service says by itself that it cannot work, and why.

    Raises:
        AssertionError: some did not in time; with what each said last, and what those wrote.
    """
    containers = [container for name in SERVICES for container in await stack.containers(name)]
    told: dict[str, list[str] | None] = {}

    def silent() -> list[str]:
        return [each for each in containers if not any(word in one for one in told.get(each) or [])]

    async def all_say_so() -> bool:
        told.update(zip(containers, await asyncio.gather(*map(stack.problems, containers)), strict=True))
        return not silent()

    try:
        await until(all_say_so, seconds=seconds)
    except TimeoutError:
        deaths = [await stack.obituary(each, f"nothing of {word}, it says {told.get(each)}") for each in silent()]
        raise AssertionError("\n".join(deaths)) from None


@pytest.mark.timeout(700)
async def test_whatever_container_is_hurt_every_text_goes_out_once_and_in_time(stack: Stack) -> None:
    async def hurt(torment: Torment) -> None:
        async def ours(*services: str) -> None:
            for copy, kind in enumerate(KINDS):
                for service in services:
                    await torment.do(kind, service, copy)

        async def theirs(*services: str) -> None:
            for kind in KINDS:
                for service in services:
                    await torment.do(kind, service)

        # Two of ours at a time, and one or two of what they stand on.
        await asyncio.gather(
            ours("clinic", "notifier"), ours("scheduler", "assessments"), theirs("postgres", "kafka"), theirs("sandbox")
        )

    outcome = await ordeal(stack, hurt, seed=11, patients=60, minutes=1)
    print(outcome.told())
    assert not outcome.verdict.findings, outcome.told()
    assert not outcome.flaws, outcome.told()
    assert len(outcome.faults) == len(KINDS) * (len(SERVICES) + 3)
    assert outcome.verdict.must >= 20


async def test_a_process_that_dies_is_started_again_by_the_engine(stack: Stack) -> None:
    torment = Torment(stack, Record())
    assert await torment.crash("notifier") == 1


async def test_without_its_database_every_service_says_so_and_recovers_by_itself(stack: Stack) -> None:
    torment = Torment(stack, Record())
    async with torment.down("postgres"):
        await complaints(stack, "database", seconds=40)
    for name in SERVICES:
        for container in await stack.containers(name):
            await stack.ready(container)
            assert (await inspect(container))["RestartCount"] <= 1


async def test_without_kafka_every_service_says_so_and_recovers_by_itself(stack: Stack) -> None:
    torment = Torment(stack, Record())
    async with torment.down("kafka"):
        await complaints(stack, "Kafka", seconds=60)
    for name in SERVICES:
        for container in await stack.containers(name):
            await stack.ready(container)


async def test_a_service_that_is_frozen_is_said_to_be_away_and_the_others_stay_ready(stack: Stack) -> None:
    torment = Torment(stack, Record())
    headers = {"Authorization": f"Bearer {stack.token}"}
    async with torment.paused("assessments"), aiohttp.ClientSession(headers=headers) as http:
        async with http.get(f"{stack.gateway}/api/v1/rules", timeout=aiohttp.ClientTimeout(total=45)) as answer:
            assert answer.status == 503
        for name in ("clinic", "scheduler", "notifier"):
            for container in await stack.containers(name):
                assert await stack.problems(container) == []
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{stack.gateway}/api/v1/rules") as answer:
        assert answer.status == 200
