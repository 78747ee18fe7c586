"""What a virtual patient does about a text, and when."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import exp
from typing import Final

from services.sandbox.model.chance import happens, pick
from services.sandbox.model.texts import asks_for_c, checkin_link
from services.sandbox.model.traits import PatientTraits

UNWELL: Final = 10.0
"""PHQ-9 from which a patient answers more rarely: what is missing is not missing at random."""

_PROMPT_HOURS: Final = (0, 0, 1, 1, 2, 4)
_SLOW_HOURS: Final = (2, 6, 10, 26, 50)
_BACK_AFTER: Final = timedelta(days=14)
_LOOKS_AFTER: Final = timedelta(minutes=5)
"""The least time from a text's arrival until somebody acts on it: sooner, it would look like a machine."""
_MINUTE: Final = 20
_SAYINGS: Final = (
    "Running about 10 minutes late, sorry",
    "Thank you!",
    "Can we talk about the time?",
    "ok",
    "Llego tarde, perdon",
    "Please stop sending so many of these texts",
)


class ActionKind(StrEnum):
    """Kinds of act."""

    CHECK_IN = "check-in"
    REPLY = "reply"


@dataclass(frozen=True)
class Action:
    """One act of a virtual patient.

    Attributes:
        kind: what kind.
        at: when it is done, always at twenty past an hour: few instants keep the steps of trial time few, and none of
            them is one at which a clinic's texts fall due, so that whether STOP came before a text is never a race.
        words: the link that is opened, or the text that is sent.
        stays: for a check-in, whether the patient goes on after its first page.
    """

    kind: ActionKind
    at: datetime
    words: str
    stays: bool = True


def actions_on(
    seed: int,
    number: str,
    traits: PatientTraits,
    *,
    body: str,
    key: str,
    count: int,
    latent: float,
    arrived: datetime,
    everything: bool = False,
) -> tuple[Action, ...]:
    """Return what a patient does about a text.

    Args:
        seed: of the run.
        number: the patient's.
        traits: the patient's.
        body: of the text.
        key: which text this is, the same in every run.
        count: how many texts this patient has had at earlier instants, and this one.
        latent: the true PHQ-9 at the arrival.
        arrived: when the handset showed the text.
        everything: the patient answers every check-in to its end, and says nothing else than C.
    """
    hours = pick(_PROMPT_HOURS if traits.prompt else _SLOW_HOURS, seed, number, "hours", key)
    at = _twenty_past(arrived + _LOOKS_AFTER) + timedelta(hours=hours)
    if traits.stops_at is not None and count == traits.stops_at and not everything:
        stop = Action(ActionKind.REPLY, at, "STOP")
        comes_back = happens(1 / 3, seed, number, "comes back")
        return (stop, Action(ActionKind.REPLY, at + _BACK_AFTER, "START")) if comes_back else (stop,)
    actions: list[Action] = []
    link = checkin_link(body)
    if link is not None:
        willing = traits.answers * exp(-count / 200) - max(0.0, 0.015 * (latent - UNWELL))
        if everything or happens(willing, seed, number, "answers", key):
            stays = everything or happens(0.96, seed, number, "stays", key)
            actions.append(Action(ActionKind.CHECK_IN, at, link, stays=stays))
    elif asks_for_c(body) and happens(traits.confirms, seed, number, "confirms", key):
        actions.append(Action(ActionKind.REPLY, at, pick(("C", "C", "C", "c", "C."), seed, number, "C", key)))
    if everything:
        return tuple(actions)
    if happens(0.005, seed, number, "asks for help", key):
        actions.append(Action(ActionKind.REPLY, at + timedelta(hours=1), "HELP"))
    elif happens(0.02, seed, number, "says something", key):
        actions.append(Action(ActionKind.REPLY, at + timedelta(hours=1), pick(_SAYINGS, seed, number, "saying", key)))
    return tuple(actions)


def _twenty_past(instant: datetime) -> datetime:
    """Return the first instant at or after another at which the clock shows twenty past an hour."""
    this_hour = instant.astimezone(UTC).replace(minute=_MINUTE, second=0, microsecond=0)
    return this_hour if this_hour >= instant else this_hour + timedelta(hours=1)
