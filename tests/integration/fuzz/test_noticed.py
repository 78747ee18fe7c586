"""The state machines notice what they are there for: each once more, with something of the product taken out."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import text

from services.assessments.commands import alerts, checkins
from services.notifier.commands import settling
from services.scheduler.commands import timers
from shared.bus import publish
from tests.integration.fuzz.machines import Machine
from tests.integration.fuzz.profiles import tries
from tests.integration.fuzz.test_alerts import Alerts
from tests.integration.fuzz.test_checkins import Checkins
from tests.integration.fuzz.test_messages import Messages
from tests.integration.fuzz.test_sessions import Sessions
from tests.integration.fuzz.world import World

UNSHRUNK: Final = settings(tries(100, steps=30), phases=(Phase.generate,), report_multiple_bugs=False, print_blob=False)
Patch = pytest.MonkeyPatch


async def _nothing_cancelled(*_: Any) -> int:
    return 0


def reminders_are_cancelled(patch: Patch) -> None:
    patch.setattr(timers, "cancel_timers", _nothing_cancelled)


def a_completed_check_in_no_longer_expires(patch: Patch) -> None:
    async def ending_nothing(tx: Any, event: Any, **named: Any) -> Any:
        return await publish(tx, event, **{name: value for name, value in named.items() if name != "ends"})

    patch.setattr(checkins, "publish", ending_nothing)


def an_acknowledgement_ends_the_pages(patch: Patch) -> None:
    patch.setattr(alerts, "cancel_timers", _nothing_cancelled)


def a_lost_attempt_is_looked_up(patch: Patch) -> None:
    take_over = settling.take_over

    async def hasty(tx: Any, owner: int, patience: Any) -> int:
        taken = await take_over(tx, owner, patience)
        await tx.execute(text("UPDATE attempts SET state = 'nothing', look_at = NULL WHERE state = 'unknown'"))
        again = text("UPDATE messages SET state = 'planned', next_at = :now WHERE state = 'unknown'")
        await tx.execute(again.bindparams(now=tx.now))
        return taken

    patch.setattr(settling, "take_over", hasty)


@pytest.mark.parametrize(
    ("machine", "take_out"),
    [
        (Sessions, reminders_are_cancelled),
        (Checkins, a_completed_check_in_no_longer_expires),
        (Alerts, an_acknowledgement_ends_the_pages),
        (Messages, a_lost_attempt_is_looked_up),
    ],
)
def test_a_machine_notices_when_this_does_not_hold(
    world: World, monkeypatch: Patch, machine: type[Machine], take_out: Callable[[Patch], None]
) -> None:
    take_out(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(lambda: machine(world), settings=UNSHRUNK)  # type: ignore[arg-type]
