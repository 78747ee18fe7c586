"""What a patient's text means.

The provider acts on single words alone ("STOP PLEASE" passes through to us), while a person may end texts by any
reasonable means (FCC, since 2025-04-11): so free text is read here too. CANCEL is a word for STOP and never cancels a
session. Words of crisis are not looked for: a filter that is sometimes right would be a promise it cannot keep.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Intent(StrEnum):
    """What a text asks for. `agree` is YES: START from someone who had said stop, otherwise a way to confirm."""

    CONFIRM = "confirm"
    STOP = "stop"
    START = "start"
    HELP = "help"
    AGREE = "agree"
    OTHER = "other"


@dataclass(frozen=True)
class Reading:
    """A text's meaning.

    Attributes:
        by_provider: whether the provider acts on this very text and answers it itself.
    """

    intent: Intent
    by_provider: bool = False


_PROVIDER_STOP: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_PROVIDER_START: Final = frozenset({"START", "YES", "UNSTOP"})
_PROVIDER_HELP: Final = frozenset({"HELP", "INFO"})

_STOP: Final = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
    | {"opt out", "stop all", "opt me out", "remove me"}
    | {"alto", "para", "pare", "paren", "parar", "basta", "baja", "cancelar", "detener", "salir"}
    | {"no mas", "ya no", "dar de baja", "darme de baja"}
)
_START: Final = frozenset(("start", "unstop", "start again", "empezar", "comenzar", "reanudar"))
_AGREE: Final = frozenset(("yes", "si"))
_HELP: Final = frozenset(("help", "info", "ayuda", "informacion"))
_CONFIRM: Final = frozenset(
    ("c", "confirm", "confirmed", "i confirm", "confirmo", "confirmar", "confirmado", "confirmada", "si confirmo")
)
_POLITE: Final = frozenset(
    {"please", "pls", "plz", "thanks", "thank", "you", "now", "ok", "okay", "hi", "hello"}
    | {"por", "favor", "porfavor", "gracias", "hola"}
)

_MESSAGES: Final = r"(?:texts?|texting|messages?|messaging|msgs?|sms|mensajes?|textos?)"
_STOP_PHRASES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        (
            r"\b(?:stop|quit|end|cancel) "
            rf"(?:(?:all|the|these|those|your|sending|me|my|with|any|more|so|many|much|of) )*{_MESSAGES}\b"
        ),
        r"\b(?:stop|quit) (?:contacting|messaging|writing) me\b",
        rf"\b(?:do not|don t|dont|never) (?:(?:want|to|get|receive|send|me|any|more|these|your) )*{_MESSAGES}\b",
        rf"\bno longer (?:want|wish) (?:(?:to|get|receive|any|more|these|your) )*{_MESSAGES}\b",
        r"\b(?:do not|don t|dont|never) (?:contact|write) me\b",
        rf"\bno (?:more|mas) {_MESSAGES}\b",
        r"\bunsubscribe\b",
        r"\bopt (?:me )?out\b",
        r"\b(?:remove me|take me off|remove my number|delete my number)\b",
        r"\b(?:leave me alone|lose my number)\b",
        r"\bwrong (?:number|person)\b",
        r"\bno me (?:escriba|mande|envie|textee|contacte)[ns]?\b",
        r"\bdejen? de (?:escribir|mandar|enviar|textear|contactar)(?:me)?\b",
        rf"\bno (?:quiero|deseo) (?:(?:recibir|mas|sus|estos|los) )*{_MESSAGES}\b",
        rf"\bpar(?:a|e|en) (?:de|con) (?:(?:mandar|mandarme|enviar|enviarme|los|sus|estos) )*{_MESSAGES}\b",
        r"\bpar(?:a|e|en) de (?:escribirme|mandarme|enviarme|contactarme)\b",
        r"\b(?:darme|denme|deme) de baja\b",
        r"\bnumero equivocado\b",
    )
)
_NEGATED_STOP: Final = re.compile(
    r"\b(?:do not|don t|dont|never|please not|no) (?:stop|quit|unsubscribe|dejen? de|pare?n?)\b"
)


def read(text: str) -> Reading:
    """Return what a text asks for."""
    word = text.strip().upper()
    if word in _PROVIDER_STOP:
        return Reading(Intent.STOP, by_provider=True)
    if word in _PROVIDER_START:
        return Reading(Intent.AGREE if word == "YES" else Intent.START, by_provider=True)
    if word in _PROVIDER_HELP:
        return Reading(Intent.HELP, by_provider=True)
    return Reading(_read_free(_normal(text)))


def _read_free(words: str) -> Intent:
    core = " ".join(word for word in words.split() if word not in _POLITE)
    for intent, phrases in (
        (Intent.STOP, _STOP),
        (Intent.START, _START),
        (Intent.HELP, _HELP),
        (Intent.CONFIRM, _CONFIRM),
        (Intent.AGREE, _AGREE),
    ):
        if core in phrases:
            return intent
    if core and set(core.split()) <= {"stop"}:
        return Intent.STOP
    if _NEGATED_STOP.search(words) is None and any(phrase.search(words) for phrase in _STOP_PHRASES):
        return Intent.STOP
    return Intent.OTHER


def _normal(text: str) -> str:
    """Return a text in lower case, without accents and punctuation, single spaces between words."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    letters = "".join(part for part in decomposed if not unicodedata.combining(part))
    return " ".join(re.sub(r"[^\w]+", " ", letters).split())
