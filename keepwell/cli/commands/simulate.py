"""`keepwell simulate`: days of a made-up clinic in trial time, and the account of what was sent."""

import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import text
from sqlalchemy.pool import NullPool

from keepwell.cli.output import FINDINGS, show
from keepwell.host.collecting import settle_in
from keepwell.host.data_directory import DataDirectory
from keepwell.host.process import Host, up
from keepwell.simulated_clinic.account import Account, close_books
from keepwell.simulated_clinic.clinicians import Clinicians
from keepwell.simulated_clinic.counter import Counter
from keepwell.simulated_clinic.desk import FrontDesk
from keepwell.simulated_clinic.people import MOST, PURPOSES, person
from keepwell.simulated_clinic.reception import Clinic, Reception
from keepwell.simulated_clinic.verdict import Verdict
from services.sandbox.model.profiles import Profile
from shared.clock import SteppedClock
from shared.database.address import engine_at
from shared.settings import Settings, SettingsError, load
from shared.telemetry.log import configure
from shared.walltime import to_instant

FIRST_DAY: Final = date(2026, 9, 21)
"""A Monday; ninety days from it hold the end of daylight saving time, and the end of every month to Christmas."""
OPENS: Final = time(6)
GRID: Final = 1200
"""Seconds of the network's callbacks' grid: they come at the minutes at which patients act. Each distinct instant is a
step of trial time, and without a grid nearly every text would be several of its own."""
ANSWERING: Final = ("usual", "everything")
"""How made-up patients answer: as the figures on such check-ins have it, or all that they are asked."""
SHOWN: Final = 20
"""Findings that are named on standard error."""


@dataclass(frozen=True)
class Order:
    """What is simulated."""

    patients: int
    days: int
    seed: int
    profile: str
    answering: str = "usual"


Reached = Callable[[datetime], None]


def settings_for(order: Order, folder: Path) -> Settings:
    """Return the settings of a simulation: trial time, the sandbox, and nothing of an earlier run.

    Raises:
        SettingsError: the settings of the environment do not allow it.
    """
    quiet = {} if "KEEPWELL_LOG_LEVEL" in os.environ else {"log_level": "WARNING"}
    return load(
        data_dir=folder,
        clock="steps",
        trial=True,
        http_host="127.0.0.1",
        http_port=0,
        public_url=None,
        sandbox={"enabled": True, "profile": order.profile, "seed": order.seed, "patients": False},
        **quiet,
    )


async def simulate(*, patients: int, days: int, seed: int, profile: str, answering: str, as_json: bool) -> int:
    """Live the days and report; the exit code is 1 when anything was lost, doubled, stale or sent after a stop.

    Raises:
        SettingsError: too many patients, an unknown profile or way to answer, or a database that is in use.
    """
    if patients > MOST:
        raise SettingsError(f"--patients is {patients}, but there are only {MOST} numbers for made-up people.")
    if profile not in set(Profile):
        raise SettingsError(f"--profile is {profile!r}: it must be one of {', '.join(Profile)}.")
    if answering not in ANSWERING:
        raise SettingsError(f"--answering is {answering!r}: it must be one of {', '.join(ANSWERING)}.")
    order = Order(patients, days, seed, profile, answering)
    began = monotonic()
    with tempfile.TemporaryDirectory(prefix="kws") as folder:
        settings = settings_for(order, Path(folder))
        configure(level=settings.log_level)
        with nullcontext(_ignore) if as_json else _bar(order) as reached:
            account = await live(order, settings, reached)
    result = {
        **account.counts(),
        "patients": patients,
        "days": days,
        "seed": seed,
        "profile": profile,
        "answering": answering,
        "wall_s": round(monotonic() - began, 1),
    }
    show(result, as_json=as_json)
    _name(account.verdict)
    return 0 if account.verdict.clean else FINDINGS


async def live(order: Order, settings: Settings, reached: Reached) -> Account:
    """Start everything, live the days with the desk at work, and close the books.

    Args:
        order: what is simulated.
        settings: as `settings_for` gives them.
        reached: called with the time that was reached.
    """
    await _refuse_used(settings)
    DataDirectory(settings.data_dir).keep_clock(
        SteppedClock(to_instant(datetime.combine(FIRST_DAY, OPENS), settings.zone))
    )
    async with up(settings) as host, staffed(order, host) as (desk, counter):
        settle_in()
        if host.trial is None or host.stand_ins is None:
            raise SettingsError("A simulation needs trial time and the sandbox.")
        ends = to_instant(datetime.combine(FIRST_DAY + timedelta(days=order.days), time()), settings.zone)
        while (at := desk.next_round(host.clock.now())) < ends:
            await host.trial.live_until(at)
            await desk.work(at)
            reached(at)
        await host.trial.live_until(ends)
        charts = [chart for _, chart in sorted(desk.clinic.charts.items())]
        return await close_books(charts, counter, host.stand_ins.service, ends)


@asynccontextmanager
async def staffed(order: Order, host: Host) -> AsyncIterator[tuple[FrontDesk, Counter]]:
    """Give a desk with its staff, for a host with the sandbox."""
    if host.stand_ins is None:
        raise SettingsError("Made-up patients need the sandbox: they must not text anybody.")
    phones, zone = host.stand_ins.service, host.settings.zone
    phones.network.grid = GRID
    people = [person(order.seed, index, here=zone) for index in range(order.patients)]
    if order.answering == "everything":
        phones.patients.answer_everything = True
        people = [replace(who, by_text=PURPOSES) for who in people]
    clinic = Clinic(order.seed, zone, FIRST_DAY, order.days, people)
    async with Counter.open(host, name="front desk") as counter:
        reception = Reception(clinic, counter, host.clock, phones)
        clinicians = Clinicians(clinic, counter, host.clock)
        settled = None if host.trial is None else host.trial.settle
        yield FrontDesk(clinic, reception, clinicians, settled=settled), counter


async def _refuse_used(settings: Settings) -> None:
    """Refuse a database that somebody uses: a simulation writes months of made-up care into it."""
    if settings.database_url is None:
        return
    engine = engine_at(settings.database_url.get_secret_value(), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            made = await connection.execute(text("SELECT to_regclass('clinic.patients') IS NOT NULL"))
            used = made.scalar_one() and await connection.scalar(text("SELECT EXISTS (SELECT 1 FROM clinic.patients)"))
    finally:
        await engine.dispose()
    if used:
        raise SettingsError(
            "KEEPWELL_DATABASE_URL names a database that has patients; a simulation needs one of its own. "
            "Unset it to use the embedded PostgreSQL, or name an empty database."
        )


def _ignore(_at: datetime) -> None:
    """Tell nobody which time was reached."""


def _name(verdict: Verdict) -> None:
    """Name the first findings on standard error."""
    for finding in verdict.findings[:SHOWN]:
        who = "" if finding.patient is None else f" patient {finding.patient}"
        sys.stderr.write(f"{finding.what}:{who} {finding.why} {finding.name}\n")
    if len(verdict.findings) > SHOWN:
        sys.stderr.write(f"and {len(verdict.findings) - SHOWN} more\n")


@contextmanager
def _bar(order: Order) -> Iterator[Reached]:
    """Show a progress bar on standard error, a tick for each day."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} days"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("living", total=order.days)
        yield lambda at: progress.update(task, completed=(at.date() - FIRST_DAY).days)
