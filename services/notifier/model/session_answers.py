"""Yes or no to a visit, and to which one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from services.notifier.model.words import phrases

_CONFIRM: Final = frozenset(
    (
        "c",
        "confirm",
        "confirmed",
        "confirming",
        "confirmo",
        "confirmar",
        "confirmado",
        "confirmada",
        "confirmamos",
        "cc",
    )
)
_CONFIRM_PHRASES: Final = phrases("""
    ill be there, i will be there, see you then, see you there, ill come, i will come, be there, im coming,
    ahi estare, alli estare, ahi nos vemos, si voy, asistire, ahi estaremos, count me in, well be there,
    nos vemos, see you, will be there, ire, voy, ill see you then, si ire, estare ahi, estare alli
""")
_YES: Final = frozenset(("yes", "si"))
_NOD: Final = phrases("""
    y, yep, yeah, yup, ya, yea, yess, ok, okay, okey, k, kk, oki, okie, sure, sip, claro, vale, dale, bueno,
    perfecto, perfect, great, good, sounds, got, it, will, do, fine, works, acuerdo, bien, esta, listo, simon,
    yeap, absolutely, definitely, of, course, alright, right
""")
_NOD_NEEDS: Final = _NOD - {
    "it",
    "will",
    "do",
    "of",
    "course",
    "sounds",
    "esta",
    "bien",
    "acuerdo",
    "good",
    "right",
    "got",
    "works",
}
_NOD_PHRASES: Final = frozenset(
    ("sounds good", "got it", "will do", "of course", "works", "good", "esta bien", "bien", "de acuerdo", "muy bien")
)
_NODDING: Final = re.compile(r"[👍👌✅☑✔🆗🙆💯]")
_SHAKING: Final = re.compile(r"[👎❌🙅]")
_SMALL: Final = phrases("""
    please, thanks, thank, you, now, hi, hello, por, favor, gracias, hola, so, much, very, i, we, for, to, on,
    at, the, my, la, el, las, los, a, de, para, mi, que, en, visit, visits, appointment, appointments, session,
    sessions, cita, citas, sesion, mucha, muchas, muchisimas, and, y, un, una, am, pm, m, p, oclock, one, then,
    it, that, this, les, lo
""")
_BOTH: Final = frozenset({"both", "all", "ambas", "ambos", "todas", "todos", "dos", "everything"})
_WEEKDAYS: Final = (
    ("monday", "mon", "lunes", "lun", "mondays"),
    ("tuesday", "tue", "tues", "martes", "mar", "tuseday"),
    ("wednesday", "wed", "weds", "miercoles", "mie", "wensday", "wednsday"),
    ("thursday", "thu", "thur", "thurs", "jueves", "jue", "thrusday"),
    ("friday", "fri", "viernes", "vie"),
    ("saturday", "sat", "sabado", "sab"),
    ("sunday", "sun", "domingo", "dom"),
)
_DAY_OF: Final = {word: number for number, words in enumerate(_WEEKDAYS) for word in words}
_TIME: Final = re.compile(r"(?<![\d:])(\d{1,2})(?:[:.h](\d{2}))?\s*(a\.?\s?m|p\.?\s?m|am|pm)?\b", re.IGNORECASE)
_NOON: Final = 12

_NO: Final = phrases("""
    no, n, nope, nah, na, no thanks, no thank you, no gracias, not coming, cant, no puedo, nel, negative,
    no way, no can do, sorry no, no sorry, no i cant, no lo siento, lo siento no, no ire
""")
_SESSION_WORD: Final = r"(?:appointments?|visits?|sessions?|treatments?|citas?|sesion|sesiones|visitas?|slot|time)"
_DECLINES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        (
            r"\b(?:cant|wont|not able to|unable to|not going to|not gonna|wouldnt be able to|couldnt"
            r"|dont think i can"
            r"|will not|not be able to|cannot) (?:be able to |actually |even |really )?(?:come|make|make it"
            r"|be there"
            r"|be in|attend|go|get there|show|do it|keep|be coming|be making)\b"
        ),
        (
            r"\bcant (?:today|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday|anymore|do (?:it|today"
            r"|tomorrow|monday|tuesday|wednesday|thursday|friday))\b"
        ),
        rf"\b(?:cancel|reschedule|move|change|postpone|skip|miss|rebook|push)(?:ing)? (?:\w+ ){{0,3}}{_SESSION_WORD}\b",
        (
            r"\b(?:have|need|got|want|gotta|would like|must|like|going|wanted|wanna|trying|forced) (?:to )?(?:cancel"
            r"|reschedule|postpone|skip|rebook)\b"
        ),
        (
            r"\b(?:cancel|reschedule|postpone) (?:for |on |my |the |it |me )*(?:today|tomorrow|monday|tuesday|wednesday"
            r"|thursday|friday|saturday|sunday|it|me|us|please)\b"
        ),
        r"\b(?:can|could|may) (?:i|we|you) (?:please )?(?:cancel|reschedule|postpone|move it|change it)\b",
        r"^(?:please )?(?:reschedule|cancel please|please cancel)$",
        (
            r"\b(?:im|we are|were|is|will be) not coming\b|^not coming\b|\bnot going to be there\b"
            r"|\bno longer coming\b"
        ),
        (
            r"\bno (?:puedo|podre|podremos|podria|voy a poder|vamos a poder)(?: a)? (?:ir|llegar|asistir|venir"
            r"|presentarme"
            r"|hoy|manana|estar)\b"
        ),
        r"\bno (?:ire|voy|vengo|podre|asistire|llegare|vendre|voy a ir|voy a llegar|vamos)\b(?! a (?:parar|dejar))",
        (
            rf"\b(?:cancel(?:ar|e|en|o|ame|arla|enme)|cambi(?:ar|e|en|o)|mover|mueva|posponer|reagendar|reprogramar"
            rf"|aplazar|anular) (?:\w+ ){{0,3}}{_SESSION_WORD}\b"
        ),
        (
            r"\b(?:tengo que|quiero|necesito|quisiera|debo|me toca|puedo) (?:cancelar|cancelarla|cambiar|reagendar"
            r"|reprogramar|posponer|mover|cambiarla)\b"
        ),
    )
)
_NOT_MEANT: Final = re.compile(
    r"\b(?:dont|not|never|no) (?:want to |need to |quiero |voy a )?(?:cancel|reschedule|cancelar|cambiar)\b"
    r"|\bcancel(?:lation)? (?:policy|fee|charge)\b"
)
_LATE: Final = re.compile(
    r"\b(?:running|be|am|im|gonna be|little|bit|ill be|mins?|minutes?) (?:a (?:little|bit|few) (?:bit )?)?late\b"
    r"|\b(?:stuck|held up) in traffic\b|\btraffic\b|\blate for\b|\brunning behind\b|\bon my way\b"
    r"|\b(?:tarde|retrasad[oa]|retraso|trafico|en camino|atrasad[oa])\b"
)


@dataclass(frozen=True)
class Pointing:
    """Which visits a text names.

    Attributes:
        number: of a choice that was offered.
        weekdays: Monday is 0.
        times: of the day, each as it may be meant: 10:30 without a word for the half of the day.
    """

    both: bool = False
    number: int | None = None
    weekdays: frozenset[int] = frozenset()
    times: frozenset[time] = frozenset()

    @property
    def names_one(self) -> bool:
        """Tell whether a day or a time is named."""
        return bool(self.weekdays or self.times)

    def fits(self, wall: datetime) -> bool:
        """Tell whether a visit at this wall time is named."""
        return (not self.weekdays or wall.weekday() in self.weekdays) and (not self.times or wall.time() in self.times)


class Agreement:
    """What a text may say to a reminder."""

    CONFIRM = "confirm"
    YES = "yes"
    NOD = "nod"


def answered(parts: Sequence[Sequence[str]], text: str) -> str | None:
    """Return how a text that says nothing else agrees to a visit; None where it does not, or says more."""
    words = [word for clause in parts for word in clause]
    if not words:
        return Agreement.NOD if _NODDING.search(text) and not _SHAKING.search(text) else None
    said = " ".join(words)
    rest = [word for word in words if not _names(word)]
    core = [word for word in rest if word not in _SMALL or word == "y"]
    agrees = [word for word in core if word in _CONFIRM | _YES | _NOD]
    if " ".join(core) in _CONFIRM_PHRASES or " ".join(rest) in _CONFIRM_PHRASES or said in _CONFIRM_PHRASES:
        return Agreement.CONFIRM
    if said in _NOD_PHRASES or " ".join(rest) in _NOD_PHRASES:
        return Agreement.NOD
    if not core or len(agrees) != len(core):
        return None
    kinds = ((Agreement.CONFIRM, _CONFIRM), (Agreement.YES, _YES), (Agreement.NOD, _NOD_NEEDS))
    return next((kind for kind, among in kinds if set(core) & among), None)


def declines(parts: Sequence[Sequence[str]], text: str) -> bool:
    """Tell whether a text says that its sender may not come."""
    said = [" ".join(clause) for clause in parts]
    if not said:
        return bool(_SHAKING.search(text))
    whole = " ".join(word for word in " ".join(said).split() if word not in _NEUTRAL)
    if whole in _NO or " ".join(said) in _NO:
        return True
    joined = [*said, " ".join(said)] if len(said) == 1 else said
    return any(pattern.search(clause) and not _NOT_MEANT.search(clause) for clause in joined for pattern in _DECLINES)


_NEUTRAL: Final = frozenset({"sorry", "hi", "hello", "hey", "hola", "lo", "siento", "perdon", "disculpe", "please"})


def is_late(parts: Sequence[Sequence[str]]) -> bool:
    """Tell whether a text says that its sender comes later."""
    return any(_LATE.search(" ".join(clause)) for clause in parts)


def pointing(parts: Sequence[Sequence[str]], text: str) -> Pointing:
    """Return which visits a text names."""
    words = [word for clause in parts for word in clause]
    alone = re.fullmatch(r"\W*(\d)\W*", text)
    return Pointing(
        both=bool(set(words) & _BOTH),
        number=int(alone[1]) if alone else None,
        weekdays=frozenset(_DAY_OF[word] for word in words if word in _DAY_OF),
        times=frozenset() if alone else frozenset(one for found in _TIME.finditer(text) for one in _times(found)),
    )


def _times(found: re.Match[str]) -> list[time]:
    hour, minute = int(found[1]), int(found[2] or 0)
    half = (found[3] or "").replace(".", "").replace(" ", "").lower()
    if hour > 23 or minute > 59:  # noqa: PLR2004 - a clock's
        return []
    if half:
        return [time(hour % _NOON + (_NOON if half == "pm" else 0), minute)]
    # Without a word for the half of the day either may be meant.
    return [time(hour, minute)] if hour > _NOON else [time(hour % _NOON, minute), time(hour % _NOON + _NOON, minute)]


def _names(word: str) -> bool:
    return (
        word in _DAY_OF or word in _BOTH or word.isdecimal() or re.fullmatch(r"\d{1,2}(?:am|pm|a|p)?", word) is not None
    )
