"""Three brokers, each lost in turn under load."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.containers.conftest import FOR_TESTS
from tests.containers.life import clinic_of
from tests.containers.ordeal import judged, waves
from tests.containers.stack import SERVICES, Stack, stacked
from tests.containers.torment import Torment

BROKERS = ("kafka", "kafka-2", "kafka-3")


@pytest.fixture(scope="module")
async def three(image: str) -> AsyncIterator[Stack]:
    heap = {"KEEPWELL_KAFKA_HEAP": "-Xms128m -Xmx320m"}
    async with stacked("docker-compose.three-brokers.yml", more={**FOR_TESTS, **heap}) as running:
        print(f"healthy after {running.seconds:.0f} s")
        yield running


async def test_topics_have_three_copies_of_which_two_must_answer(three: Stack) -> None:
    tool = ("/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", "kafka:9092", "--describe")
    told = await three.compose("exec", "--no-TTY", "kafka", *tool, "--topic", "keepwell.scheduling")
    assert "ReplicationFactor: 3" in told
    assert "min.insync.replicas=2" in told
    assert told.count("Leader:") == 4


@pytest.mark.timeout(600)
async def test_while_one_broker_is_gone_every_text_still_goes_out_once_and_in_time(three: Stack) -> None:
    async with clinic_of(three) as clinic:
        torment = Torment(three, clinic.record)

        async def hurt() -> None:
            async with torment.killed("kafka-2"):
                containers = [container for name in SERVICES for container in await three.containers(name)]
                await asyncio.gather(*(three.ready(container) for container in containers))
            for broker, kind in zip(BROKERS, ("stop", "pause", "cut"), strict=True):
                await torment.do(kind, broker)

        booked = await waves(clinic, patients=24, waves=2, hurt=hurt)
        outcome = await judged(clinic, booked)
    print(outcome.told())
    assert not outcome.verdict.findings, outcome.told()
    assert not outcome.flaws, outcome.told()
    assert outcome.verdict.must >= 24
    assert len(outcome.faults) == 4
