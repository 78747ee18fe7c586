"""The simulation as a user runs it: the same seed gives the same counts, and nothing is lost, doubled or stale."""

import asyncio
import json
from typing import Any

import pytest

from tests.support.running import clean_environment, run_command

ARGUMENTS = ("simulate", "--patients", "4", "--days", "10", "--seed", "1", "--json")
KEYS = {
    *("due", "accepted", "delivered", "withheld", "lost", "twice", "stale", "after_stop", "replies"),
    *("checkins", "alerts", "proposals", "decisions", "measures", "measures_of_who_answer_everything", "plan_changes"),
    *("patients", "days", "seed", "profile", "answering", "wall_s"),
}


async def simulated(*arguments: str, **settings: str) -> dict[str, Any]:
    code, output, errors = await run_command(*arguments, environment=clean_environment(**settings))
    assert code == 0, errors
    report: dict[str, Any] = json.loads(output)
    return report


async def test_the_same_seed_gives_the_same_counts_and_nothing_is_lost_doubled_or_stale() -> None:
    # Side by side the two interleave differently, and still must come to the same.
    one, other = await asyncio.gather(simulated(*ARGUMENTS), simulated(*ARGUMENTS))
    assert one.keys() == KEYS
    assert one | {"wall_s": 0} == other | {"wall_s": 0}
    assert (one["lost"], one["twice"], one["stale"], one["after_stop"]) == (0, 0, 0, 0)
    assert one["due"] == one["accepted"] + sum(one["withheld"].values())
    assert one["accepted"] > 20
    assert one["checkins"]["completed"] > 0
    assert one["plan_changes"] > 0


async def test_nobody_who_answers_everything_lacks_data_and_intervals_move() -> None:
    told = await simulated(
        "simulate", "--patients", "3", "--days", "98", "--seed", "23", "--answering", "everything", "--json"
    )
    assert told["proposals"]["hold"] > 0
    assert told["proposals"]["shorten"] + told["proposals"]["lengthen"] > 0, told["proposals"]
    assert told["decisions"]["all"] > 0
    steadfast = told["measures_of_who_answer_everything"]
    assert steadfast["patients"] > 0
    assert steadfast["baselines"] == steadfast["patients"]
    assert steadfast["induction_completed"] > 0
    assert steadfast["in_induction_min"] >= 3
    assert told["measures"]["insufficient_data"] == 0
    assert (told["lost"], told["twice"], told["stale"], told["after_stop"]) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "settings", "complaint"),
    [
        (("--profile", "stormy"), {}, "--profile is 'stormy'"),
        (("--answering", "never"), {}, "--answering is 'never'"),
        ((), {"KEEPWELL_TWILIO_ACCOUNT_SID": "AC1", "KEEPWELL_TWILIO_BASE_URL": "https://api.twilio.com"}, "live"),
    ],
)
async def test_a_simulation_that_cannot_be_says_so_in_a_line(
    arguments: tuple[str, ...], settings: dict[str, str], complaint: str
) -> None:
    code, output, errors = await run_command(
        "simulate", *arguments, "--json", environment=clean_environment(**settings)
    )
    assert code == 2
    assert output == ""
    assert complaint in errors
    assert "Traceback" not in errors
