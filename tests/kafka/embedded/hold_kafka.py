"""Run a Kafka until standard input ends, or until this process is killed."""

import asyncio
import json
import sys
from pathlib import Path

from shared.embedded.kafka import kafka


async def main() -> None:
    async with kafka(Path(sys.argv[1])) as address:
        answer = {"server": address.brokers[0].server.pid, "bootstrap_servers": address.bootstrap_servers}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
