"""A stack of containers, brought up by `docker compose` from the file that operators use, with secrets of its own."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiohttp

from shared.clock import RealClock
from shared.embedded.ports import remembered_ports
from tests.containers.engine import IMAGES, ROOT, Ran, docker, inspect, must, run

SERVICES: Final = ("clinic", "scheduler", "notifier", "assessments")
UP_WITHIN: Final = 240.0
READY_WITHIN: Final = 120.0
LOOK: Final = 0.5
"""Real seconds between two looks at a container."""


@dataclass(frozen=True)
class Place:
    """Where something is reached."""

    url: str


@dataclass
class Stack:
    """A project of `docker compose`.

    Attributes:
        project: its name.
        files: the compose files, from the repository's root.
        profiles: which are on.
        environment: of every command.
        token: for the interface for programs, once the clinic is up.
        seconds: from `up` until all were healthy.
    """

    project: str
    files: Sequence[str]
    profiles: Sequence[str]
    environment: dict[str, str]
    token: str = ""
    seconds: float = 0.0
    scaled: dict[str, int] = field(default_factory=dict)

    @property
    def gateway(self) -> str:
        """Return the address that everything is behind."""
        return f"http://127.0.0.1:{self.environment['KEEPWELL_PORT']}"

    @property
    def provider(self) -> Place:
        return Place(f"http://127.0.0.1:{self.environment['KEEPWELL_SANDBOX_PORT']}")

    def command(self, *arguments: str) -> list[str]:
        """Return a command of `docker compose` for this project."""
        files = [part for file in self.files for part in ("--file", file)]
        profiles = [part for name in self.profiles for part in ("--profile", name)]
        return ["docker", "compose", "--project-name", self.project, *files, *profiles, *arguments]

    async def compose(self, *arguments: str, within: float = UP_WITHIN) -> str:
        """Run `docker compose` and return its output; raises `CommandError` where it fails."""
        return await must(*self.command(*arguments), environment=self.environment, within=within)

    async def up(self, **scale: int) -> None:
        """Bring it up, each service named as often as said, and return once all is healthy."""
        self.scaled |= scale
        wanted = [part for name, many in self.scaled.items() for part in ("--scale", f"{name}={many}")]
        await self.compose("up", "--wait", "--no-build", "--detach", *wanted)

    async def keepwell(self, service: str, *arguments: str) -> Ran:
        """Run the command `keepwell` in a service's container."""
        command = self.command("exec", "--no-TTY", service, "keepwell", *arguments)
        return await run(*command, environment=self.environment)

    async def containers(self, service: str) -> list[str]:
        """Return the ids of a service's containers, running or not, in the order of their numbers."""
        found = (await self.compose("ps", "--all", "--quiet", service)).split()
        named = {(await inspect(container))["Name"]: container for container in found}
        return [named[name] for name in sorted(named)]

    async def address(self, container: str) -> str:
        """Return where a service's container answers on this machine; another one after each start."""
        known = await inspect(container)
        service = known["Config"]["Labels"]["com.docker.compose.service"]
        if service == "clinic":
            return self.gateway
        if service == "sandbox":
            return self.provider.url
        (published,) = known["NetworkSettings"]["Ports"]["8080/tcp"]
        return f"http://127.0.0.1:{published['HostPort']}"

    async def problems(self, container: str) -> list[str] | None:
        """Return what `/readyz` complains of: nothing where the process is ready, None where nobody answers."""
        try:
            url = await self.address(container)
            timeout = aiohttp.ClientTimeout(total=5)
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(f"{url}/readyz") as answer:
                found: list[str] = (await answer.json())["problems"]
                return found
        except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError):
            return None

    async def ready(self, container: str, *, within: float = READY_WITHIN) -> None:
        """Return once a service's container says that it is ready.

        Raises:
            AssertionError: it did not in time; with what it said last, what the engine knows and what it wrote.
        """
        said: list[str] | None = None

        async def is_ready() -> bool:
            nonlocal said
            said = await self.problems(container)
            return said == []

        try:
            await until(is_ready, seconds=within)
        except TimeoutError:
            raise AssertionError(await self.obituary(container, f"not ready, it says {said}")) from None

    async def healthy(self, container: str, *, within: float = READY_WITHIN) -> None:
        """Return once the engine itself has found a container healthy."""

        async def is_healthy() -> bool:
            state = (await inspect(container))["State"]
            return bool(state["Running"]) and state["Health"]["Status"] == "healthy"

        try:
            await until(is_healthy, seconds=within)
        except TimeoutError:
            raise AssertionError(await self.obituary(container, "not healthy")) from None

    async def obituary(self, container: str, trouble: str) -> str:
        """Return what is wrong with a container, with what the engine knows of it and what it wrote at last."""
        known = await inspect(container)
        networks = {name: each["IPAddress"] for name, each in known["NetworkSettings"]["Networks"].items()}
        wrote = await run("docker", "logs", "--tail", "40", container)
        return (
            f"{known['Name']} is {trouble}; state {known['State']}, networks {networks}, "
            f"ports {known['NetworkSettings']['Ports']}; it wrote at last:\n{wrote.output}{wrote.errors}"
        )

    async def logs(self, *services: str) -> str:
        return await self.compose("logs", "--no-color", "--no-log-prefix", *services)


def variables(secrets: Path) -> dict[str, str]:
    """Return the environment of a project: this one's, without settings of Keepwell, with the images and ports."""
    ports = remembered_ports(secrets.parent / "ports.json", ("clinic", "sandbox", "https", "http", "prometheus"))
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("KEEPWELL_", "COMPOSE_"))}
    return {
        **bare,
        **IMAGES.variables(),
        "KEEPWELL_SECRETS": str(secrets),
        "KEEPWELL_PORT": str(ports["clinic"]),
        "KEEPWELL_SANDBOX_PORT": str(ports["sandbox"]),
        "KEEPWELL_PROXY_HTTPS_PORT": str(ports["https"]),
        "KEEPWELL_PROXY_HTTP_PORT": str(ports["http"]),
        "KEEPWELL_PROMETHEUS_PORT": str(ports["prometheus"]),
    }


@asynccontextmanager
async def stacked(
    *files: str,
    profiles: Sequence[str] = ("sandbox",),
    scale: Mapping[str, int] | None = None,
    more: Mapping[str, str] | None = None,
) -> AsyncIterator[Stack]:
    """Bring a stack up and take it down again, with its volumes.

    Args:
        files: compose files after `docker-compose.yml` and the tests' own.
        profiles: which are on.
        scale: how often each service runs, where more than once.
        more: variables of the compose file.
    """
    with tempfile.TemporaryDirectory(prefix="kwd", dir="/tmp") as place:
        secrets = Path(place) / "secrets"
        await must("deploy/secrets.sh", str(secrets))
        project = f"kwtest-{uuid4().hex[:8]}"
        chosen = ("docker-compose.yml", *files, "tests/containers/ports.yml")
        stack = Stack(project, chosen, profiles, variables(secrets) | dict(more or {}))
        clock = RealClock()
        try:
            began = clock.now()
            try:
                await stack.up(**(scale or {}))
            except Exception:
                print((await run(*stack.command("ps", "--all"), environment=stack.environment)).output)
                print((await run(*stack.command("logs", "--tail", "30"), environment=stack.environment)).output)
                raise
            stack.seconds = (clock.now() - began).total_seconds()
            if "sandbox" in profiles:
                made = await stack.keepwell("clinic", "token", "create", "--name", "tests", "--json")
                stack.token = json.loads(made.output)["token"]
            yield stack
        finally:
            for container in (
                await docker(
                    "ps",
                    "--quiet",
                    "--filter",
                    f"label=com.docker.compose.project={project}",
                    "--filter",
                    "status=paused",
                )
            ).split():
                await docker("unpause", container)
            stack.profiles = ("*",)
            # Also what a test has added of another profile.
            whole = Stack(project, chosen, ("*",), stack.environment)
            await whole.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")


async def until(condition: Callable[[], Awaitable[Any]], *, seconds: float) -> Any:
    """Wait until a condition holds and return what it gave; look seldom, for a look starts a process or two.

    Raises:
        TimeoutError: it did not hold in time.
    """
    clock = RealClock()
    async with asyncio.timeout(seconds):
        while not (found := await condition()):
            await clock.pause(LOOK)
    return found


async def status(stack: Stack, container: str) -> dict[str, Any]:
    """Return what a service's container tells an operator; that it is not quiet, where Kafka does not answer it yet."""
    url = await stack.address(container)
    headers = {"Authorization": f"Bearer {stack.token}"}
    async with aiohttp.ClientSession() as http, http.get(f"{url}/api/v1/status", headers=headers) as answer:
        assert answer.status in {200, 503}, await answer.text()
        told: dict[str, Any] = await answer.json(content_type=None)
        return {"quiet": False} | told


assert (ROOT / "docker-compose.yml").exists()
