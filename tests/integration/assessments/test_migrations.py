from services.assessments.history import HISTORY
from shared.clock import SteppedClock
from shared.database.migrate import drift
from tests.support.databases import Databases


async def test_the_migrated_schema_is_the_one_in_the_code(databases: Databases, clock: SteppedClock) -> None:
    database = await databases.fresh(HISTORY, clock)
    assert await drift(database.url, HISTORY) == []
    await database.close()
