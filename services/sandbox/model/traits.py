"""What kind of person a virtual patient is, and how their depression runs.

Figures: the simulator's table of docs on the clinical facts (baseline of the VA cohort, share and duration of response
of community clinics, measurement spread of the PHQ-9's kin). They make believable data; they are no evidence.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import exp, log, sqrt
from typing import Final

from services.sandbox.model.chance import beta, digest, happens, lognormal, normal, roll

HIGHEST: Final = 27
ITEMS: Final = 9
_SCALE_TOP: Final = 3
_SHOCK_WEEKS: Final = 10
_SHOCKS_A_YEAR: Final = 0.5
_SHOCK_POINTS: Final = 6.0
_SHOCK_DAYS: Final = 14.0
_MEASUREMENT_SD: Final = 2.5
_KEPT: Final = 0.4
"""Share of the relief that is left to who loses the response."""


@dataclass(frozen=True)
class PatientTraits:
    """One virtual patient, fixed by the seed and the phone number.

    Attributes:
        baseline: latent PHQ-9 without treatment, 12 to 27.
        relief: points that a full series of sessions takes off.
        tau: days; the relief falls as exp(-(days since the last session / tau)^2): a plateau, then return.
        thoughts: whether this patient answers item 9 above zero when unwell.
        answers: chance to answer a check-in at first.
        confirms: chance to reply C to a reminder.
        stops_at: number of the text that is answered with STOP, counted from 1; None for never.
        prompt: whether answers come within hours rather than days.
        loses_after: number of sessions after which most of the relief is gone; None for never.
        noise: standard deviation of measuring, in points.
        shocks: whether losses and illnesses befall them.
    """

    baseline: float
    relief: float
    tau: float
    thoughts: bool
    answers: float
    confirms: float
    stops_at: int | None
    prompt: bool
    loses_after: int | None = None
    noise: float = _MEASUREMENT_SD
    shocks: bool = True


def traits_of(seed: int, number: str) -> PatientTraits:
    """Return the patient who holds this number under this seed."""
    baseline = min(max(18.6 + 4 * normal(seed, number, "baseline"), 12.0), float(HIGHEST))
    responds = happens(0.54, seed, number, "responds")
    lasting = happens(0.15, seed, number, "lasting")
    loss_days = 900.0 if lasting else lognormal(75.5, 1.18, seed, number, "loss")
    return PatientTraits(
        baseline=baseline,
        relief=baseline * (0.55 + 0.3 * roll(seed, number, "relief")) if responds else 2.5,
        tau=max(loss_days, 5.0) / sqrt(log(2)),
        thoughts=happens(0.06, seed, number, "thoughts"),
        answers=beta(13, 7, seed, number, "answers"),
        confirms=0.35 + 0.55 * roll(seed, number, "confirms"),
        stops_at=4 + int(36 * roll(seed, number, "stop at")) if happens(0.06, seed, number, "stops") else None,
        prompt=happens(0.75, seed, number, "prompt"),
    )


def latent_score(seed: int, number: str, traits: PatientTraits, attended: tuple[datetime, ...], at: datetime) -> float:
    """Return the true PHQ-9 of a patient at an instant, before the noise of measuring.

    Each session brings 45 % of the relief that is still to be had; it wears off with the time since the last one.
    Shocks (a loss, an illness) come half a time a year, add six points and fade within two weeks or so.
    """
    past = [instant for instant in attended if instant <= at]
    score = traits.baseline
    if past:
        lost = traits.loses_after is not None and len(past) > traits.loses_after
        gained = traits.relief * (_KEPT if lost else 1.0) * (1 - 0.55 ** len(past))
        days = (at - max(past)) / timedelta(days=1)
        score -= gained * exp(-((days / traits.tau) ** 2))
    shock = _shock(seed, number, at) if traits.shocks else 0.0
    return min(max(score + shock, 0.0), float(HIGHEST))


def _shock(seed: int, number: str, at: datetime) -> float:
    total = 0.0
    for weeks in range(_SHOCK_WEEKS):
        day = at.date() - timedelta(days=at.weekday(), weeks=weeks)
        if happens(_SHOCKS_A_YEAR / 52, seed, number, "shock", day.isoformat()):
            total += _SHOCK_POINTS * exp(-_days_since(day, at.date()) / _SHOCK_DAYS)
    return total


def _days_since(day: date, today: date) -> int:
    return (today - day).days


def phq9_answers(
    seed: int, number: str, traits: PatientTraits, latent: float, key: str
) -> tuple[int, int, int, int, int, int, int, int, int]:
    """Return nine answers, 0 to 3, whose sum is the latent score with the noise of measuring.

    Args:
        seed: of the run.
        number: the patient's.
        traits: the patient's.
        latent: true score, 0 to 27.
        key: which check-in this is, the same in every run.
    """
    total = round(min(max(latent + traits.noise * normal(seed, number, "measured", key), 0.0), float(HIGHEST)))
    ninth = 0
    if traits.thoughts and total >= 12:  # noqa: PLR2004 - moderate to severe, where the thoughts come
        ninth = 1 + int(roll(seed, number, "ninth", key) * 2)
    total = min(max(total - ninth, 0), (ITEMS - 1) * _SCALE_TOP)
    items = [total // (ITEMS - 1)] * (ITEMS - 1)
    order = sorted(range(ITEMS - 1), key=lambda item: digest(seed, number, "order", key, item))
    for item in order[: total % (ITEMS - 1)]:
        items[item] += 1
    first, second, third, fourth, fifth, sixth, seventh, eighth = items
    return first, second, third, fourth, fifth, sixth, seventh, eighth, ninth
