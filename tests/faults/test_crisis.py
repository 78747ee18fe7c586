"""Nobody who cries for help is lost while processes are killed and the provider is away."""

import pytest

from tests.faults.crisis import run


@pytest.mark.timeout(600)
async def test_no_cry_is_lost_nor_said_to_be_paged_in_vain_while_processes_are_killed() -> None:
    account = await run(40, seed=7)
    print(account.said())
    assert account.clean, account.said()
    assert account.alerts >= 40
