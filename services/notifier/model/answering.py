"""What a patient's text leads to, once it is known whose number it came from."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.notifier.model.inbound import Flag, Intent, TextMeaning

CLARIFY_WITHIN: Final = timedelta(minutes=5)
"""One text may confirm or clarify a stop, within this time (FCC, in force since 2025-04-11)."""
ANSWER_EVERY: Final = timedelta(hours=4)
"""How often a number gets the same general answer; each text is passed on. Engineering default."""
LOOP_WITHIN: Final = timedelta(hours=1)
LOOP_AFTER: Final = 3
"""How often the same words may come within `LOOP_WITHIN` before a machine is thought to send them. Engineering
default."""
MANY: Final = 20
"""How many texts of any words may come within `LOOP_WITHIN` before nothing general is answered. Engineering default."""
WHICH_WITHIN: Final = timedelta(hours=24)
"""How long the answer to "which visit" is waited for. Engineering default."""


class Answer(StrEnum):
    """Which text is sent back; the names are those of the templates."""

    CONFIRMED = "confirmed"
    CONFIRMED_LEFT = "confirmed_left"
    CONFIRMED_SEVERAL = "confirmed_several"
    DECLINED = "declined"
    DECLINED_ANY = "declined_any"
    DOUBT = "doubt"
    HELP = "help"
    KEPT = "kept"
    LATE = "late"
    OTHER = "other"
    PICTURE = "picture"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    WHICH = "which"
    WRONG = "wrong"


GENERAL: Final = frozenset({Answer.OTHER, Answer.UNKNOWN, Answer.LATE, Answer.PICTURE, Answer.DECLINED_ANY})
"""Answers that say the same each time, and so come once in `ANSWER_EVERY`."""


class Kind(StrEnum):
    """What a number was asked back."""

    STOP = "stop"
    CONFIRM = "confirm"
    DECLINE = "decline"


@dataclass(frozen=True)
class Ahead:
    """A session ahead.

    Attributes:
        placed: tells its present time from one that it had before.
        wall: when it begins, as the clinic's clock shows it.
        reminded: whether its patient was reminded of it, at that time.
        agreed: whether its patient said yes to it since, and not no.
    """

    patient: UUID
    session: UUID
    version: int
    wall: datetime
    placed: int = 1
    reminded: bool = True
    agreed: bool = False


@dataclass(frozen=True)
class Question:
    """What a number was asked and has not answered; `options` are the sessions, in the order of the question."""

    kind: Kind
    options: tuple[Ahead, ...] = ()


@dataclass(frozen=True)
class Sender:
    """What is known of the number that a text came from.

    Attributes:
        patients: who use it; a family may share one.
        stopped: whether it has said stop.
        ahead: sessions of its patients, soonest first.
        question: what it was asked.
        repeats: how often the same words came within `LOOP_WITHIN`, this text included.
        lately: how many texts of any words did.
        answered: general answers that it got within `ANSWER_EVERY`.
    """

    patients: Sequence[UUID]
    stopped: bool = False
    ahead: Sequence[Ahead] = ()
    question: Question | None = None
    repeats: int = 1
    lately: int = 1
    answered: frozenset[str] = frozenset()

    @property
    def reminded(self) -> list[Ahead]:
        """Return the sessions that its patients were reminded of."""
        return [each for each in self.ahead if each.reminded]


@dataclass(frozen=True)
class Effect:
    """What follows: what is told to the clinic, and what is answered.

    Attributes:
        intent: never `agree` or `nod`; those are resolved here.
        sessions: that are confirmed or declined.
        others: sessions that the answer names besides.
        asks: what is asked back.
        settles: whether what was asked is answered by it.
        ends_texts: whether the number gets no more texts.
    """

    intent: Intent
    answer: Answer | None = None
    sessions: tuple[Ahead, ...] = ()
    others: tuple[Ahead, ...] = ()
    asks: Question | None = None
    settles: bool = False
    ends_texts: bool = False
    flags: frozenset[Flag] = frozenset()


_YES_LIKE: Final = frozenset({Intent.CONFIRM, Intent.AGREE, Intent.NOD})
_BARE_NO: Final = frozenset({"no", "n", "nope", "nah", "no thanks", "no thank you", "no gracias", "no dont", "dont"})
_KEEP: Final = frozenset(
    {"keep", "keep texting", "keep them", "keep going", "continue", "go on", "seguir", "sigan", "continuar", "siga"}
)
_LOUD: Final = frozenset({Answer.STOPPED, Answer.DOUBT})
"""Answers that are given also where the same words come again: a wish about texts is no loop."""


def effect_of(meaning: TextMeaning, sender: Sender) -> Effect:
    """Return what a text leads to.

    YES from a number that said stop brings its texts back, as the provider reads it; from any other it agrees to what
    it was reminded of. A yes means the soonest session that its patient has not agreed to; where it may mean several
    patients' the number is asked once.
    """
    if Flag.AUTOMATIC in meaning.flags:
        return Effect(Intent.OTHER, flags=meaning.flags)
    effect = _answered_question(meaning, sender) or _by_intent(meaning, sender)
    flags = meaning.flags | effect.flags
    if not sender.patients:
        effect = _unknown_number(effect)
    looping = sender.repeats > LOOP_AFTER or sender.lately > MANY
    if looping and effect.answer not in _LOUD and effect.answer is not None:
        return replace(effect, answer=None, flags=flags | {Flag.REPEATED})
    if effect.answer in GENERAL and effect.answer in sender.answered:
        return replace(effect, answer=None, flags=flags)
    return replace(effect, flags=flags)


def _unknown_number(effect: Effect) -> Effect:
    """Return what the text of a number leads to that is no patient's: help, and nothing that names anybody."""
    kept = {Intent.STOP, Intent.START, Intent.HELP, Intent.REACTION}
    answer = effect.answer if effect.answer in {Answer.HELP, None} else Answer.UNKNOWN
    if effect.intent == Intent.STOP:
        answer = None
    intent = effect.intent if effect.intent in kept | {Intent.WRONG_NUMBER, Intent.DOUBT} else Intent.OTHER
    return Effect(intent, answer, ends_texts=effect.ends_texts, flags=effect.flags)


def _answered_question(meaning: TextMeaning, sender: Sender) -> Effect | None:
    """Return what a text means as the answer to what was asked; None where it answers nothing."""
    question = sender.question
    if question is None:
        return None
    if question.kind is Kind.STOP:
        return _stop_or_keep(meaning, sender)
    where = meaning.pointing
    if where.number is not None and 1 <= where.number <= len(question.options):
        chosen = [question.options[where.number - 1]]
    elif where.both:
        chosen = list(question.options)
    elif where.names_one:
        chosen = [each for each in question.options if where.fits(each.wall)]
    else:
        chosen = []
    if len(chosen) == 0 or (len(chosen) > 1 and not where.both):
        if meaning.intent in _YES_LIKE:
            # Asked once is enough: a person sorts it out.
            return Effect(Intent.OTHER, Answer.OTHER, flags=frozenset({Flag.ASKED_WHICH}))
        return None
    return _said(question.kind, tuple(chosen), sender, settles=True)


def _stop_or_keep(meaning: TextMeaning, sender: Sender) -> Effect | None:
    words = _bare(meaning)
    if meaning.intent in {Intent.AGREE, Intent.NOD}:
        return Effect(Intent.STOP, Answer.STOPPED, settles=True, ends_texts=True)
    if words in _BARE_NO | _KEEP or meaning.intent == Intent.START:
        return Effect(Intent.START, Answer.KEPT, settles=True)
    if meaning.intent == Intent.CONFIRM:
        return replace(_by_intent(meaning, sender), settles=True)
    if meaning.intent == Intent.DOUBT:
        # One question is enough; until it is answered nothing else goes out.
        return Effect(Intent.DOUBT, flags=frozenset({Flag.ASKED}))
    return None


def _bare(meaning: TextMeaning) -> str:
    return " ".join(re.sub(r"[^\w ]", "", meaning.words.casefold()).split())


def _by_intent(meaning: TextMeaning, sender: Sender) -> Effect:
    special: dict[Intent, Callable[[TextMeaning, Sender], Effect]] = {
        Intent.STOP: _stop,
        Intent.DOUBT: _doubt,
        Intent.DECLINE: _decline,
        Intent.WRONG_NUMBER: _wrong,
    }
    if meaning.intent in special:
        return special[meaning.intent](meaning, sender)
    if meaning.intent == Intent.START or (meaning.intent == Intent.AGREE and sender.stopped):
        return Effect(Intent.START, settles=True)
    if meaning.intent == Intent.HELP:
        return Effect(Intent.HELP, None if meaning.answered else Answer.HELP)
    if meaning.intent in _YES_LIKE:
        return _agree(meaning, sender)
    if meaning.intent == Intent.REACTION:
        return Effect(Intent.REACTION)
    return _other(meaning)


def _stop(meaning: TextMeaning, sender: Sender) -> Effect:
    # One text may confirm a stop: the provider's own, or ours, and not again.
    silent = meaning.by_provider or sender.stopped
    return Effect(Intent.STOP, None if silent else Answer.STOPPED, settles=True, ends_texts=True)


def _doubt(_reading: TextMeaning, sender: Sender) -> Effect:
    if sender.stopped or not sender.patients:
        return Effect(Intent.DOUBT)
    return Effect(Intent.DOUBT, Answer.DOUBT, asks=Question(Kind.STOP), flags=frozenset({Flag.ASKED}))


def _wrong(meaning: TextMeaning, _sender: Sender) -> Effect:
    answer = Answer.STOPPED if meaning.ends_texts else Answer.WRONG
    return Effect(Intent.WRONG_NUMBER, answer, settles=True, ends_texts=meaning.ends_texts)


def _other(meaning: TextMeaning) -> Effect:
    if Flag.RUNNING_LATE in meaning.flags:
        return Effect(Intent.OTHER, Answer.LATE)
    if Flag.PICTURE in meaning.flags and not meaning.words:
        return Effect(Intent.OTHER, Answer.PICTURE)
    return Effect(Intent.OTHER, Answer.OTHER)


def _agree(meaning: TextMeaning, sender: Sender) -> Effect:
    waiting = [each for each in sender.reminded if not each.agreed]
    pool, where = waiting or sender.reminded, meaning.pointing
    if not pool:
        # A bare "ok" to nothing asks for no answer.
        return Effect(Intent.OTHER, None if meaning.intent == Intent.NOD else Answer.OTHER)
    named = [each for each in sender.reminded if where.fits(each.wall)] if where.names_one else []
    if where.both or len(named) == 1:
        return _said(Kind.CONFIRM, tuple(named or pool), sender)
    if where.names_one or len({each.patient for each in pool}) > 1:
        return _which(Kind.CONFIRM, named or pool)
    said = _said(Kind.CONFIRM, (pool[0],), sender)
    # Everything is agreed: a nod needs no second thanks.
    return replace(said, answer=None) if meaning.intent == Intent.NOD and not waiting else said


def _decline(meaning: TextMeaning, sender: Sender) -> Effect:
    pool, where = sender.reminded or list(sender.ahead), meaning.pointing
    if _bare(meaning) in _BARE_NO and not sender.reminded:
        return Effect(Intent.OTHER, Answer.OTHER)
    if where.names_one:
        named = [each for each in sender.ahead if where.fits(each.wall)]
        if len(named) == 1:
            return _said(Kind.DECLINE, tuple(named), sender)
        pool = named or pool
    if where.both and pool:
        return _said(Kind.DECLINE, tuple(pool), sender)
    if len({each.patient for each in pool}) > 1:
        return _which(Kind.DECLINE, pool)
    return _said(Kind.DECLINE, tuple(pool[:1]), sender)


def _which(kind: Kind, pool: Sequence[Ahead]) -> Effect:
    """Ask which of several sessions is meant; those at one and the same time nobody can tell apart by text."""
    intent = Intent.DECLINE if kind is Kind.DECLINE else Intent.OTHER
    flags = frozenset({Flag.ASKED_WHICH})
    if len({each.wall for each in pool}) < len(pool):
        return Effect(intent, Answer.DECLINED_ANY if kind is Kind.DECLINE else Answer.OTHER, flags=flags)
    return Effect(intent, Answer.WHICH, others=tuple(pool), asks=Question(kind, tuple(pool)), flags=flags)


def _said(kind: Kind, sessions: tuple[Ahead, ...], sender: Sender, *, settles: bool = False) -> Effect:
    if kind is Kind.DECLINE:
        answer = Answer.DECLINED if len(sessions) == 1 else Answer.DECLINED_ANY
        return Effect(Intent.DECLINE, answer, sessions, settles=settles)
    if len(sessions) > 1:
        return Effect(Intent.CONFIRM, Answer.CONFIRMED_SEVERAL, sessions, sessions, settles=settles)
    mine = sessions[0].patient
    chosen = {each.session for each in sessions}
    left = tuple(
        each for each in sender.reminded if each.patient == mine and not each.agreed and each.session not in chosen
    )
    answer = Answer.CONFIRMED_LEFT if left else Answer.CONFIRMED
    return Effect(Intent.CONFIRM, answer, sessions, left, settles=settles)
