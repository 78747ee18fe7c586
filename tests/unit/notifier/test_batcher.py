import asyncio
from collections.abc import Sequence

import pytest

from services.notifier.batcher import Batcher
from shared.clock import RealClock


async def test_what_is_given_at_once_is_carried_out_at_once_and_in_order() -> None:
    batches: list[list[int]] = []

    async def keep(gifts: Sequence[int]) -> None:
        batches.append(list(gifts))

    together = Batcher(keep, RealClock())
    await asyncio.gather(*(together.submit(number) for number in range(450)))
    assert [len(batch) for batch in batches] == [200, 200, 50]
    assert [gift for batch in batches for gift in batch] == list(range(450))
    await together.submit(450)
    assert batches[-1] == [450]


async def test_one_bad_gift_fails_its_giver_only() -> None:
    kept: list[int] = []

    async def keep(gifts: Sequence[int]) -> None:
        if 3 in gifts:
            raise ValueError("three")
        kept.extend(gifts)

    together = Batcher(keep, RealClock())
    results = await asyncio.gather(*(together.submit(number) for number in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 3 + [ValueError, type(None)]
    assert kept == [0, 1, 2, 4]


async def test_a_caller_that_goes_away_leaves_the_others_gifts_alone() -> None:
    kept: list[int] = []

    async def keep(gifts: Sequence[int]) -> None:
        kept.extend(gifts)

    together = Batcher(keep, RealClock())
    first = asyncio.ensure_future(together.submit(1))
    second = asyncio.ensure_future(together.submit(2))
    await asyncio.sleep(0)  # noqa: TID251 - lets both begin
    first.cancel()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    assert kept == [1, 2]
