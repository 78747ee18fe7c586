"""`keepwell demo`: a made-up clinic that lives by itself, with staff and patients, for a visitor to look at.

Its past is lived first, step by step and as fast as the machine can, so that the visitor meets people in every phase:
finished inductions, scores, a proposal each way, an alert that is being dealt with. Then it goes on at a pace that a
person can follow: slowly while the clinic is open, and through its nights at once.
"""

import asyncio
import sys
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Any, Final

from keepwell.cli.commands.up import announce, progress, say, stop_on_signal
from keepwell.host.collecting import settle_in
from keepwell.host.data_directory import DataDirectory
from keepwell.host.process import Host, up
from keepwell.host.trial import TrialTime
from keepwell.simulated_clinic.cast import CAST, PAST_DAYS, of_the_cast, opening_day, who_reads_texts
from keepwell.simulated_clinic.clinicians import Clinicians
from keepwell.simulated_clinic.counter import Counter
from keepwell.simulated_clinic.desk import FrontDesk
from keepwell.simulated_clinic.hosts import CastClinicians, set_the_scene, things_to_try
from keepwell.simulated_clinic.memory import Story, refresh, remember
from keepwell.simulated_clinic.people import Person, person
from keepwell.simulated_clinic.reception import Clinic, Reception
from keepwell.simulated_clinic.record import Chart
from shared.clock import LivedClock, RealClock, SteppedClock
from shared.settings import Settings, SettingsError
from shared.telemetry.log import get_logger
from shared.walltime import to_instant, to_wall

log = get_logger(__name__)

OPENS: Final = time(6)
"""When its first day begins, before the desk's first round."""
VISITORS: Final = time(8)
"""When a visitor's first morning begins."""
DAYTIME: Final = (time(7, 30), time(18))
"""The wall times between which it lives at the visitor's pace."""
NIGHT: Final = 10_000.0
"""How fast its nights pass: some five seconds each."""
COMING: Final = 60
"""Days in which the people come who are drawn by chance, counted from the first."""
LEAVING: Final = 0.05
"""Share of them who leave: few, for the clinic shall still be one when a visitor comes back."""
VISITOR_FIRST: Final = timedelta(days=3)
"""How long proposals and alerts are left to the visitor before the made-up clinicians see to them."""
LATE: Final = timedelta(days=2)
"""How far the desk may fall behind the clock before it leaves rounds out."""
GRID: Final = 600
"""Seconds of the network's grid while the past is lived (see `keepwell simulate`): what tells that a text arrived comes
ten minutes before the patient acts on it, as though they had read it."""
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
    clock = _clock(settings)
    try:
        async with up(_with_sandbox(settings, story), (), progress(quiet=as_json), clock=clock) as host:
            settle_in()
            clinic, people = _clinic(settings, story)
            async with Counter.open(host, name="made-up staff") as counter:
                demonstration = Demonstration(host, clock, clinic, counter, people)
                await demonstration.live_the_past(quiet=as_json)
                announce(host, as_json=as_json, more=things_to_try(clinic, people))
                living = asyncio.create_task(demonstration.live(settings.clock_factor or 1.0), name="front desk")
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


class Demonstration:
    """The made-up clinic with its staff, on a host."""

    def __init__(
        self,
        host: Host,
        clock: LivedClock,
        clinic: Clinic,
        counter: Counter,
        people: list[Person],
    ) -> None:
        if host.stand_ins is None:
            raise SettingsError("Made-up patients need the sandbox: they must not text anybody.")
        self._host = host
        self._clock = clock
        self._phones = host.stand_ins.service
        self._clinic = clinic
        self._counter = counter
        self._people = people
        self._directory = DataDirectory(host.settings.data_dir)

    async def live_the_past(self, *, quiet: bool) -> None:
        """Live until a visitor's first morning, each step once all of the last has come to rest."""
        clock, clinic = self._clock, self._clinic
        ends = to_instant(datetime.combine(clinic.first_day + timedelta(days=PAST_DAYS), VISITORS), clinic.zone)
        if clock.now() >= ends:
            return
        trial = TrialTime(clock, self._host.engine, bystander=self._host.stand_ins, keep=lambda: None)
        grid, self._phones.network.grid = self._phones.network.grid, GRID
        await remember(clinic, self._counter, self._people, clock.now())
        staff = CastClinicians(clinic, self._counter, clock, leaves_from=ends - timedelta(days=3))
        # A refused order must not end a visitor's demonstration; what became of it shows on the next look.
        desk = FrontDesk(clinic, self._reception(), staff, settled=trial.settle, look_again=self._look, alone=True)
        week = -1
        while (at := desk.next_round(clock.now())) < ends:
            await trial.live_until(at)
            await desk.work(at)
            self._directory.keep_clock(clock)
            if (reached := (clinic.today(at) - clinic.first_day).days // 7) != week:
                week = reached
                say(f"Living week {week + 1} of the {PAST_DAYS // 7 + 1} before you came", quiet=quiet)
        await trial.live_until(ends)
        await self._read_texts(ends - timedelta(days=1))
        await set_the_scene(clinic, self._counter, self._phones)
        await trial.settle()
        self._phones.network.grid = grid
        self._directory.keep_clock(clock)

    async def _read_texts(self, until: datetime) -> None:
        """Note that the staff of the past have read what was texted to them; the console alone can do so otherwise."""
        from services.clinic.store import read_models  # noqa: PLC0415 - loads the clinic

        database = next(service.database for service in self._host.services if service.name == "clinic")
        async with database.transaction() as tx:
            await read_models.mark_all_read(tx, until, by="made-up staff")

    async def live(self, pace: float) -> None:
        """Let the clock run and the staff work; when they fail, they begin anew from what the clinic knows."""
        self._clock.run_at(pace)
        day_and_night = asyncio.create_task(self._pace(pace), name="day and night")
        try:
            while True:
                try:
                    await self._work()
                except Exception:
                    log.exception("simulated_clinic.failed")
                    await self._clock.pause(AGAIN)
        finally:
            day_and_night.cancel()

    async def _pace(self, pace: float) -> None:
        begins, ends = DAYTIME
        while True:
            wall = to_wall(self._clock.now(), self._clinic.zone)
            awake = begins <= wall.time() < ends
            self._clock.run_at(pace if awake else max(NIGHT, pace))
            turn = datetime.combine(wall.date(), ends if awake else begins)
            if not awake and wall.time() >= ends:
                turn += timedelta(days=1)
            await self._clock.sleep_until(to_instant(turn, self._clinic.zone))

    async def _work(self) -> None:
        clinic, counter, clock = self._clinic, self._counter, self._clock
        await remember(clinic, counter, self._people, clock.now())
        clinicians = Clinicians(clinic, counter, clock, patience=VISITOR_FIRST, every_evening=True)
        desk = FrontDesk(clinic, self._reception(), clinicians, look_again=self._look)
        at = clock.now()
        while True:
            at = desk.next_round(at if clock.now() - at < LATE else clock.now())
            await clock.sleep_until(at)
            await desk.work(at)
            self._directory.keep_clock(clock)

    async def _look(self, chart: Chart) -> None:
        await refresh(self._clinic, self._counter, chart, self._clock.now())

    def _reception(self) -> Reception:
        return Reception(self._clinic, self._counter, self._clock, self._phones)


def _begin(settings: Settings, patients: int, seed: int) -> Story:
    """Return the story of this place; a new one opens so that its past ends about today."""
    story = Story.of(settings.data_dir)
    if story is not None:
        return story
    opened_on = opening_day(to_wall(RealClock().now(), settings.zone).date())
    story = Story(seed, patients, opened_on.isoformat())
    DataDirectory(settings.data_dir).keep_clock(
        SteppedClock(to_instant(datetime.combine(opened_on, OPENS), settings.zone))
    )
    story.keep(settings.data_dir)
    return story


def _clock(settings: Settings) -> LivedClock:
    """Return the clock where it was left; it stands still until the past is lived."""
    return LivedClock(DataDirectory(settings.data_dir).clock(settings).now())


def _with_sandbox(settings: Settings, story: Story) -> Settings:
    changed: dict[str, Any] = {"enabled": True, "seed": story.seed, "patients": False}
    return settings.model_copy(update={"sandbox": settings.sandbox.model_copy(update=changed)})


def _clinic(settings: Settings, story: Story) -> tuple[Clinic, list[Person]]:
    zone = settings.zone
    drawn = [person(story.seed, index, here=zone) for index in range(story.patients)]
    people = [of_the_cast(who, zone) if who.index in CAST else who_reads_texts(who) for who in drawn]
    return Clinic(story.seed, zone, story.opened_on, COMING, list(people), leaving=LEAVING, cast=CAST), people
