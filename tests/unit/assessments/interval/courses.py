"""Made-up courses for the interval rule: sessions every 28 days after an induction that ended on day 0."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from services.assessments.model.interval.history import History, Plan, Reading

START = date(2026, 1, 1)
BASELINE = 20


LADDERS = {"iv-ketamine": (7, 14, 21, 28, 42, 56, 84), "esketamine": (7, 14)}
"""As plans tell them."""


def on(day: int) -> date:
    return START + timedelta(days=day)


def reading(day: int, total: int, *, hour: int = 10) -> Reading:
    instant = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, hours=hour)
    return Reading(checkin=UUID(int=1000 + day), asked_for=on(day), completed_at=instant, total=total)


def course(
    previous: Sequence[int] = (4, 4, 4, 4), current: Sequence[int] = (4, 4, 4, 4), interval: int = 28
) -> tuple[History, Plan]:
    """Two cycles after induction with a reading a week; the baseline was taken before induction."""
    readings = [reading(-20, BASELINE)]
    readings += [reading(7 * (index + 1), total) for index, total in enumerate(previous)]
    readings += [reading(28 + 7 * (index + 1), total) for index, total in enumerate(current)]
    history = History(
        readings=tuple(readings),
        asked=tuple(one.asked_for for one in readings),
        sessions=(on(-17), on(-14), on(-10), on(-7), on(-3), on(0), on(28)),
    )
    return history, plan(interval)


def plan(interval: int = 28) -> Plan:
    return Plan(
        protocol="iv-ketamine",
        maintenance=True,
        induction_completed_on=on(0),
        interval_days=interval,
        ladder=LADDERS["iv-ketamine"],
        opt_in_above=28,
    )


def with_readings(history: History, *readings: Reading) -> History:
    return replace(
        history,
        readings=(*history.readings, *readings),
        asked=(*history.asked, *(one.asked_for for one in readings)),
    )
