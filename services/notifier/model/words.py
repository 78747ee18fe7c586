"""A text as words: in lower case, without accents and signs, split into clauses, common misspellings set right."""

import re
import unicodedata
from functools import lru_cache
from typing import Final


def phrases(text: str) -> frozenset[str]:
    """Return the words and phrases of a list that is written with commas."""
    return frozenset(filter(None, (" ".join(part.split()) for part in text.split(","))))


_ENDS: Final = re.compile(r"[.!?;:,\n()\"“”«»…/]+|\s[-–—]+\s")  # noqa: RUF001 - what phones send
_SPELLED_OUT: Final = re.compile(r"\b(?:[a-z0]\W{1,3}){2,}[a-z]\b", re.IGNORECASE)
_STRETCHED: Final = re.compile(r"(.)\1{2,}")
_ZERO: Final = re.compile(r"(?<=[a-z])0(?=[a-z]|$)")
_GLUED: Final = re.compile(
    r"(?:pls|plz|please)?stop+(?:\d*(?:quit|end)|now|it|this|that|all|please|pls|plz|sms|me|texts?|txts?"
    r"|texting(?:me)?"
    r"|messages?|messaging|msgs?|\d+)?(?:please|pls|plz|now)?"
)
_DRAWLED: Final = re.compile(r"s+t+(?:a+h+|a+w+|o+h+|a+u+)p+")
_NO_SLIPS: Final = phrases("""
    stoop, step, steps, shop, shops, top, tops, stow, slop, atop, sop, stomp, scop, strop, stops, swop, stoup,
    drop, stock, store, story, stay, spot, spots, post, posts, sto, estop, pots, opts, sport
""")
"""Words a letter away from STOP that mean something else."""
_SLIPS: Final = frozenset(
    {"stp", "stpp", "sotp", "tsop", "stpo", "sopt", "osp", "sttop", "sstop", "stoo", "spto", "stop"}
)
_SAME: Final = {
    **dict.fromkeys(("txt", "tex", "txet", "testo"), "text"),
    **dict.fromkeys(
        ("txts", "textes", "msg", "msgs", "sms", "mesages", "messges", "messeges", "msgz", "texs"), "texts"
    ),
    **dict.fromkeys(
        (
            "textin",
            "txting",
            "txtin",
            "txtng",
            "texing",
            "textting",
            "tectig",
            "texring",
            "textng",
            "tecting",
            "txtn",
            "textn",
        ),
        "texting",
    ),
    **dict.fromkeys(("messagin", "messageing", "msging", "mesaging", "msgin"), "messaging"),
    **dict.fromkeys(("sendin", "sendig", "sending"), "sending"),
    **dict.fromkeys(("u", "yall", "yous"), "you"),
    **dict.fromkeys(("ur", "youre"), "your"),
    **dict.fromkeys(("dont", "dnt", "dnot", "donot", "dint", "donut", "dosnt"), "dont"),
    **dict.fromkeys(("cant", "cannot", "cnt", "cantt"), "cant"),
    **dict.fromkeys(("wont", "wnt"), "wont"),
    **dict.fromkeys(("pls", "plz", "plese", "pleas", "plase", "pleasee", "plss", "plzz", "ples"), "please"),
    **dict.fromkeys(("recieve", "receve", "recive"), "receive"),
    **dict.fromkeys(
        phrases("""
            unsub, unsuscribe, unsubcribe, unsubscibe, unsubscrib, unsubribe, unscribe, unsubscribed, unsubscribeme,
            unsubscript, desuscribir, desuscribirme, desuscribame, unsubscride
        """),
        "unsubscribe",
    ),
    **dict.fromkeys(("cancle", "cancell", "cansel", "cancal", "cancelled", "canceled", "cancelling"), "cancel"),
    **dict.fromkeys(("comfirm", "confrim", "confrm", "conferm", "cofirm", "confirme", "confim"), "confirm"),
    **dict.fromkeys(
        ("appt", "apt", "appointmnt", "apointment", "appoinment", "appointmet", "apptmt", "appts"), "appointment"
    ),
    **dict.fromkeys(("mensage", "mensages", "msj", "msjs", "mensaje", "mensajitos", "mensjes", "sms"), "mensajes"),
    **dict.fromkeys(("xfavor", "porfa", "porfavor", "porfis", "pf"), "favor"),
    **dict.fromkeys(("q", "ke", "k"), "que"),
    **dict.fromkeys(("kiero", "qiero"), "quiero"),
    "vaja": "baja",
    "w": "with",
    "wanna": "want",
    "gimme": "give",
    **dict.fromkeys(("vasta", "bastaa", "bastaya"), "basta"),
    **dict.fromkeys(("aLto", "atlo", "halto"), "alto"),
    **dict.fromkeys(("tmrw", "tmw", "tomorow", "tommorow", "tmr"), "tomorrow"),
    **dict.fromkeys(("thx", "thnx", "tks", "ty", "tanks", "thankyou", "thnks"), "thanks"),
}
_JOINED: Final = (
    (re.compile(r"\b(do|can|wo|is|are|did|does|was)\s?n?[']\s?t\b"), r"\1nt"),
    (re.compile(r"\bdo not\b"), "dont"),
    (re.compile(r"\bdo nt\b"), "dont"),
    (re.compile(r"\bcan not\b"), "cant"),
    (re.compile(r"\bwill not\b"), "wont"),
    (re.compile(r"\bcannt\b"), "cant"),
    (re.compile(r"\bwont\b"), "wont"),
    (re.compile(r"\bdonnt\b"), "dont"),
    (re.compile(r"\bi[']?m\b"), "im"),
    (re.compile(r"\bi am\b"), "im"),
    (re.compile(r"\bpor fa\b"), "favor"),
    (re.compile(r"\b(dej\w+|darme|denme|deme|dame|dar|doy|par\w+|mas) d\b"), r"\1 de"),
    (re.compile(r"\bi[']ll\b"), "ill"),
)

_CLIPPED: Final = phrases(
    "contactin, botherin, harassin, spammin, annoyin, buggin, callin, comin, runnin, goin, receivin, gettin"
)
"""Words that lost their last letter."""


def clauses(text: str) -> list[list[str]]:
    """Return the words of each clause of a text, in order; a clause without words is left out."""
    plain = _without_accents(_unspaced(text))
    for pattern, joined in _JOINED:
        plain = pattern.sub(joined, plain)
    found = [[_word(word) for word in re.findall(r"\w+", part)] for part in _ENDS.split(plain)]
    return [words for words in found if words]


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(part for part in decomposed if not unicodedata.combining(part))


def _unspaced(text: str) -> str:
    """Join letters that stand alone: `S T O P`, `s-t-o-p`."""
    return _SPELLED_OUT.sub(lambda found: re.sub(r"\W", "", found[0]), text)


@lru_cache(4096)
def _word(word: str) -> str:
    plain = _ZERO.sub("o", word)
    plain = _SAME.get(plain, plain)
    if is_stop(plain):
        return "stop"
    once = _STRETCHED.sub(r"\1", plain)
    return _SAME.get(once, f"{once}g" if once in _CLIPPED else once)


def is_stop(word: str) -> bool:
    """Tell whether a word is STOP, also stretched, glued to another word or one slip of the thumb away."""
    if (
        word in _SLIPS
        or _DRAWLED.fullmatch(word)
        or _GLUED.fullmatch(word)
        or _GLUED.fullmatch(_STRETCHED.sub(r"\1", word))
    ):
        return True
    return word.isalpha() and word not in _NO_SLIPS and _one_slip(re.sub(r"(.)\1+", r"\1", word), "stop")


def _one_slip(word: str, meant: str) -> bool:
    """Tell whether one letter was replaced, added or swapped with its neighbour; a first letter is not left out."""
    if len(word) == len(meant):
        odd = [place for place in range(len(meant)) if word[place] != meant[place]]
        if len(odd) == 1:
            return word[odd[0]] in _NEIGHBOURS[meant[odd[0]]]
        swapped = len(odd) == _PAIR and odd[1] == odd[0] + 1
        return swapped and word[odd[0]] == meant[odd[1]] and word[odd[1]] == meant[odd[0]]
    if len(word) == len(meant) + 1:
        return any(
            word[:place] + word[place + 1 :] == meant and _is_near(word, place, meant) for place in range(len(word))
        )
    return False


def _is_near(word: str, place: int, meant: str) -> bool:
    beside = {letter for letter in word[max(0, place - 1) : place + 2] if letter in meant}
    return any(word[place] in _NEIGHBOURS[letter] for letter in beside)


_PAIR: Final = 2
_NEIGHBOURS: Final = {"s": "adwezx", "t": "ryfg5", "o": "ipkl0", "p": "ol0"}
"""Keys beside each letter of STOP."""
