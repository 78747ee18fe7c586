"""The words of a message: a template, the recipient's language, and nothing that gives the care away."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import Final

from services.notifier.model.purposes import NOTICES, Channel, Purpose
from services.notifier.model.segments import plain
from shared.languages import LANGUAGES, Texts, say_day, say_place, say_time

TEXTS: Final = Texts.load(Path(__file__).parent / "texts")

BLANK: Final = "@@"
"""Stands for whatever a placeholder holds; no template has it."""
_CARRIES_STOP: Final = frozenset({Purpose.REMINDER, Purpose.PAGE, Purpose.REPLY})
"""Texts that say how to end texts in any case, or that go to staff or answer a text."""


@dataclass(frozen=True)
class Content:
    """What a template may say.

    Attributes:
        starts_at: a session's wall time, as the clinic's clock shows it.
        confirmed: whether the patient has confirmed that session.
        elsewhere: the session's zone where the recipient's clock shows another time than the clinic's; else empty.
        first: whether this is the first text to a number; it then says how to end texts.
        crisis: the clinic's words for a person in crisis.
        others: wall times of further sessions that a reply names.
    """

    language: str
    sender: str
    phone: str
    crisis: str = ""
    url: str = ""
    link: str = ""
    starts_at: datetime | None = None
    elsewhere: str = ""
    confirmed: bool = False
    first: bool = False
    others: tuple[datetime, ...] = ()

    def values(self) -> dict[str, str]:
        """Return the placeholders' values."""
        named = {
            "sender": self.sender,
            "phone": self.phone,
            "crisis": self.crisis,
            "url": self.url,
            "link": self.link,
            "day": "",
            "time": "",
            "others": _named(self.language, "sms.part.at", self.others),
            "choices": _named(self.language, "sms.part.choice", self.others),
        }
        if self.starts_at is not None:
            named["day"], named["time"] = _day_and_time(self.language, self.starts_at, self.elsewhere)
        return named


def purposes_of(body: str) -> frozenset[Purpose]:
    """Return for what a text of these words can have been sent; nothing where they are not ours."""
    return frozenset(purpose for purpose, pattern in _patterns() if pattern.fullmatch(body))


@cache
def _patterns() -> tuple[tuple[Purpose, re.Pattern[str]], ...]:
    """Return what every text of a purpose looks like in any language, whatever its placeholders held."""
    kinds = {purpose: f"sms.{purpose}" for purpose in Purpose}
    blank = dict.fromkeys([*Content("", "", "").values(), "number"], BLANK)
    found: list[tuple[Purpose, re.Pattern[str]]] = []
    for language, key in product(LANGUAGES, sorted(TEXTS.keys())):
        purpose = next(
            (purpose for purpose, start in kinds.items() if re.fullmatch(rf"{start}(_[a-z]+|\..+)?", key)), None
        )
        if purpose is not None:
            said, first = plain(TEXTS.say(language, key, **blank)), plain(TEXTS.say(language, "sms.first"))
            shape = re.escape(said).replace(BLANK, ".*")
            found.append((purpose, re.compile(rf"{shape}(?:{re.escape(first)})?", re.DOTALL)))
    return tuple(found)


def _named(language: str, key: str, walls: Sequence[datetime]) -> str:
    """Return sessions by day and time, numbered where the text has a place for it."""
    said = [(number, *_day_and_time(language, wall)) for number, wall in enumerate(walls, start=1)]
    return "; ".join(TEXTS.say(language, key, number=number, day=day, time=time) for number, day, time in said)


@lru_cache(4096)
def _day_and_time(language: str, starts_at: datetime, elsewhere: str = "") -> tuple[str, str]:
    """Return both as people say them; kept, because a clinic's sessions start at few times and saying them is slow."""
    at = say_time(language, starts_at.time())
    return say_day(language, starts_at.date()), f"{at} {say_place(language, elsewhere)}" if elsewhere else at


@dataclass(frozen=True)
class Wording:
    """What goes out; `subject` is for e-mail alone."""

    body: str
    subject: str = ""


def compose(purpose: Purpose, channel: Channel, occurrence: str, content: Content) -> Wording:
    """Return the words of a message."""
    if channel == Channel.EMAIL:
        return _email(purpose, occurrence, content)
    return Wording(plain(_text(purpose, occurrence, content)))


def calendar_summary(content: Content) -> str:
    """Return the title of a calendar entry: whose visit, never what for."""
    return TEXTS.say(content.language, "calendar.summary", sender=content.sender)


def _text(purpose: Purpose, occurrence: str, content: Content) -> str:
    said = TEXTS.say(content.language, _text_key(purpose, occurrence, content), **content.values())
    if content.first and purpose not in _CARRIES_STOP:
        said += TEXTS.say(content.language, "sms.first")
    return said


def _text_key(purpose: Purpose, occurrence: str, content: Content) -> str:
    if purpose == Purpose.REPLY:
        return f"sms.reply.{occurrence}"
    if occurrence in NOTICES:
        return f"sms.reminder_{occurrence}"
    if purpose == Purpose.REMINDER and content.confirmed:
        return "sms.reminder_confirmed"
    return f"sms.{purpose}"


def _email(purpose: Purpose, occurrence: str, content: Content) -> Wording:
    kind = occurrence if occurrence in NOTICES else str(purpose)
    values = content.values()
    body = TEXTS.say(content.language, f"email.{kind}.body", **values)
    if purpose != Purpose.PAGE:
        body += TEXTS.say(content.language, "email.closing", **values)
    return Wording(body, TEXTS.say(content.language, f"email.{kind}.subject", **values))
