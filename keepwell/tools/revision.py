"""Write a migration by comparing tables with their history: `python -m keepwell.tools.revision notifier "why"`.

For developers. It starts a PostgreSQL of its own, so that nothing of a clinic is touched.
"""

import argparse
import asyncio
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from shared.database.address import async_url, engine_at
from shared.embedded.postgres import postgres


async def write(service: str, message: str) -> None:
    """Write the next migration of a service into its folder."""
    folder = Path(import_module(f"services.{service}").__path__[0]) / "migrations"
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    number = len(list((folder / "versions").glob("[0-9]*.py"))) + 1
    with tempfile.TemporaryDirectory(prefix="kw", dir="/tmp") as temporary:
        async with postgres(Path(temporary)) as address:
            await _revise(async_url(address.url), service, folder, message, number)


async def _revise(url: URL, service: str, folder: Path, message: str, number: int) -> None:
    engine = engine_at(url, poolclass=NullPool)

    def revise(connection: Any) -> None:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")

    async with engine.begin() as connection:
        await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {service}"))
        await connection.run_sync(revise)
    await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service")
    parser.add_argument("message")
    chosen = parser.parse_args()
    asyncio.run(write(chosen.service, chosen.message))
