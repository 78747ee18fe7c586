"""The Prometheus of the stack scrapes every container of it, and finds what each panel and each rule asks for."""

from collections.abc import AsyncIterator
from functools import partial

import aiohttp
import pytest

from tests.containers.stack import SERVICES, Stack, until
from tests.contracts.test_board import questions
from tests.contracts.test_rules import alerts
from tests.support.prometheus import Prometheus
from tests.support.promql import as_figures, filled_in

SCRAPES = 3
"""Rates need two; the third is there for a container that was being restarted at the first."""


@pytest.fixture(scope="module")
async def watching(stack: Stack) -> AsyncIterator[Prometheus]:
    watched = Stack(stack.project, stack.files, (*stack.profiles, "observability"), stack.environment)
    await watched.compose("up", "--wait", "--no-build", "--detach", "--no-recreate", "--no-deps", "prometheus")
    async with aiohttp.ClientSession() as http:
        here = Prometheus(f"http://127.0.0.1:{stack.environment['KEEPWELL_PROMETHEUS_PORT']}", http)
        wanted = await containers(stack)
        await until(partial(has_looked, here, len(wanted)), seconds=240)
        yield here


async def containers(stack: Stack) -> list[str]:
    return [each for name in SERVICES for each in await stack.containers(name)]


async def has_looked(watching: Prometheus, containers: int) -> bool:
    """Tell whether each container was scraped often enough, and each rule evaluated."""
    try:
        scraped = await watching.series('count_over_time(up{job="keepwell"}[5m])')
        groups = (await watching.get("rules"))["groups"]
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False  # it is still starting
    often = [series for series in scraped if int(series["value"][1]) >= SCRAPES]
    return len(often) >= containers and all(rule["health"] != "unknown" for group in groups for rule in group["rules"])


async def test_every_container_of_every_service_is_scraped(stack: Stack, watching: Prometheus) -> None:
    found = {series["metric"]["instance"]: series["value"][1] for series in await watching.series('up{job="keepwell"}')}
    assert set(found.values()) == {"1"}, found
    assert len(found) == len(await containers(stack))


async def test_each_question_of_the_board_and_each_rule_finds_its_figures(watching: Prometheus) -> None:
    asked = {panel.title: filled_in(target.expr) for panel in questions() for target in panel.targets}
    asked |= {name: as_figures(rule["expr"]) for name, rule in alerts().items()}
    silent = [name for name, query in asked.items() if not await watching.series(query)]
    assert silent == []


async def test_every_rule_is_evaluated_without_an_error(watching: Prometheus) -> None:
    rules = [rule for group in (await watching.get("rules"))["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == set(alerts())
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}
