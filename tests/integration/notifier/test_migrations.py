import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.notifier.history import HISTORY
from shared.clock import SteppedClock
from shared.database.migrate import drift
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.databases import Databases


async def test_the_migrated_schema_is_the_one_in_the_code(databases: Databases, clock: SteppedClock) -> None:
    database = await databases.fresh(HISTORY, clock)
    assert await drift(database.url, HISTORY) == []
    await database.close()


@pytest.mark.parametrize("statement", ["DELETE FROM consents", "UPDATE consents SET granted = false"])
async def test_the_ledger_of_consent_is_only_added_to(resting: NotifierHarness, statement: str) -> None:
    await resting.enrol(contact_of("sms", "+15550101234"))
    with pytest.raises(DBAPIError, match="only added to"):
        async with resting.bench.database.transaction() as tx:
            await tx.execute(text(statement))
