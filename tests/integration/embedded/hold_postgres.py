"""Run a PostgreSQL until standard input ends, or until this process is killed."""

import asyncio
import json
import sys
from pathlib import Path

from shared.embedded.postgres import postgres


async def main() -> None:
    async with postgres(Path(sys.argv[1])) as address:
        sys.stdout.write(json.dumps({"server": address.server.pid, "url": address.url}) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
