"""200 kills, and losses of every other kind, under twenty thousand texts."""

import pytest

from tests.faults.report import as_table
from tests.faults.round import ENOUGH, run


@pytest.mark.timeout(2400)
async def test_of_twenty_thousand_texts_none_is_lost_twice_or_stale_while_two_hundred_processes_die() -> None:
    result = await run(ENOUGH)
    print(as_table(result))
    assert result.clean, as_table(result)
    assert result.counts["texts"] >= 20_000
