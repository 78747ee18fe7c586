"""A Prometheus for the tests: one that is installed, else Debian's package, unpacked here. `promtool` comes with it.

`python -m tests.support.prometheus` brings it where there is none and says which one is used. The package is unpacked
and not installed: that needs no rights, and starts no service on the machine.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from shared.embedded.ports import remembered_ports
from tests.support.bench import eventually
from tests.support.packages import unpack

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "prometheus"
GIVEN = "KEEPWELL_TEST_PROMETHEUS"
UNPACKED = ROOT / ".venv" / "prometheus"
REMEDY = (
    "No Prometheus was found. Install one (Debian: apt-get install prometheus; macOS: brew install prometheus), or "
    f"name the folder that holds `prometheus` and `promtool`: {GIVEN}=/path/to/folder"
)
READY_WITHIN = 30.0


def find(program: str) -> Path | None:
    given = os.environ.get(GIVEN)
    path = shutil.which(program, path=given) if given else shutil.which(program)
    if path is None and not given:
        path = shutil.which(program, path=UNPACKED / "usr" / "bin")
    return Path(path) if path else None


def needed(program: str) -> Path:
    """Return an installed program of Prometheus'; fail with the remedy where there is none."""
    found = find(program)
    if found is None:
        raise FileNotFoundError(REMEDY)
    return found


def install() -> None:
    """Bring Prometheus where there is none and Debian's packages are; say which one is used."""
    if find("promtool") is None and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        print("Unpacking Debian's prometheus", flush=True)
        unpack(UNPACKED, "prometheus")
    print(f"Prometheus for the tests: {needed('prometheus')}, {needed('promtool')}")


@dataclass
class Prometheus:
    """A Prometheus that runs."""

    base: str
    http: aiohttp.ClientSession

    async def get(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of its interface; fail where it reports an error."""
        async with self.http.get(f"{self.base}/api/v1/{path}", params=parameters) as answer:
            body = await answer.json()
            assert body["status"] == "success", (path, parameters, body)
            return body["data"]

    async def series(self, query: str) -> list[Any]:
        found: list[Any] = (await self.get("query", query=query))["result"]
        return found


def config_for(target: str, folder: Path) -> Path:
    """Write the committed configuration for one target, scraped each second, and return its place.

    Only who is scraped and how often differs from what is deployed.
    """
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    (job,) = config["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [target]}]
    config["rule_files"] = [str(DEPLOY / pattern) for pattern in config["rule_files"]]
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    return file


@asynccontextmanager
async def prometheus(target: str, folder: Path) -> AsyncIterator[Prometheus]:
    """Run a Prometheus that scrapes one target and evaluates the committed rules.

    Args:
        target: host and port of a Keepwell.
        folder: for its data.
    """
    port = remembered_ports(folder / "ports.json", ["prometheus"])["prometheus"]
    command = [
        str(needed("prometheus")),
        f"--config.file={config_for(target, folder)}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, env=_bare())
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
            running = Prometheus(f"http://127.0.0.1:{port}", http)
            await eventually(lambda: _answers(running, process), seconds=READY_WITHIN)
            yield running
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(20):
            await process.wait()


async def _answers(running: Prometheus, process: asyncio.subprocess.Process) -> bool:
    assert process.returncode is None, f"Prometheus ended with {process.returncode}"
    try:
        async with running.http.get(f"{running.base}/-/ready") as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False


def _bare() -> Mapping[str, str]:
    """Return an environment without proxies: what is scraped is on this machine."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


if __name__ == "__main__":
    try:
        install()
    except FileNotFoundError as error:
        sys.exit(str(error))
