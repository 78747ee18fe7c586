"""An interval is proposed on the ladder that the plan says, and on none that is made up."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.events import IntervalProposed
from tests.integration.assessments.harness import AssessmentsHarness
from tests.integration.assessments.test_proposals import cycle
from tests.support.bench import KEYRING


async def stable(harness: AssessmentsHarness, ladder: tuple[int, ...] | None) -> Any:
    """Two stable cycles of a protocol that this service has never heard of; return what is proposed."""
    await harness.phq9(20)
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.attend()
    await harness.plan_is(phase="spaced", kind="maintenance", interval=21, complete=True, protocol="xyz", ladder=ladder)
    await cycle(harness, (4, 4, 4))
    await harness.attend()
    await cycle(harness, (4, 4, 4))
    return (await harness.proposals())[0]


async def test_a_protocol_that_nobody_has_heard_of_is_climbed_on_its_own_ladder(harness: AssessmentsHarness) -> None:
    proposal = await stable(harness, (10, 21, 25))
    assert (proposal["direction"], proposal["to_days"], proposal["ladder"]) == ("lengthen", 25, [10, 21, 25])
    told = (await harness.bench.said(IntervalProposed))[-1]
    assert json.loads(KEYRING.open(told.detail, context="proposal"))["ladder"] == [10, 21, 25]


async def test_no_ladder_is_guessed_from_the_protocols_name_and_the_screen_says_so(harness: AssessmentsHarness) -> None:
    proposal = await stable(harness, None)
    assert (proposal["direction"], proposal["review"], proposal["ladder"]) == ("hold", True, None)
    assert [reason["code"] for reason in proposal["reasons"]] == ["ladder-not-known"]


@pytest.mark.parametrize(("ladder", "code"), [((10, 21, 25), "cycle-not-over"), (None, "ladder-not-known")])
async def test_a_plan_of_before_learns_its_ladder_when_it_is_told_anew_as_it_stands(
    harness: AssessmentsHarness, ladder: tuple[int, ...] | None, code: str
) -> None:
    await stable(harness, None)
    await harness.plan_is(
        phase="spaced", kind="maintenance", interval=21, complete=True, protocol="xyz", ladder=ladder, again=True
    )
    await harness.attend()
    await harness.live_until(harness.today + timedelta(days=5))
    await harness.phq9(4)
    assert (await harness.proposals())[0]["reasons"][0]["code"] == code
