"""Some 60 kills, and losses of every other kind, under five thousand texts, with another seed each day."""

import os
from dataclasses import replace

import pytest

from shared.clock import RealClock
from tests.faults.report import as_table
from tests.faults.round import DAILY, run


def seed_of_the_day() -> int:
    """The day as a number, such as 20261130; `TORMENT_SEED` runs another day's choices again."""
    return int(os.environ.get("TORMENT_SEED") or f"{RealClock().now():%Y%m%d}")


@pytest.mark.timeout(1500)
async def test_of_five_thousand_texts_none_is_lost_twice_or_stale_while_sixty_processes_die() -> None:
    seed = seed_of_the_day()
    print(f"seed of the day {seed}: TORMENT_SEED={seed} repeats its choices", flush=True)
    result = await run(replace(DAILY, seed=seed))
    print(as_table(result))
    assert result.clean, as_table(result)
    assert result.counts["texts"] >= 5_000
