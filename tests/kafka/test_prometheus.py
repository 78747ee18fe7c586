"""A real Prometheus scrapes a running Keepwell: every question of the board and every rule finds its figures."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.test_board import questions
from tests.contracts.test_rules import alerts
from tests.support.bench import eventually
from tests.support.prometheus import Prometheus, prometheus
from tests.support.promql import as_figures, filled_in
from tests.support.running import Keepwell, keepwell

TRIAL = {"KEEPWELL_CLOCK": "steps", "KEEPWELL_TRIAL": "true", "KEEPWELL_SANDBOX__PROFILE": "calm"}
SCRAPES = 4
"""Rates and increases need two."""


@pytest.fixture(scope="module")
async def clinic(servers: Mapping[str, str]) -> AsyncIterator[Keepwell]:
    async with keepwell(TRIAL | dict(servers)) as running:
        await remind_somebody(running)
        yield running


@pytest.fixture(scope="module")
async def watching(clinic: Keepwell, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    """Prometheus, after it has scraped and has evaluated its rules."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    target = clinic.base.removeprefix("http://")
    async with prometheus(target, folder) as running:
        await eventually(lambda: has_looked(running), seconds=60)
        yield running


async def remind_somebody(running: Keepwell) -> None:
    contact = {
        "kind": "sms",
        "value": "+12025550170",
        "consents": [{"purpose": "reminders", "how": "paper", "at": "2026-11-01T12:00:00Z"}],
    }
    body = {
        "given_name": "Ana",
        "family_name": "Rivera",
        "zone": "Africa/Abidjan",
        "language": "en",
        "contacts": [contact],
    }
    patient = await running.post("/patients", body, status=201)
    starts = (await running.now() + timedelta(days=5)).replace(hour=12, minute=0)
    session = {
        "patient": patient["id"],
        "starts_at": starts.strftime("%Y-%m-%dT%H:%M"),
        "minutes": 60,
        "zone": "Africa/Abidjan",
    }
    await running.post("/sessions", session, status=201)
    await running.live_until(starts - timedelta(days=2))


async def has_looked(running: Prometheus) -> bool:
    scraped = await running.series('count_over_time(up{job="keepwell"}[5m])')
    enough = bool(scraped) and int(scraped[0]["value"][1]) >= SCRAPES
    return enough and all(rule["health"] != "unknown" for rule in await rules(running))


async def rules(running: Prometheus) -> list[Any]:
    return [rule for group in (await running.get("rules"))["groups"] for rule in group["rules"]]


async def test_the_running_keepwell_is_scraped_without_an_error(watching: Prometheus) -> None:
    (target,) = (await watching.get("targets"))["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")


async def test_prometheus_takes_what_is_exported_as_it_is_described(clinic: Keepwell, watching: Prometheus) -> None:
    described = await watching.get("metadata")
    ours = {name: told[0]["type"] for name, told in described.items() if name.startswith("keepwell_")}
    assert {"counter", "gauge", "histogram"} == set(ours.values())
    assert all(described[name][0]["help"] for name in ours)


@pytest.mark.parametrize("panel", questions(), ids=lambda panel: panel.title)
async def test_each_question_of_the_board_is_answered(watching: Prometheus, panel: Any) -> None:
    for target in panel.targets:
        query = filled_in(target.expr)
        assert await watching.series(query), f"{query} finds nothing"


@pytest.mark.parametrize("alert", alerts())
async def test_each_rule_finds_what_it_looks_at(watching: Prometheus, alert: str) -> None:
    query = as_figures(alerts()[alert]["expr"])
    assert await watching.series(query), f"{query} finds nothing"


async def test_every_rule_is_evaluated_without_an_error_and_none_fires_on_a_clinic_that_is_well(
    watching: Prometheus,
) -> None:
    found = await rules(watching)
    assert {rule["name"] for rule in found} == set(alerts())
    assert {rule["name"]: rule.get("lastError") for rule in found if rule["health"] != "ok"} == {}
    assert [rule["name"] for rule in found if rule["state"] == "firing"] == []


async def test_what_was_sent_is_what_the_board_shows(watching: Prometheus) -> None:
    (accepted,) = await watching.series('sum(keepwell_provider_calls_total{channel="sms", outcome="accepted"})')
    assert float(accepted["value"][1]) >= 1
    (delivered,) = await watching.series('keepwell_provider_callbacks_total{status="delivered"}')
    assert float(delivered["value"][1]) >= 1


async def test_no_series_holds_an_identifier(clinic: Keepwell, watching: Prometheus) -> None:
    (patient,) = (await clinic.get("/patients"))["items"]
    values: set[str] = set()
    for label in await watching.get("labels"):
        values |= set(await watching.get(f"label/{label}/values"))
    assert not any(patient["id"] in value or "Rivera" in value or "2025550170" in value for value in values)
