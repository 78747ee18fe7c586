"""`keepwell demo`: a made-up clinic that lives by itself, with staff and patients, for a visitor to look at."""

import asyncio
import sys
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Final

from keepwell.collecting import settle_in
from keepwell.commands.up import announce, progress, stop_on_signal
from keepwell.front_desk.clinicians import Clinicians
from keepwell.front_desk.counter import Counter
from keepwell.front_desk.desk import FrontDesk
from keepwell.front_desk.memory import Story, refresh, remember
from keepwell.front_desk.people import Person, person
from keepwell.front_desk.reception import Clinic, Reception
from keepwell.host import Host, up
from keepwell.place import Place
from shared.clock import FastClock, RealClock, SteppedClock
from shared.settings import Settings, SettingsError
from shared.telemetry.log import get_logger
from shared.walltime import to_instant, to_wall

log = get_logger(__name__)

HISTORY: Final = timedelta(days=35)
"""How long the clinic has existed when a visitor first sees it at its own pace: long enough for induction to end."""
RUSH: Final = 20160.0
"""How fast its history is lived, two weeks a minute: patients come to stand in every phase within a few minutes."""
OPENS: Final = time(6)
COMING: Final = 45
"""Days in which the made-up people come, counted from the first."""
LEAVING: Final = 0.05
"""Share of the made-up people who leave: few, for the clinic shall still be one when a visitor comes back."""
VISITOR_FIRST: Final = timedelta(days=1)
"""How long proposals and alerts are left to the visitor before the made-up clinicians see to them."""
LATE: Final = timedelta(days=2)
"""How far the desk may fall behind the clock before it leaves rounds out."""
AGAIN: Final = 2.0
"""Real seconds before the desk begins anew after it failed."""


async def serve(settings: Settings, *, patients: int, seed: int, as_json: bool) -> int:
    """Run the clinic until a signal; started again in the same place it goes on.

    Args:
        settings: with the clock's pace, in trial time.
        patients: how many made-up people there are.
        seed: of all that they and the staff do.
        as_json: whether to announce in one line for programs.
    """
    stop = stop_on_signal()
    story = _begin(settings, patients, seed)
    try:
        async with up(_hurried(settings, story), (), progress(quiet=as_json)) as host:
            settle_in()
            announce(host, as_json=as_json)
            living = asyncio.create_task(_live(host, story, settings.clock_factor or 1.0), name="front desk")
            try:
                await stop.wait()
            finally:
                living.cancel()
                with suppress(asyncio.CancelledError):
                    await living
            if not as_json:
                sys.stderr.write("Stopping; what is in flight is finished first.\n")
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        sys.stderr.write("Stopped before it was ready.\n")
    return 0


def _begin(settings: Settings, patients: int, seed: int) -> Story:
    """Return the story of this place; a new one opens so that its history ends today."""
    story = Story.of(settings.data_dir)
    if story is not None:
        return story
    opened_on = to_wall(RealClock().now() - HISTORY, settings.zone).date()
    story = Story(seed, patients, opened_on.isoformat())
    Place(settings.data_dir).keep_clock(SteppedClock(to_instant(datetime.combine(opened_on, OPENS), settings.zone)))
    story.keep(settings.data_dir)
    return story


def _hurried(settings: Settings, story: Story) -> Settings:
    """Return the settings to start with: the sandbox on, and the pace of history while that is not lived yet."""
    sandbox = settings.sandbox.model_copy(update={"enabled": True, "seed": story.seed, "patients": False})
    now = Place(settings.data_dir).clock(settings).now()
    hurry = now < _history_ends(settings, story) and (settings.clock_factor or 1.0) < RUSH
    return settings.model_copy(update={"sandbox": sandbox, "clock": f"x{RUSH:g}" if hurry else settings.clock})


def _history_ends(settings: Settings, story: Story) -> datetime:
    return to_instant(datetime.combine(story.opened_on, OPENS) + HISTORY, settings.zone)


async def _live(host: Host, story: Story, pace: float) -> None:
    """Let the staff work; when they fail, they begin anew from what the clinic knows."""
    while True:
        try:
            await _work(host, story, pace)
        except Exception:
            log.exception("front_desk.failed")
            await host.clock.pause(AGAIN)


async def _work(host: Host, story: Story, pace: float) -> None:
    if host.stand_ins is None:
        raise SettingsError("Made-up patients need the sandbox: they must not text anybody.")
    clock, place, zone = host.clock, Place(host.settings.data_dir), host.settings.zone
    people = [person(story.seed, index, here=zone) for index in range(story.patients)]
    clinic = Clinic(story.seed, zone, story.opened_on, COMING, list(people), leaving=LEAVING)
    ends = _history_ends(host.settings, story)
    async with Counter.open(host, name="made-up staff") as counter:
        desk = await _desk(host, clinic, counter, people)
        at = clock.now()
        while True:
            at = desk.next_round(at if clock.now() - at < LATE else clock.now())
            await clock.sleep_until(at)
            await desk.work(at)
            if isinstance(clock, FastClock) and clock.factor > pace and clock.now() >= ends:
                clock.run_at(pace)
            place.keep_clock(clock)


async def _desk(host: Host, clinic: Clinic, counter: Counter, people: list[Person]) -> FrontDesk:
    if host.stand_ins is None:
        raise SettingsError("Made-up patients need the sandbox: they must not text anybody.")
    await remember(clinic, counter, people, host.clock.now())
    reception = Reception(clinic, counter, host.clock, host.stand_ins.service)
    clinicians = Clinicians(clinic, counter, host.clock, patience=VISITOR_FIRST, every_evening=True)
    return FrontDesk(
        clinic, reception, clinicians, look_again=lambda chart: refresh(clinic, counter, chart, host.clock.now())
    )
