"""The words of a message: a template, the recipient's language, and nothing that gives the care away."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from services.notifier.model.purposes import Channel, Occurrence, Purpose
from services.notifier.model.segments import plain
from shared.languages import Texts, say_day, say_time

TEXTS: Final = Texts.load(Path(__file__).parent / "texts")

_CARRIES_STOP: Final = frozenset({Purpose.REMINDER, Purpose.PAGE, Purpose.REPLY})
"""Texts that say how to end texts in any case, or that go to staff or answer a text."""


@dataclass(frozen=True)
class Content:
    """What a template may say.

    Attributes:
        starts_at: a session's wall time, as the clinic's clock shows it.
        confirmed: whether the patient has confirmed that session.
        first: whether this is the first text to a number; it then says how to end texts.
        crisis: the clinic's words for a person in crisis.
    """

    language: str
    sender: str
    phone: str
    crisis: str = ""
    url: str = ""
    link: str = ""
    starts_at: datetime | None = None
    confirmed: bool = False
    first: bool = False

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
        }
        if self.starts_at is not None:
            named["day"], named["time"] = _day_and_time(self.language, self.starts_at)
        return named


@lru_cache(4096)
def _day_and_time(language: str, starts_at: datetime) -> tuple[str, str]:
    """Return both as people say them; kept, because a clinic's sessions start at few times and saying them is slow."""
    return say_day(language, starts_at.date()), say_time(language, starts_at.time())


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
    if purpose == Purpose.REMINDER and content.confirmed:
        return "sms.reminder_confirmed"
    return f"sms.{purpose}"


def _email(purpose: Purpose, occurrence: str, content: Content) -> Wording:
    kind = occurrence if occurrence in {Occurrence.MOVED, Occurrence.CANCELLED} else str(purpose)
    values = content.values()
    body = TEXTS.say(content.language, f"email.{kind}.body", **values)
    if purpose != Purpose.PAGE:
        body += TEXTS.say(content.language, "email.closing", **values)
    return Wording(body, TEXTS.say(content.language, f"email.{kind}.subject", **values))
