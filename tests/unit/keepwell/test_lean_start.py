"""A service that is killed is back as soon as its modules are loaded: what its start does not need stays unloaded."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from typing import Final

import pytest

from shared.settings import SERVICES

PROBE: Final = """
import json, sys
import keepwell.__main__, keepwell.cli.main, keepwell.cli.commands.up
from keepwell.host import registry
from shared.settings import load
hosted = sys.argv[1]
for name in registry.SERVICES:
    registry.history(name).head
registry.module(hosted)
json.dump(sorted(sys.modules), sys.stdout)
"""
EARLY: Final = (
    "alembic",  # only where a schema has something to bring in
    "icalendar",  # with the first e-mail that has a visit
    "jwt",  # with the first token
    "keepwell.cli.errors",  # with the first error
    "opentelemetry.sdk",  # only where traces are sent
    "pygments",
    "rich",  # only where a person looks on
    "services.sandbox",  # only where there is no provider
    "shared.embedded.postgres",  # only where there is no PostgreSQL
)
LONE: Final = {
    "notifier": ("aiohttp", "aiosmtplib", "jinja2", "phonenumbers"),
    "scheduler": ("aiohttp", "aiosmtplib", "jinja2", "phonenumbers", "twilio"),
}
"""What these services do without beyond that: they have no pages, and nobody to call at their start."""


@dataclass(frozen=True)
class Start:
    service: str
    modules: frozenset[str]


@pytest.fixture(scope="module", params=SERVICES)
async def start(request: pytest.FixtureRequest) -> Start:
    """A process that is about to start a service, and the modules that it has loaded for it."""
    service = request.param
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEEPWELL_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROBE, service), stdout=asyncio.subprocess.PIPE, env=environment
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    return Start(service, frozenset(json.loads(told)))


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_a_start_loads_nothing_that_it_may_never_need(start: Start) -> None:
    assert f"services.{start.service}.service" in start.modules
    without = (*EARLY, *LONE.get(start.service, ()))
    needless = {package for package in without if any(is_within(module, package) for module in start.modules)}
    assert needless == set(), "load it where it is used (docs/performance.md, Recovery)"


def test_a_start_loads_of_other_services_no_more_than_where_their_migrations_are(start: Start) -> None:
    others = {f"services.{name}" for name in SERVICES if name != start.service}
    found = {module for module in start.modules for other in others if is_within(module, other)}
    assert found == others | {f"{other}.history" for other in others}
