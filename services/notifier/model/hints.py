"""Wishes about texts that are put in words of their own: enough to ask, never enough to stop.

Two meanings have to meet in one clause: our texts, or being written to; and that something should end, should not be,
or is too much. What only looks alike says nothing: a text that did not arrive or is not understood, a text that is
wanted in place of a call. It errs towards a question: whoever gets one in vain answers it or does not, and goes on.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final


def _any_of(words: str) -> str:
    """Return the pattern of one of some words or phrases, which are written with commas."""
    return "|".join(" ".join(part.split()) for part in words.split(",") if part.strip())


def _each(lines: str) -> Sequence[re.Pattern[str]]:
    """Return the patterns that stand on the lines of a text."""
    return tuple(re.compile(line.strip()) for line in lines.splitlines() if line.strip())


_TEXTS: Final = _any_of("""
    texts?, texting, texted, messages?, messaging, messaged, notifications?, notify\\w*, alerts?, reminders?,
    reminded, updates, automated, robots?, bots?, contact(?:ed|ing)?(?! lens| info| number| person),
    communications?, hear(?:ing)? from, spam\\w*, mensajes?, textos?, textee\\w*, notificaciones, recordatorios?,
    avisos?, escrib(?:a|an|as|en|ir\\w*|iendo\\w*|irme),
    (?:mand|envi)(?:en|es|ar\\w*|ando\\w*)(?! (?:el|la|lo|un|una|otra) ), (?:me|nos|que) (?:mande|envie),
    contacten?, contactar\\w*, molest(?:e|en|es|ando|arme|os)
""")
_END: Final = _any_of("""
    stop\\w*, quit\\w*, cease, halt, discontinue, refrain, abst\\w+, chill, lay off, knock, cut, kill, drop,
    ditch, mute, pause, block, cancel, delete, remove, unsubscribe, avoid, prevent,
    (?:turn|shut|switch|take|get)(?: \\w+)* off, (?<!the )(?<!an )end(?! of| the), end of (?:texts|messages),
    alto, basta, par(?:en|e|ar|enle|ele|ale), dej(?:e|en|a|ame|eme|enme|ar) (?:ya )?(?:de|en), det(?:ener|engan?),
    desactiv\\w*, suspend\\w*, apag\\w*, silenci\\w*, ces(?:en|ar), paro, cancelo, texts? off, fin, anul\\w*,
    baja, elimin\\w*, borr(?:e|en|ar|enme|eme), quit(?:e|en|ar|enme), saqu(?:e|en|enme)
""")
_NOT: Final = _any_of("""
    dont, never, without, not, no, nomas, nunca, jamas, ni, rather, less, fewer, further, instead of, rather than,
    en vez de, en lugar de
""")
_TOO_MUCH: Final = _any_of("""
    enough, too (?:many|much|often), so (?:many|much|often), way too, constant(?:ly)?, nonstop, blowing up,
    driving, crazy, insane, annoy\\w*, harass\\w*, ridiculous, hate, sick, tired, fed up, over it, had it,
    done (?:with|getting), overwhelm\\w*, unwanted, anxious, report\\w*, sue, lawyer, fcc, denunci\\w*,
    hart[oa]s?, cansad[oa]s?, me canse, molestan?, hasta la madre, molest[oa]s, chinga\\w*, joder, demasiad[oa]s,
    muchisimos, tantos
""")
_WISHES: Final = _any_of("""
    want, need, like, wish, consent, agree, agreed, care, prefer, rather, ok with, okay with, fine with,
    interested, signed?, asked for, quiero, deseo, necesito, quisiera, gustaria, prefiero, autorizo, acepto,
    permiso, interesa
""")
_CAME: Final = _any_of("""
    get, got, gotten, getting, receiv\\w+, come, came, coming, arriv\\w+, show\\w*, see, saw, seen, open\\w*,
    read, find, found, load\\w*, have, had, from, through, reply, response, answer, respond\\w*, deliver\\w+,
    work\\w*, hear, heard
""")
_LLEGO: Final = _any_of("""
    lleg(?:o|a|an|aron|ado|ando), recib(?:i|o|ido|imos|iendo), veo, vi, visto, tengo, tenia, tuve, entiend\\w+,
    entendi, encuentr\\w+, abr\\w+, hay, habia, aparec\\w+, se, supe, puedo, pude, leo, lei, escuch\\w+, es, son,
    era, (?:mando|mande|mandaron|envio|envie|enviaron) (?:el|la|un|una|ningun|nada)
""")
_ELSE: Final = _any_of("""
    sure, know, knew, mean, means, meant, understand, understood, worr\\w+, problem, idea, forget, forgot,
    remember, miss, missed, missing, able, sorry, mind the, love, helps?, helpful, great, perfect, appreciate,
    wrong person, last (?:text|message), my (?:text|message)s?, while driving, last (?:year|week), questions?,
    busy, phone died, new number, dont stop, entiend\\w+, olvid\\w+, preocup\\w+, perdon, disculp\\w+, ayudan?,
    encantan?, me sirven?, in (?:the|your|that|this) (?:text|message),
    (?:text|message) (?:says|said|had|has|was|about), mensaje no, dice, mi mensaje, pregunta, sin querer,
    otra vez, no dejen de, no paren
""")
_ABOUT: Final = re.compile(rf"\b(?:{_TEXTS})\b")
_AGAINST: Final = re.compile(rf"\b(?:{_END}|{_NOT}|{_TOO_MUCH})\b")
_IS_WISHED: Final = re.compile(rf"\b(?:{_WISHES})\b")
_DID_NOT_COME: Final = re.compile(
    r"\b(?:didnt|havent|hasnt|isnt|arent|wasnt|werent|not|never|no|why|dont|cant|couldnt|nothing|without)(?: \w+){0,3} "
    rf"(?:{_CAME})\b|\bno (?:me |nos |le |se )?(?:ha |han |he |esta |estan )?(?:{_LLEGO})\b"
)
_TEXT_ME: Final = re.compile(
    r"(?<!dont )(?<!not )(?<!never )(?<!stop )(?<!quit )(?<!to )(?<!no )"
    r"\b(?:text|message|remind|notify|contact|write) (?:me|us)\b"
    r"|(?<!no )\b(?:escrib|mand|envi|avis|contact)(?:a|an|e|en)(?:me|nos)\b"
    r"|\b(?:mejor|solo|solamente|instead|just|better) (?:un |una |por |con |a |send |via )*"
    r"(?:mensajes?|textos?|whatsapp|texts?|message|texting)\b"
)
_IS_OF_SOMETHING_ELSE: Final = re.compile(rf"\b(?:{_ELSE})\b")
_IN_SPITE: Final = re.compile(r"\b(?:stop|baja|unsubscribe|anymore|any more|no more|no mas|ya no|again|nunca mas)\b")
_CALLS: Final = re.compile(r"\b(?:llam\w*|call|calls|calling|phone|ring)\b")

_ANYWHERE: Final = _each(r"""
    \b(?:these|they|those) (?:would|should|must|need to|have to|gotta) (?:just |please )?(?:stop|end|go away)\b
    \b(?:these|they|those) (?:are|r|get) (?:\w+ ){0,3}(?:bug\w*|annoy\w*|bother\w*|too much|driving|harass\w*)\b
    \b(?:still|keep|always) (?:getting|receiving) (?:these|this|them|those)\b
    \b(?:dont|not|never)(?: \w+)? send (?:me |us )?(?:these|this|them|those)\b
    \b(?:if|that) (?:you|u) (?:didnt|did not|wouldnt|would not|dont|not|stopped|quit) (?:text|messag|contact|writ)\w*
    \b(?:make|get) you (?:to )?stop\b|^(?:this is|its|it is|es|esto es)(?: just| all| puro)? spam$
    \b(?:want|get|take|remove)(?: me| us)? off (?:of )?(?:this|your|the|that|ur) (?:text |txt |phone |mailing )?list\b
    \bsal(?:ir|irme|irnos|go) de (?:la|su|esta|tu) lista\b(?! de espera)
    \b(?:can|could|will|would|when will) (?:these|those|they|them) (?:please |just |ever )*(?:stop|end|go away)\b
    \b(?:make|get|want|need) (?:these|those|they|them)(?: to)?(?: please| just)* (?:stop|end|go away)\b
    \b(?:stop|quit|avoid|end|done|tired of|sick of|over) (?:getting|receiving|having) (?:these|them|those|this)\b
    \b(?:dont|rather not|prefer not|no longer) (?:\w+ ){0,3}(?:any ?more |more )?of (?:these|those|them|this)\b
    \b(?:dont|rather not|prefer not|not) (?:to )?(?:want|need|care|like|get|receive|have) (?:these|those|them|this)$
    \b(?:dont|not|no longer) (?:\w+ ){0,3}(?:these|those|them|this) (?:anymore|any more|again)\b
    \b(?:not|never) (?:to )?(?:get|receive) (?:these|those|them|this)\b
    \b(?:say|said|saying|type|typed|tell|told|texted|wrote|write|reply|replied|sent)(?: \w+){0,2} stop$
    \b(?:turn|shut|switch) (?:them|these|those) off\b|\b(?:turn|shut|switch) off (?:them|these|those)\b
    \b(?:want|wish|like|need|please|me)(?: to)? be (?:removed|taken off|deleted|unsubscribed|opted out)\b
    \b(?:take|get|remove|delete|erase|strike) (?:my|us|this) (?:phone |cell )?(?:name|number|info) (?:off|from|out)\b
    \b(?:number|phone|cell|name) (?:\w+ ){0,3}(?:not|never) (?:\w+ ){0,3}(?:list|lists|system|database|records)\b
    \bopt(?:ing|ed|s)? (?:me |us )?out(?:$| please| now| asap| of (?:these|this|all|everything))
    \b(?:retiro|revoco|cancelo|anulo) (?:mi |el )?(?:autorizacion|consentimiento|permiso|suscripcion)\b
    \b(?:quit|sac|saqu|borr|elimin)\w* (?:\w+ ){0,3}de (?:la|su|esta|sus|tu) (?:lista|listas|sistema)\b(?! de espera)
    \b(?:doy|dar|darme|das|den|denme|deme|dame|damos) de (?:la )?baja\b(?! (?:medica|laboral|del|por|en|temporal))
    \b(?:solicito|pido|exijo|quiero|necesito) (?:la |mi )?baja (?:de|del) (?:\w+ )?(?:servicio|lista|sistema)\b
    \bdej(?:e|en|a|ame|eme|enme) (?:ya )?de (?:\w+ )?(?:molest|fastidi|jod|ching|freg)\w*
""")
_ALONE: Final = _each(r"""
    ^(?:just |please )*(?:make|get) (?:it|this|these|them) (?:to )?stop$
    \b(?:knock it off|cut it out|give it a rest|quit it|leave (?:me|us) be|(?:over|done with) this)$
    \bquit (?:bugging|bothering|harassing|annoying|pestering) me$|\benough (?:already|now|is enough)$
    ^(?:please |just )*(?:get lost|(?:buzz|bug|piss|screw|fuck) off|(?:screw|fuck) you|go to hell|shut up)\b
    ^(?:please )?go (?:bother|bug|text|spam) (?:someone|somebody)\b|^cancel\w* todo$
    ^(?:please |just )*go away\b|^(?:ya )?(?:vayanse|larguense|vete al diablo)\b
    ^(?:hey )?(?:you|yall|ya ll|you guys)(?: \w+)? (?:need to|have to|gotta|got to|must|should|better) (?:just )?stop$
    ^(?:ya |favor )*(?:detengan?|paren|pare|corten|terminen|acaben|quiten) (?:ya )?(?:con )?(?:todo )?(?:esto|eso)$
    ^(?:ya |favor )*(?:borr|elimin|saqu|quit)(?:enme|eme|ame)(?: ya| favor| de (?:ahi|aqui|todo))*$
    ^(?:ya |favor )*dej(?:enme|eme|ame|ennos) (?:ya )?(?:en paz|tranquil[oa]s?|sol[oa]s?)$
    ^(?:ya |favor )*no (?:me |nos )?(?:esten? |anden? |sigan? )?(?:molest|fastidi|jod|ching)\w*(?: mas| ya)*$
""")
_UNSUBSCRIBE: Final = ("unsubscribe", "unsubscribed", "desuscribir", "desuscribanme", "desuscribirme")
_LIKE: Final = 0.84
_LONG: Final = 8


def of(clause: str, *, alone: bool) -> bool:
    """Tell whether a clause, as words in lower case without accents, may mean that texts should end.

    Args:
        clause: of a text.
        alone: whether the text says nothing else, or speaks of texts elsewhere.
    """
    patterns = (*_ANYWHERE, *_ALONE) if alone else _ANYWHERE
    if any(pattern.search(clause) for pattern in patterns) or any(map(_is_unsubscribe, clause.split())):
        return True
    if not is_about(clause) or not _AGAINST.search(clause):
        return False
    if (_TEXT_ME.search(clause) or _IS_OF_SOMETHING_ELSE.search(clause)) and not _IN_SPITE.search(clause):
        return False
    return bool(_IS_WISHED.search(clause)) or not _DID_NOT_COME.search(clause)


def is_about(clause: str) -> bool:
    """Tell whether a clause speaks of texts, or of being written to."""
    return bool(_ABOUT.search(clause))


def are_about_calls(clause: str, whole: str) -> bool:
    """Tell whether it is calls that a clause does not want, while the text asks for texts."""
    return bool(_CALLS.search(clause)) and bool(_TEXT_ME.search(whole))


def _is_unsubscribe(word: str) -> bool:
    """Tell whether a word is a misspelt UNSUBSCRIBE; each has too many ways to be listed."""
    if len(word) < _LONG or not word.startswith(("un", "des")):
        return False
    return any(SequenceMatcher(None, word, meant).ratio() >= _LIKE for meant in _UNSUBSCRIBE)
