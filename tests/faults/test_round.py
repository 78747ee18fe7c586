"""Rounds of the torment: one that goes on until it saw enough of each, one with three brokers, and each failed seed."""

import pytest

from tests.faults.report import as_table
from tests.faults.round import Least, Plan, run

ROUNDS = (
    Plan(
        seed=7,
        minutes=3,
        most=15,
        patients=300,
        pause=(0.2, 1.5),
        least=Least(kills=40, brokers=2, databases=2, rebalances=4, texts=300),
    ),
    # Three brokers, two in sync: one at a time is killed or frozen.
    Plan(seed=3, minutes=2, patients=120, brokers=3, pause=(1.0, 3.0)),
)
"""`make faults MINUTES=60` runs longer; a seed that fails there is added here."""


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("plan", ROUNDS, ids=lambda plan: f"seed-{plan.seed}")
async def test_every_text_goes_out_once_and_in_time_and_to_who_agrees_whatever_dies(plan: Plan) -> None:
    result = await run(plan)
    print(as_table(result))
    assert result.clean, as_table(result)
    assert sum(result.faults.values()) >= 10
    assert result.counts["texts"] >= 100
