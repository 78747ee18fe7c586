import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable

from services.clinic.history import HISTORY
from services.clinic.tables import AUDIT
from shared.clock import SteppedClock
from shared.database.migrate import drift
from tests.integration.clinic.conftest import Home
from tests.support.databases import Databases


async def test_the_migrations_lead_to_the_tables_in_the_code(databases: Databases, clock: SteppedClock) -> None:
    database = await databases.fresh(HISTORY, clock)
    try:
        assert await drift(database.url, HISTORY) == []
    finally:
        await database.close()


@pytest.mark.parametrize("statement", [delete(AUDIT), update(AUDIT).values(what="nothing")])
async def test_the_audit_trail_only_grows(home: Home, statement: Executable) -> None:
    with pytest.raises(DBAPIError, match="only grows"):
        async with home.bench.database.transaction() as tx:
            await tx.execute(statement)
