"""What a patient's text leads to, once it is known whose number it came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.notifier.model.inbound import Intent, Reading

CLARIFY_WITHIN: Final = timedelta(minutes=5)
"""One text may confirm a stop, within this time (FCC, in force since 2025-04-11)."""
ANSWER_EVERY: Final = timedelta(days=1)
"""How often a text that nobody here understands is answered; each is passed on."""


class Answer(StrEnum):
    """Which text is sent back; the names are those of the templates."""

    CONFIRMED = "confirmed"
    HELP = "help"
    OTHER = "other"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Reminded:
    """A session ahead that a patient was reminded of."""

    patient: UUID
    session: UUID
    version: int


@dataclass(frozen=True)
class Sender:
    """What is known of the number that a text came from.

    Attributes:
        patients: who use it; a family may share one.
        stopped: whether it has said stop.
        reminded: sessions ahead that its patients were reminded of, soonest first.
        answered_lately: whether a text that nobody understood was answered within `ANSWER_EVERY`.
    """

    patients: Sequence[UUID]
    stopped: bool
    reminded: Sequence[Reminded]
    answered_lately: bool


@dataclass(frozen=True)
class Effect:
    """What follows: what is told to the clinic, and what is answered.

    Attributes:
        intent: never `agree`; that is resolved here.
        confirms: the session that is confirmed.
    """

    intent: Intent
    answer: Answer | None
    confirms: Reminded | None = None


def effect_of(reading: Reading, sender: Sender) -> Effect:
    """Return what a text leads to.

    YES from a number that said stop brings its texts back, as the provider reads it; from any other it agrees to what
    it was reminded of. C means the soonest session of the one patient it can mean; where it may mean several patients'
    a person at the clinic decides.
    """
    match reading.intent:
        case Intent.STOP:
            return Effect(Intent.STOP, None if reading.by_provider else Answer.STOPPED)
        case Intent.START:
            return Effect(Intent.START, None)
        case Intent.AGREE if sender.stopped:
            return Effect(Intent.START, None)
        case Intent.HELP:
            return Effect(Intent.HELP, Answer.HELP)
        case Intent.CONFIRM | Intent.AGREE if len({each.patient for each in sender.reminded}) == 1:
            return Effect(Intent.CONFIRM, Answer.CONFIRMED, sender.reminded[0])
        case _:
            return Effect(Intent.OTHER, None if sender.answered_lately else Answer.OTHER)
