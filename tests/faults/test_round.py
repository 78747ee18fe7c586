"""Rounds of the torment: one with three brokers, and each failed seed. The great one is `test_torment.py`."""

import pytest

from tests.faults.report import as_table
from tests.faults.round import Plan, run

ROUNDS = (
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
