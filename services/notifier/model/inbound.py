"""What a person's text means.

The provider acts on single words alone ("STOP PLEASE" passes through to us), while a person may end texts by any
reasonable means (FCC, since 2025-04-11): so free text is read here too. CANCEL is a word for STOP by the carriers' rule
and cancels no session; staff see that it may have meant one.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from services.notifier.model import session_answers, stopping
from services.notifier.model.session_answers import Agreement, Pointing, pointing
from services.notifier.model.stopping import Stop
from services.notifier.model.words import clauses, phrases
from services.notifier.model.written import Reaction, written


class Intent(StrEnum):
    """What a text asks for.

    `agree` is YES: START from someone who had said stop, otherwise a way to confirm. `nod` is a lighter yes (`ok`, a
    thumb) which never brings texts back. `doubt` may mean stop.
    """

    CONFIRM = "confirm"
    DECLINE = "decline"
    STOP = "stop"
    DOUBT = "doubt"
    START = "start"
    HELP = "help"
    AGREE = "agree"
    NOD = "nod"
    REACTION = "reaction"
    WRONG_NUMBER = "wrong-number"
    OTHER = "other"


class Flag(StrEnum):
    """What else was seen in a text; shown to staff."""

    MAY_MEAN_SESSION = "may-mean-visit"
    DISLIKE = "dislike"
    RUNNING_LATE = "running-late"
    QUESTION = "question"
    PICTURE = "picture"
    AUTOMATIC = "automatic"
    OVERTAKEN = "overtaken"
    ASKED = "asked"
    ASKED_WHICH = "asked-which"
    REPEATED = "repeated"
    CRISIS = "crisis"
    UNANSWERED = "unanswered"


@dataclass(frozen=True)
class TextMeaning:
    """A text's meaning.

    Attributes:
        by_provider: whether the provider acts on this very text by itself.
        answered: whether it says that it did, and so has answered.
        ends_texts: whether it ends texts, whatever else it says.
        words: what its sender wrote of it.
    """

    intent: Intent
    by_provider: bool = False
    answered: bool = False
    ends_texts: bool = False
    flags: frozenset[Flag] = frozenset()
    pointing: Pointing = field(default_factory=Pointing)
    words: str = ""


_PROVIDER_STOP: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_PROVIDER_START: Final = frozenset({"START", "YES", "UNSTOP"})
_PROVIDER_HELP: Final = frozenset({"HELP", "INFO"})
_VERDICTS: Final = {"STOP": Intent.STOP, "START": Intent.START, "HELP": Intent.HELP}

_START: Final = phrases("""
    start, unstop, start again, start texts, start texting, start texting me, start texting me again, resume,
    resubscribe, subscribe, empezar, comenzar, reanudar, iniciar, opt in, optin, restart
""")
_HELP: Final = frozenset(("help", "info", "ayuda", "informacion", "help me", "ayudame", "information"))
_POLITE: Final = frozenset(
    (
        "please",
        "thanks",
        "thank",
        "you",
        "now",
        "ok",
        "okay",
        "hi",
        "hello",
        "por",
        "favor",
        "gracias",
        "hola",
        "si",
        "yes",
    )
)
_AGREED: Final = {Agreement.CONFIRM: Intent.CONFIRM, Agreement.YES: Intent.AGREE, Agreement.NOD: Intent.NOD}
_CANCEL: Final = frozenset({"cancel", "cancelar", "cancelo", "cancela", "cancele"})
_WRONG: Final = re.compile(
    r"\b(?:wrong (?:number|person|num|guy|phone|cell|contact)|wrong #|numero (?:equivocado|incorrecto|erroneo)"
    r"|(?:se )?equivoc\w+ de (?:numero|persona)|persona equivocada|(?:this|it) (?:isnt|is not) (?:his|her"
    r"|their|that"
    r" persons) (?:number|phone)|no (?:one|body) (?:here )?(?:by|with) that name|(?:este|esto) no es (?:su"
    r"|el) (?:numero"
    r"|telefono) de)\b"
)
_NOT_WRONG: Final = re.compile(
    r"\b(?:gave|give|called|call|dialed|have) (?:\w+ ){0,3}wrong number (?:for|to|before|earlier)"
    r"|\bmy (?:\w+ )?wrong\b|\bi (?:gave|called|dialed|put|wrote)\b"
)
_NOT_THEM: Final = re.compile(
    r"\b(?:this is(?: not|n't)|i'?m not|i am not|i don't know (?:an?y? )?|no soy|no conozco a(?: ning[uú]n)?"
    r"|aqu[ií] no (?:vive|hay)(?: ning[uú]n)?) (?P<name>[A-ZÁÉÍÓÚÑ][\w'-]+)"
)
_NO_NAMES: Final = re.compile(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|ok|i|the|my|a|an|stop|covid|english|spanish|american|coming",
    re.IGNORECASE,
)
_AUTOMATIC: Final = re.compile(
    r"do not disturb|driving focus|i'?m driving|auto(?:matic)?[- ]?(?:reply|response|respuesta)"
    r"|automated (?:reply|response|message)|out of (?:the )?office|on vacation until|respuesta autom"
    r"|estoy conduciendo|estoy manejando|no molestar|fuera de (?:la )?oficina"
    r"|this (?:number|mailbox|inbox) is not monitored|currently unavailable|sent from my car"
    r"|will (?:get back|reply|respond) (?:to you )?(?:later|when|as soon)|i can'?t (?:talk|answer) right now",
    re.IGNORECASE,
)


def verdict_of(values: Sequence[str]) -> Intent | None:
    """Return what the provider says that it took a text for; where it says more than one thing, STOP wins."""
    said = {_VERDICTS[value.strip().upper()] for value in values if value.strip().upper() in _VERDICTS}
    return next((intent for intent in (Intent.STOP, Intent.START, Intent.HELP) if intent in said), None)


def meaning_of(
    text: str, *, verdict: Intent | None = None, media: int = 0, without_ours: Callable[[str], str] = lambda text: text
) -> TextMeaning:
    """Return what a text asks for.

    Args:
        text: as it came.
        verdict: what the provider took it for, where it says so; its own word wins, for it has acted by it.
        media: how many pictures or files came with it.
        without_ours: takes the words that we send out of a text.
    """
    own = written(text, without_ours)
    meaning = _meaning_of(text, own.words, own.reaction, quoted=own.quoted)
    flags = set(meaning.flags)
    if media:
        flags.add(Flag.PICTURE)
    if meaning.intent == Intent.OTHER and "?" in own.words:
        flags.add(Flag.QUESTION)
    if own.reaction == Reaction.AGAINST:
        flags.add(Flag.DISLIKE)
    intent, by_provider, ends = meaning.intent, meaning.by_provider, meaning.ends_texts
    if verdict is not None:
        # To the provider YES is START, whatever was asked: it brings texts back only where there was a stop.
        yes = verdict == Intent.START and meaning.intent == Intent.AGREE
        intent, by_provider, ends = meaning.intent if yes else verdict, True, verdict == Intent.STOP
    return TextMeaning(
        intent=intent,
        by_provider=by_provider,
        answered=verdict is not None,
        ends_texts=ends,
        flags=frozenset(flags),
        pointing=meaning.pointing,
        words=own.words,
    )


def _meaning_of(text: str, words: str, reaction: Reaction | None, *, quoted: bool) -> TextMeaning:
    if not words:
        return TextMeaning(Intent.REACTION if reaction is not None or quoted else Intent.OTHER)
    keyword = _keyword(text.strip().upper())
    if keyword is not None:
        return keyword
    if _AUTOMATIC.search(words):
        return TextMeaning(Intent.OTHER, flags=frozenset({Flag.AUTOMATIC}))
    parts = clauses(words)
    return _about_texts(words, parts) or _about_sessions(words, parts)


def _keyword(word: str) -> TextMeaning | None:
    """Return what a single word means by which the provider acts."""
    if word in _PROVIDER_STOP:
        flags = frozenset({Flag.MAY_MEAN_SESSION} if word == "CANCEL" else ())
        return TextMeaning(Intent.STOP, by_provider=True, ends_texts=True, flags=flags)
    if word in _PROVIDER_START:
        return TextMeaning(Intent.AGREE if word == "YES" else Intent.START, by_provider=True)
    return TextMeaning(Intent.HELP, by_provider=True) if word in _PROVIDER_HELP else None


def _about_texts(words: str, parts: Sequence[Sequence[str]]) -> TextMeaning | None:
    """Return what a text says about texts and numbers; None where it says nothing of them, or leaves it open."""
    core = " ".join(word for clause in parts for word in clause if word not in _POLITE)
    if core in _START | _HELP:
        return TextMeaning(Intent.START if core in _START else Intent.HELP)
    stop, declined = stopping.asks_to_stop(parts, words), session_answers.declines(parts, words)
    flags = frozenset({Flag.MAY_MEAN_SESSION} if core in _CANCEL or (declined and stop is Stop.YES) else ())
    if _is_wrong_number(words, parts):
        return TextMeaning(Intent.WRONG_NUMBER, ends_texts=stop is Stop.YES)
    if core in _CANCEL and len(words.split()) > 1:
        return TextMeaning(Intent.DOUBT, flags=flags)
    if stop is Stop.YES:
        return TextMeaning(Intent.STOP, ends_texts=True, flags=flags)
    return TextMeaning(Intent.DOUBT) if stop is Stop.ASK and not declined else None


def _about_sessions(words: str, parts: Sequence[Sequence[str]]) -> TextMeaning:
    where = pointing(parts, words)
    agreed = session_answers.answered(parts, words)
    if agreed is not None:
        return TextMeaning(_AGREED[agreed], pointing=where)
    if session_answers.declines(parts, words):
        return TextMeaning(Intent.DECLINE, pointing=where)
    late = frozenset({Flag.RUNNING_LATE} if session_answers.is_late(parts) else ())
    return TextMeaning(Intent.OTHER, flags=late, pointing=where)


def _is_wrong_number(words: str, parts: Sequence[Sequence[str]]) -> bool:
    plain = " ".join(" ".join(clause) for clause in parts)
    if _WRONG.search(plain):
        return not _NOT_WRONG.search(plain)
    found = _NOT_THEM.search(words[:1].lower() + words[1:])
    return found is not None and not _NO_NAMES.fullmatch(found["name"])
