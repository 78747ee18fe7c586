"""A relay in a process of its own: `python -m benchmarks.relay`, with Keepwell's settings, until it is told to stop."""

import asyncio
import cProfile
import os
import signal

import uvloop

from benchmarks.stand import CLOCK
from keepwell.host import infrastructure
from keepwell.host.collecting import settle_in
from keepwell.host.data_directory import DataDirectory
from shared.bus.relay import Relay
from shared.database import Database
from shared.database.address import async_url
from shared.settings import load

SERVICE = "scheduler"


async def main() -> None:
    settings = load()
    keyring = DataDirectory(settings.data_dir).keyring(settings)
    secret = settings.database_url
    if secret is None:
        raise RuntimeError("The stand names a database.")
    url = infrastructure.database_urls(settings, keyring, async_url(secret.get_secret_value()))[SERVICE]
    database = Database(url, schema=SERVICE, clock=CLOCK)
    relay = Relay(database, settings.kafka_bootstrap_servers or "")
    running = asyncio.create_task(relay.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    await relay.first_round.wait()
    settle_in()
    print("ready", flush=True)
    await asyncio.gather(running, return_exceptions=True)
    await database.close()


if __name__ == "__main__":
    profile = os.environ.get("BENCH_PROFILE")
    if profile is None:
        uvloop.run(main())
    else:
        with cProfile.Profile() as recorded:
            uvloop.run(main())
        recorded.dump_stats(f"{profile}.{os.getpid()}")
