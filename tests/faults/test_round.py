"""Rounds of the torment: one that goes on until it has seen enough, and every seed that ever failed."""

import pytest

from tests.faults.report import as_table
from tests.faults.round import Least, Plan, run

TEXTS = 20_000
"""Taken by the provider; of nine reminders that fall due one is cancelled, moved or unwanted in time."""
ENOUGH = Least(kills=200, brokers=10, databases=10, rebalances=20, texts=23_500)
ROUNDS = (
    Plan(seed=7, minutes=10, most=60, patients=4500, pause=(0.2, 1.5), least=ENOUGH, dense=True),
    # Three brokers, two in sync: one at a time is killed or frozen.
    Plan(seed=3, minutes=2, patients=120, brokers=3, pause=(1.0, 3.0)),
)
"""`make faults MINUTES=60` runs longer; a seed that fails there is added here."""


@pytest.mark.timeout(4000)
@pytest.mark.parametrize("plan", ROUNDS, ids=lambda plan: f"seed-{plan.seed}")
async def test_every_text_goes_out_once_and_in_time_and_to_who_agrees_whatever_dies(plan: Plan) -> None:
    result = await run(plan)
    print(as_table(result))
    assert result.clean, as_table(result)
    assert sum(result.faults.values()) >= 10
    assert result.counts["texts"] >= (TEXTS if plan.least is ENOUGH else 100)
