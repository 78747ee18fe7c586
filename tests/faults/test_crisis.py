"""Nobody who cries for help is lost while processes are killed and the provider is away."""

import pytest

from tests.faults.crisis import run
from tests.faults.paging import Claim, Paging, untrue


@pytest.mark.timeout(600)
async def test_no_cry_is_lost_nor_said_to_be_paged_in_vain_while_processes_are_killed() -> None:
    account = await run(40, seed=7, loaded=True)
    print(account.said())
    assert account.clean, account.said()
    assert account.alerts >= 40


def said(number: int, sid: str | None, *, delivered: bool = False) -> Claim:
    """Return what is said of a page of one alert."""
    return Claim("a", number, sid, delivered)


def test_a_page_that_the_provider_never_took_is_told_apart_from_one_that_it_has() -> None:
    taken = {"SM1": "sent", "SM2": "delivered"}
    assert untrue([said(1, "SM1"), said(2, "SM2", delivered=True)], taken) == []
    assert untrue([said(1, None)], taken) == ["page 1 of alert a is said to be out, and the provider has none"]
    assert untrue([said(3, "SM3")], taken) == ["page 3 of alert a is said to be out, and the provider has none"]
    assert untrue([said(1, "SM1", delivered=True)], taken) == [
        "page 1 of alert a is said to be delivered, and the provider says sent"
    ]
    assert untrue([said(1, "SM1"), said(2, "SM1")], taken) == ["one text stands for 2 pages: SM1"]


def test_a_page_of_which_nobody_knows_what_became_is_missed() -> None:
    paged = [{"round": 1}, {"round": 3}]
    assert Paging.untold([{"id": "a", "pages": 4, "paged": paged}]) == ["nothing is known of page 2 of alert a"]
    assert Paging.untold([{"id": "a", "pages": 2, "paged": paged}]) == []
