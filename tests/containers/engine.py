"""The Docker engine, asked through its own command, as an operator asks it."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
WITHIN: Final = 300.0
"""Real seconds that a command may take."""


@dataclass(frozen=True)
class Images:
    """What the stack is made of: variables, so that another registry, or stand-ins, need no other change."""

    keepwell: str
    python: str
    postgres: str
    kafka: str
    proxy: str
    prometheus: str
    pull_policy: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Images":
        """Return the images that the environment names, and by default the official ones."""
        return cls(
            keepwell=environment.get("KEEPWELL_IMAGE", "keepwell:test"),
            python=environment.get("KEEPWELL_PYTHON_IMAGE", "python:3.13-slim"),
            postgres=environment.get("KEEPWELL_POSTGRES_IMAGE", "postgres:17"),
            kafka=environment.get("KEEPWELL_KAFKA_IMAGE", "apache/kafka:4.3.1"),
            proxy=environment.get("KEEPWELL_PROXY_IMAGE", "caddy:2"),
            prometheus=environment.get("KEEPWELL_PROMETHEUS_IMAGE", "prom/prometheus:v3.5.0"),
            pull_policy=environment.get("KEEPWELL_PULL_POLICY", "missing"),
        )

    def variables(self) -> dict[str, str]:
        """Return them as docker-compose.yml reads them."""
        return {
            "KEEPWELL_IMAGE": self.keepwell,
            "KEEPWELL_PYTHON_IMAGE": self.python,
            "KEEPWELL_POSTGRES_IMAGE": self.postgres,
            "KEEPWELL_KAFKA_IMAGE": self.kafka,
            "KEEPWELL_PROXY_IMAGE": self.proxy,
            "KEEPWELL_PROMETHEUS_IMAGE": self.prometheus,
            "KEEPWELL_PULL_POLICY": self.pull_policy,
        }


IMAGES: Final = Images.of(os.environ)


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    output: str
    errors: str


class CommandError(Exception):
    """A command that had to succeed did not."""


def answers() -> bool:
    """Tell whether an engine with `docker compose` answers here."""
    if shutil.which("docker") is None:
        return False
    for question in (("docker", "version", "--format", "{{.Server.Version}}"), ("docker", "compose", "version")):
        try:
            if subprocess.run(question, capture_output=True, check=False, timeout=30).returncode != 0:
                return False
        except subprocess.TimeoutExpired:
            return False
    return True


async def run(*command: str, environment: Mapping[str, str] | None = None, within: float = WITHIN) -> Ran:
    """Run a command to its end; one that takes too long is killed.

    Raises:
        TimeoutError: it took too long.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=dict(environment) if environment is not None else None,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Ran(process.returncode, output.decode(errors="replace"), errors.decode(errors="replace"))


async def must(*command: str, environment: Mapping[str, str] | None = None, within: float = WITHIN) -> str:
    """Run a command and return its output.

    Raises:
        CommandError: it ended with another code than 0; the message has the end of what it said.
    """
    ran = await run(*command, environment=environment, within=within)
    if ran.code != 0:
        raise CommandError(f"{' '.join(command)} ended with {ran.code}:\n{ran.output[-2000:]}\n{ran.errors[-4000:]}")
    return ran.output


async def docker(*arguments: str, within: float = WITHIN) -> str:
    """Run `docker` and return its output; see `must`."""
    return await must("docker", *arguments, within=within)


async def inspect(container: str) -> dict[str, Any]:
    """Return what the engine knows of a container."""
    found: list[dict[str, Any]] = json.loads(await docker("inspect", container))
    return found[0]
