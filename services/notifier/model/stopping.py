"""Does a person want no more texts? Yes, no, or ask.

A person may end texts by any reasonable means (FCC, since 2025-04-11), so free text is read; but a sentence about
something else that happens to hold the words ends nothing. Each clause is judged by itself, so that no order is made of
the end of one sentence and the beginning of the next. Where it stays unclear one question is asked.
"""

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from services.notifier.model import hints
from services.notifier.model.words import is_stop, phrases


class Stop(IntEnum):
    """What a text says about texts; the higher wins."""

    NO = 0
    ASK = 1
    YES = 2


_TEXTS: Final = (
    r"(?:texts?|texting|texted|messages?|messaging|mensajes?|textos?|notifications?|notificaciones|alerts?"
    r"|reminders?"
    r"|recordatorios?|automated texts?|updates|spam|spamming)"
)
_BETWEEN: Final = (
    r"(?:(?:all|the|these|those|this|that|your|sending|send|to|me|my|us|with|any|more|so|many|much|of"
    r"|fucking|damn) )*"
)
_PLAIN: Final = phrases("""
    i, said, just, please, now, it, this, that, already, ok, okay, all, everything, hey, hi, hello, asap,
    immediately, again, told, you, thanks, thank, favor, por, gracias, hola, right, away, today, yes, no,
    ya, ahora, omg, ffs, wtf, sir, madam, guys, everyone, forever, permanently, kindly, got, damn, god,
    seriously, really, so, and, once, for, good, dije, les, le, que, esto, eso, todo, mismo, inmediatamente,
    digo, si, de, una, vez, me, repeat, repeating, means, saying, keep, am, im, we, must, with, sorry, bro
""")
_PERHAPS: Final = phrases("""
    want, to, can, could, would, will, need, like, should, dont, how, do, a, is, my, lets, quiero, puede,
    pueden, podria, podrian, necesito, deseo, como, or, what, if, word, reply
""")
_ALONE: Final = phrases("""
    end all, quit all, cancel all, stop, stopall, stop all, unsubscribe, quit, end, revoke, optout, opt out,
    opt me out, cancel, remove me,
    estop, remove, remove my number, delete my number, delete me, no more, no mas, ya no, ya no mas, alto, para, pare,
    paren, parar, basta, ya basta, baja, cancelar, detener, salir, detenga, detengan, detente, deten,
    detengase, detenganse, parale, parenle, dar de baja, darme de baja, denme de baja, dame de baja, deme de baja,
    anular suscripcion, eliminar, borrar, eliminarme, borrarme, quitar, take me off, leave me alone,
    dejenme en paz, dejeme en paz, not interested stop, desuscribir, stop it, no me molesten, no me moleste,
    cancelar suscripcion, suspender, suspendan, ya paren, ya paren por favor
""")
_ALONE_IN_A_CLAUSE: Final = _ALONE - {
    "end",
    "quit",
    "cancel",
    "para",
    "baja",
    "cancelar",
    "salir",
    "remove",
    "quitar",
    "borrar",
}
"""What is an order also as one clause of several; the others are words of everyday."""
_UNCLEAR_ALONE: Final = phrases("""
    enough, no more please, not interested, no me interesa, go away, fuck off, block, blocked, spam, delete,
    undo, off, sto, top, stops, unfollow, no gracias no mas, bloquear, lose my number, uninstall, deactivate,
    discontinue, cease, halt, disable, suficiente, dejen, dejame, dejenme
""")
_WAIT: Final = frozenset({"alto", "para", "pare", "basta"})
"""Words that also mean `wait`, or `enough of that`, beside something else."""
_SIGNS: Final = re.compile(r"[🛑🚫⛔✋]")

_CLEAR: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!the )(?<!an )\b(?:stop|quit|end|discontinue|cease|halt) {_BETWEEN}{_TEXTS}\b",
        (
            rf"\bcancel {_BETWEEN}(?:texts?|texting|messages?|mensajes?|notifications?|alerts?|reminders?"
            rf"|subscription)\b"
        ),
        (
            r"\b(?:stop|quit) (?:sending|contacting|messaging|writing|bothering|harassing|spamming|bugging|annoying"
            r"|pestering|texting|blowing up)(?: (?:to )?(?:me|us|my phone|this number|this|these|stuff|anything"
            r"|everything|things|it|crap|shit))*$"
        ),
        (
            r"\b(?:stop|quit) (?:contacting|messaging|writing|bothering|harassing|spamming|bugging|texting) (?:me"
            r"|us)\b"
        ),
        (
            rf"\b(?:dont|never) (?:ever )?(?:want|wish|need|care for) (?:(?:to|get|receive|have|any|more|these|your"
            rf"|you|sending|texting|me|the|of|such) )*{_TEXTS}\b"
        ),
        r"\b(?:dont|never) (?:ever )?(?:send|text|message|contact|write|bother)(?: to)? (?:me|us|this number)\b",
        rf"\b(?:dont|never) send (?:(?:me|any|more|these|your|this|such) )*{_TEXTS}\b",
        rf"\bno longer (?:want|wish|need) (?:(?:to|get|receive|any|more|these|your|be|the) )*{_TEXTS}\b",
        rf"\b(?:no more|no mas) (?:of )?(?:the |these |your |de )?{_TEXTS}\b",
        (
            r"\b(?:please|i want to|want to|how do i|how can i|how to|can i|can you|id like to|like to"
            r"|to) unsubscribe(?: me| please| now| from (?:this|these|your|the|all).*)?$"
        ),
        (
            r"^unsubscribe (?:me|my (?:number|phone|cell)|please|now|this number|from (?:this|these|your|the"
            r"|all).*|all)\b"
        ),
        (
            r"\bopt (?:me )?out(?: please| now| (?:of|from) (?:this|these|your|the|all|receiving|getting"
            r"|any)? ?(?:texts?|messages?|texting|notifications?|this|these|reminders?|alerts?|all).*)?$"
        ),
        (
            r"\b(?:take|remove|delete) (?:me|this (?:number|phone)|us|my (?:number|name|phone"
            r"|cell)(?: number)?)(?: please| now)?(?: (?:off"
            r"|from))? (?:of )?(?:your|this|the|that|ur|all)? ?(?:text(?:ing)? |texts? |message |mailing |contact "
            r"|phone |call )?(?:list|lists|texts?|messages?|system|database|texting|contacts|records"
            r"|subscription)\b"
        ),
        (
            r"\b(?:take me off|remove me|remove my (?:phone )?number|delete my (?:phone )?number)(?: please| now"
            r"| immediately)?$"
        ),
        r"\b(?:leave me alone|lose my number|lose this number|do not contact)\b",
        (
            r"\bno me (?:escrib[aei]|mand[ae]|envi[ae]|text[eé]e?|contact[ae]|molest[ae])[ns]?(?: (?:mas|nada"
            r"|mas nada|nunca|nunca mas|por favor|favor|a este numero|mas mensajes|mensajes|textos"
            r"|ningun mensaje))*$"
        ),
        (
            r"\b(?:deje|dejen|dejar|deja) (?:ya )?de (?:escribir|mandar|enviar|textear|contactar|molestar|recibir"
            r"|llegar)(?:me|nos)?\b(?! (?:correos?|cartas?|llamadas?))"
        ),
        (
            r"\b(?:no|ya no) (?:quiero|deseo|necesito|quisiera) (?:(?:recibir|mas|sus|estos|los|que|me|manden"
            r"|envien|lleguen|seguir|recibiendo|ningun|esos|tener) )*(?:mensajes?|textos?|notificaciones"
            r"|recordatorios?|texts?)\b"
        ),
        (
            r"\b(?:no|ya no) (?:quiero|deseo) que me (?:escriba|mande|envie|contacte|moleste|textee)[ns]?(?: mas"
            r"| nada)*$"
        ),
        (
            r"\bpar(?:a|e|en|ar) (?:de|con) (?:(?:mandar|mandarme|enviar|enviarme|los|sus|estos"
            r"|tantos) )*(?:mensajes?|textos?)\b"
        ),
        r"\bpar(?:a|e|en) de (?:escribirme|mandarme|enviarme|contactarme|molestar|molestarme|textearme)\b",
        r"\b(?:quiero|necesito|deseo|quisiera|por favor|favor) (?:darme|denme|deme|dame) de baja\b",
        (
            r"^(?:darme|denme|deme|dame|dar) de baja(?: por favor| favor| ya| de (?:la lista|los mensajes|esto"
            r"|este servicio))?$"
        ),
        (
            r"\b(?:quitenme|quiteme|saquenme|saqueme|borrenme|borreme|eliminenme|elimineme|remuevanme) de (?:la|su"
            r"|esta|sus) (?:lista|listas|sistema)\b"
        ),
        r"\b(?:quiten|borren|eliminen|saquen|borre|elimine|quite) mi (?:numero|telefono|celular)\b",
        r"\b(?:alto|basta|stop) (?:a|con|de|los|a los|con los|de los) (?:los |sus |estos )?(?:mensajes?|textos?)\b",
        r"\bstop (?:los |estos |sus )?(?:mensajes?|textos?)\b",
        (
            r"\bcancel(?:ar|en|e|o)? (?:los |estos |sus |mi )?(?:mensajes?|textos?|suscripcion|notificaciones"
            r"|recordatorios)\b"
        ),
        r"\bdesuscri\w+",
        rf"\b(?:enough|quit it|stop it) (?:with|of) {_BETWEEN}{_TEXTS}\b",
        r"\b(?:no longer|dont) (?:wish|want|need) to (?:receive|get|have) (?:this|these|those|them|any)$",
        rf"^(?:please )?(?:stoop|sto|top|stopping|stope) {_BETWEEN}{_TEXTS}\b",
        (
            r"\b(?:pare|paren|parad|parar|detenga|detengan|suspendan?|cancelen?|quiten?|eliminen?|terminen"
            r"|corten|dejen|basta"
            r"|alto|fuera) (?:ya )?(?:(?:de|a|con|todos|los|las|sus|estos|esos|tantos|mas|mandar|enviar) )*"
            r"(?:mensajes?|textos?|notificaciones|recordatorios|avisos)\b"
        ),
        (
            r"\b(?:no|nunca|jamas) (?:(?:me|nos|le) (?:vuelvan? a )?(?:escrib(?:a|an|as|ir)|(?:mand|contact"
            r"|molest|textee?|envi)"
            r"(?:e|en|es|ar|ear)?)|(?:escriban|manden|envien|contacten|molesten|texteen))"
            r"(?: (?:mas|nada|nunca|jamas|por favor|favor|ya|otra|otro|vez|a|este|numero|celular|telefono|mensajes?"
            r"|textos?|ningun|ningunos?|de|esto|estos|los|sus|tantos))*$"
        ),
        (
            r"\b(?:no|ya no) (?:quiero|deseo|necesito|quisiera|me interesa) (?:(?:seguir|que|me|recibir"
            r"|recibiendo|nada"
            r"|mas|de|estos|los|sus|ningun|esos|tener) )*(?:mensajes?|textos?|notificaciones|recordatorios|avisos)\b"
        ),
        r"\b(?:quiero|solicito|necesito|pido|deseo|quisiera) (?:que me den |darme |dar )?(?:de |la |mi )?baja$",
    )
)
_NOT_MEANT: Final = re.compile(
    r"\b(?:dont|never|please not|wont|cant|couldnt|not|no) (?:please |ever |want (?:you )?to |want "
    r"|to )?(?:stop|quit|unsubscribe|dejen? de|pare?n?|opt out)\b"
    r"|\bwithout stop|\bnon stop\b|\bstop(?:ped)? (?:by|at|in|over|for|light|sign)\b|\b(?:bus|next|last"
    r"|first|pit|full|rest|truck) stop\b"
)
_UNCLEAR: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bunsubscribe\b",
        r"^(?:please |hi |hello |hey |no )*stop (?:i|im|ive|you|we|were|not)\b",
        r"\bopt (?:me |him |her |us |them )?out\b(?! of (?:pe|school|jury))",
        (
            r"\bstop (?:calling|emailing|phoning|notifying|notification|contact|communications?|communicating"
            r"|everything"
            r"|all of|service|services|subscription|these|those|them|you|with|that)\b"
        ),
        r"\b(?:turn|shut|switch) (?:these |this |the |your |it |them )?(?:texts? |messages? |reminders? )?off\b",
        (
            r"\b(?:turn|shut|switch) off (?:the |these |your )?(?:texts?|messages?|reminders?|notifications?"
            r"|alerts?)\b"
        ),
        (
            r"\b(?:tired|sick|enough) of (?:all )?(?:the |these |your |getting |receiving |so many |tantos )*"
            r"(?:texts?|messages?|reminders?|texting)\b"
        ),
        r"\b(?:too many|so many) (?:texts?|messages?|reminders?|mensajes?)\b",
        r"\bdemasiados mensajes\b",
        r"\bhart[oa] de (?:tantos |los |sus )?mensajes?\b",
        r"\b(?:take|get) me off (?:this|the|your|that)(?: thing| crap| shit)?$",
        r"\bremove me from (?:this|that|your|everything)$",
        (
            r"\b(?:didnt|did not|never) (?:sign(?:ed)? up|subscribed|asked|ask|consent|agree"
            r"|subscribe)\b(?! to come| about)"
        ),
        r"\bblock(?:ing)? (?:this|your|you)\b(?: number)?",
        r"\breport(?:ing|ed)?(?: (?:this|you|these))?(?: number)?(?: as| for)? spam\b",
        r"\b(?:quiero|quisiera|necesito|deseo) (?:parar|terminar|detener|salir|cancelar la suscripcion|la baja)$",
        r"\bi want out\b",
        r"\b(?:no|ya no) quiero (?:saber )?nada mas de (?:ustedes|esto)\b",
        r"\b(?:no|ni) me (?:escrib[aei]|mand[ae]|envi[ae]|text[eé]e?|contact[ae]|llam[ae])[ns]?\b",
        (
            r"\b(?:dont|never) (?:ever )?(?:text|message|contact|write)\b(?! (?:back|my|his|her|him|them|and drive"
            r"|while))"
        ),
        r"\b(?:deje|dejen|deja)(?: ya)? de (?:escribir|mandar|enviar|textear|contactar|llamar)",
        r"\b(?:por favor|favor|please|ya) (?:paren|pare|alto|basta|detengan|detenga)\b",
        r"\b(?:no more|no mas) (?:contact|communication|of this|of these|from you|de esto|please)\b",
        r"\bwithdraw (?:my )?consent\b",
        r"\brevoke (?:my )?(?:consent|permission)\b",
        r"\bcease and desist\b",
        r"\bretiro mi consentimiento\b",
    )
)
_IN_PART: Final = re.compile(
    r"\b(?:at|after|before|until|till|by) (?:\d|noon|night|work|midnight|dinner|school|church)"
    r"|\b(?:so|too|this|that) (?:late|early|often|much)\b|\b(?:during|while|when|unless|except|hasta"
    r"|despues de|antes de"
    r"|durante|mientras|cuando|tan (?:tarde|temprano)|tantos?|tan seguido|de noche|en el trabajo"
    r"|por la noche|en ingles"
    r"|los domingos|los fines)\b|\bon (?:sundays?|weekends?|saturdays?|mondays?|vacation)\b"
    r"|\bin (?:spanish|english|the"
    r" (?:morning|evening|middle|night))\b|\b(?:my|his|her|their) (?:wife|husband|mom|mother|son|daughter"
    r"|work|boss|dad"
    r"|father|sister|brother|friend|kid|kids|partner|esposa|mama|hijo|hija|old|other|home)\b|\bback$"
    r"|\byet$|\btonight$"
    r"|\bto confirm\b|\bto (?:my|the) \w+ (?:phone|number|line)\b|\bthis week\b|\buntil\b|\btwice\b|\bevery day\b"
)
_ABOUT_ANOTHER: Final = re.compile(
    r"\bunsubscribe (?:my (?!number|phone|cell)|him|her|them|our|mom|dad|someone|somebody)\b"
    r"|\bopt (?:him|her|them) out\b"
)


def asks_to_stop(parts: Sequence[Sequence[str]], text: str) -> Stop:
    """Return whether a text ends texts.

    Args:
        parts: the words of its clauses.
        text: the same as it was written.
    """
    said = [" ".join(words) for words in parts]
    whole = " ".join(said)
    if _is_broken_up(whole.split()) or _core(whole) in _ALONE or whole in _ALONE:
        return Stop.YES
    if not parts:
        return Stop.ASK if _SIGNS.search(text) else Stop.NO
    found = max(_clause(words, clause, alone=len(said) == 1) for words, clause in zip(parts, said, strict=True))
    if found is Stop.YES:
        return Stop.ASK if len(said) > 1 and set(said) & _WAIT and not hints.is_about(whole) else Stop.YES
    if any(hints.are_about_calls(clause, whole) for clause in said):
        return Stop.NO
    signs = bool(_SIGNS.search(text)) and len(parts) == 1
    return Stop.ASK if found is Stop.ASK or signs or _hinted(said, whole) else Stop.NO


def _is_broken_up(words: Sequence[str]) -> bool:
    """Tell whether STOP was typed with spaces in it."""
    return len(words) > 1 and max(map(len, words)) < len("stop") and is_stop("".join(words))


def _hinted(said: Sequence[str], whole: str) -> bool:
    alone = len(said) == 1 or hints.is_about(whole)
    return any(hints.of(clause, alone=alone) for clause in said if not _is_denied(clause))


def _is_denied(clause: str) -> bool:
    return bool(_NOT_MEANT.search(clause))


def _clause(words: Sequence[str], clause: str, *, alone: bool) -> Stop:
    if _is_denied(clause) or _ABOUT_ANOTHER.search(clause):
        return Stop.ASK if _ABOUT_ANOTHER.search(clause) else Stop.NO
    core = _core(clause)
    if core in _ALONE_IN_A_CLAUSE or clause in _ALONE_IN_A_CLAUSE:
        return Stop.YES
    if "stop" in words and (others := {word for word in words if word != "stop"}) <= _PLAIN | _PERHAPS:
        return Stop.YES if others <= _PLAIN else Stop.ASK
    if any(pattern.search(clause) for pattern in _CLEAR):
        return Stop.ASK if _IN_PART.search(clause) else Stop.YES
    if any(pattern.search(clause) for pattern in _UNCLEAR):
        return Stop.ASK
    unclear = core in _UNCLEAR_ALONE or clause in _UNCLEAR_ALONE or (core in _ALONE and not alone)
    return Stop.ASK if unclear and (alone or core not in _EVERYDAY) else Stop.NO


def _core(clause: str) -> str:
    """Return the words that count, each once: who means it says it twice."""
    return " ".join(dict.fromkeys(word for word in clause.split() if word not in _POLITE))


_POLITE: Final = phrases("""
    please, thanks, thank, you, now, ok, okay, hi, hello, hey, por, favor, gracias, hola, sir, ya, kindly,
    just, asap, ahora, pues, x, oiga, oigan
""")
_EVERYDAY: Final = frozenset(
    {
        "end",
        "para",
        "baja",
        "salir",
        "off",
        "top",
        "quit",
        "block",
        "delete",
        "sto",
        "stops",
        "cancel",
        "cancelar",
        "enough",
    }
)
"""Words that mean nothing of the kind as one clause among others."""
