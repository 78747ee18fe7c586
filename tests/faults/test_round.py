"""A bounded round of the torment, and every seed that ever failed."""

import pytest

from tests.faults.report import as_table
from tests.faults.round import Plan, run

ROUNDS = (Plan(seed=2, minutes=2, patients=80, pause=(1.5, 4.5)),)
"""`python -m tests.faults --minutes 60` runs longer; a seed that fails there is added here."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("plan", ROUNDS, ids=lambda plan: f"seed-{plan.seed}")
async def test_every_text_goes_out_once_and_in_time_and_to_who_agrees_whatever_dies(plan: Plan) -> None:
    result = await run(plan)
    print(as_table(result))
    assert result.clean, as_table(result)
    assert sum(result.faults.values()) >= 10
    assert result.verdict.must >= 20
