"""What a text or an e-mail says, read back from its words as its reader would, by the catalogue that wrote it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Final

from keepwell.simulated_clinic.dues import Kind
from services.notifier.model.segments import plain
from shared.languages import LANGUAGES, Texts, say_day, say_time

FOLDER: Final = Path(__file__).parents[2] / "services" / "notifier" / "texts"


class Said(StrEnum):
    """Kinds of message, as far as the account needs them; the first four are those that fall due."""

    REMINDER = Kind.REMINDER.value
    CHECKIN = Kind.CHECKIN.value
    BOOKING = Kind.BOOKING.value
    PAGE = Kind.PAGE.value
    NOTICE = "notice"
    REPLY = "reply"
    STOPPED = "stopped"
    UNREAD = "unread"


@dataclass(frozen=True)
class Reading:
    """What a message says: its kind, the day and time it names, the link it carries."""

    said: Said
    day: str = ""
    time: str = ""
    link: str = ""


_TEXTS: Final[Mapping[str, Said]] = {
    "sms.reminder": Said.REMINDER,
    "sms.reminder_confirmed": Said.REMINDER,
    "sms.reminder_moved": Said.NOTICE,
    "sms.reminder_cancelled": Said.NOTICE,
    "sms.reminder_stands": Said.NOTICE,
    "sms.checkin": Said.CHECKIN,
    "sms.booking": Said.BOOKING,
    "sms.page": Said.PAGE,
    "sms.reply.confirmed": Said.REPLY,
    "sms.reply.confirmed_left": Said.REPLY,
    "sms.reply.confirmed_several": Said.REPLY,
    "sms.reply.declined": Said.REPLY,
    "sms.reply.declined_any": Said.REPLY,
    "sms.reply.doubt": Said.REPLY,
    "sms.reply.help": Said.REPLY,
    "sms.reply.kept": Said.REPLY,
    "sms.reply.late": Said.REPLY,
    "sms.reply.other": Said.REPLY,
    "sms.reply.picture": Said.REPLY,
    "sms.reply.unknown": Said.REPLY,
    "sms.reply.which": Said.REPLY,
    "sms.reply.wrong": Said.REPLY,
    "sms.reply.stopped": Said.STOPPED,
}
_MAILS: Final[Mapping[str, Said]] = {
    "email.reminder.body": Said.REMINDER,
    "email.moved.body": Said.NOTICE,
    "email.cancelled.body": Said.NOTICE,
    "email.stands.body": Said.NOTICE,
    "email.checkin.body": Said.CHECKIN,
    "email.booking.body": Said.BOOKING,
    "email.page.body": Said.PAGE,
}


class Reader:
    """Reads messages by the notifier's catalogue."""

    def __init__(self, texts: Texts) -> None:
        self._texts = [
            (re.compile(_pattern(plain(_raw(texts, language, key)))), said)
            for language in LANGUAGES
            for key, said in _TEXTS.items()
        ]
        self._mails = [
            (re.compile(_pattern(_folded(_raw(texts, language, key)))), said)
            for language in LANGUAGES
            for key, said in _MAILS.items()
        ]

    @classmethod
    def load(cls) -> "Reader":
        return cls(Texts.load(FOLDER))

    def text(self, body: str) -> Reading:
        return _read(self._texts, body)

    def mail(self, body: str) -> Reading:
        return _read(self._mails, _folded(body))


@lru_cache(maxsize=65536)
def when(language: str, starts_at: datetime, *, by_mail: bool) -> tuple[str, str]:
    """Return a session's day and time as a message in this language names them."""
    said = say_day(language, starts_at.date()), say_time(language, starts_at.time())
    return said if by_mail else (plain(said[0]), plain(said[1]))


_TIME: Final = re.compile(r"\d{1,2}:\d\d [AaPp]\.?\s?[Mm]\.?")
"""A time of day; whose clock it is by may follow."""


def _read(patterns: list[tuple[re.Pattern[str], Said]], words: str) -> Reading:
    for pattern, said in patterns:
        found = pattern.match(words)
        if found is not None:
            named = found.groupdict()
            at = _TIME.match(named.get("time", ""))
            return Reading(said, named.get("day", ""), at[0] if at else "", named.get("link", ""))
    return Reading(Said.UNREAD)


def _raw(texts: Texts, language: str, key: str) -> str:
    """Return a text with its placeholders left as they are."""
    names = ("sender", "phone", "crisis", "url", "link", "day", "time", "others", "choices")
    return texts.say(language, key, **{name: f"{{{name}}}" for name in names})


def _pattern(template: str) -> str:
    pattern: list[str] = []
    for words, name, _, _ in Formatter().parse(template):
        pattern.append(re.escape(words))
        if name is not None:
            pattern.append(r"(?P<link>\S+)" if name == "link" else f"(?P<{name}>.+?)")
    return "".join(pattern)


def _folded(words: str) -> str:
    """Return words with every run of white space as one space: mail may be wrapped."""
    return " ".join(words.split())
