"""The clinical picture that a patient's page begins with: how they are, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.clinic.model.reads import Alert, AlertState, Plan, Score, Session, SessionState
from services.clinic.views.components import (
    Tone,
    band_chip,
    days,
    say_instrument_of,
    say_short_date,
    session_chip,
    wall_moment,
)
from shared.walltime import to_wall

_OPEN = (SessionState.BOOKED, SessionState.CONFIRMED)


@dataclass(frozen=True)
class Fact:
    """One thing to know first: what it is, how it stands, and what to hold it against."""

    name: str
    text: str
    note: str = ""
    tone: str = ""


def picture(
    plan: Plan | None,
    sessions: Sequence[Session],
    scores: Sequence[Score],
    alerts: Sequence[Alert],
    *,
    now: datetime,
    zone: str,
) -> tuple[Fact, ...]:
    """Return the facts of one patient, the last score first; `zone` is the clinic's."""
    ordered = sorted(scores, key=lambda score: (score.asked_for, score.at))
    return (*_score(ordered), *_mood(ordered), _next(plan, sessions, now, zone), *_alerts(alerts))


def _score(scores: Sequence[Score]) -> tuple[Fact, ...]:
    """Return the last total of each instrument that has one, whatever instruments there are."""
    by_instrument: dict[str, list[Score]] = {}
    for score in scores:
        if score.total is not None:
            by_instrument.setdefault(score.instrument, []).append(score)
    return tuple(_course(one) for one in by_instrument.values()) or (Fact("Score", "none yet"),)


def _course(scores: Sequence[Score]) -> Fact:
    last, chip = scores[-1], band_chip(scores[-1])
    before = f", after {scores[-2].total}" if len(scores) > 1 else ""
    first = f"; {scores[0].total} at first" if len(scores) > 2 else ""  # noqa: PLR2004 - a first beside the one before
    loud = {Tone.WARN: "warn", Tone.DANGER: "danger"}
    note = f"{say_short_date(last.asked_for)}{before}{first}"
    return Fact(say_instrument_of(last), chip.text, note, loud.get(chip.tone, ""))


def _mood(scores: Sequence[Score]) -> tuple[Fact, ...]:
    moods = [(score, score.mood) for score in scores if score.mood is not None]
    if not moods:
        return ()
    last, mood = moods[-1]
    before = f", after {moods[-2][1]}" if len(moods) > 1 else ""
    return (Fact("Mood", f"{mood} of 10", f"{say_short_date(last.asked_for)}{before}"),)


def _next(plan: Plan | None, sessions: Sequence[Session], now: datetime, zone: str) -> Fact:
    ahead = sorted(
        (one for one in sessions if one.state in _OPEN and one.starts_at_utc >= now), key=lambda one: one.starts_at_utc
    )
    if ahead:
        return Fact(
            "Next session", wall_moment(ahead[0].by_clock_of(zone).starts_at).text, session_chip(ahead[0].state).text
        )
    if plan is None:
        return Fact("Next session", "none booked", "no plan")
    late = (to_wall(now, zone).date() - plan.next_due_on).days
    note = f"{days(late)} overdue" if late > 0 else f"due {say_short_date(plan.next_due_on)}"
    return Fact("Next session", "none booked", note, "warn" if late >= 0 else "")


def _alerts(alerts: Sequence[Alert]) -> tuple[Fact, ...]:
    open_ = [alert for alert in alerts if alert.state is not AlertState.CLOSED]
    if not open_:
        return ()
    untaken = sum(alert.state is AlertState.OPEN for alert in open_)
    note = f"{untaken} not acknowledged" if untaken else "acknowledged"
    return (Fact("Open alerts", str(len(open_)), note, "danger"),)
