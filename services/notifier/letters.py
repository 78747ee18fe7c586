"""From due messages to letters: in the recipient's words and language, to the address that is known now."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Final

from services.notifier.calendar_entry import CalendarEntry, as_ical, method_of
from services.notifier.kept_words import words_to_keep
from services.notifier.model.due import DueMessage
from services.notifier.model.purposes import Channel, Occurrence, Purpose
from services.notifier.ports import CalendarPart, Letter
from services.notifier.wording import Content, Wording, calendar_summary, compose
from shared.ids import new_id
from shared.protection import Keyring
from shared.walltime import parse_wall, to_wall

STAFF_LANGUAGE: Final = "en"


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter whose attempt is on record once the transaction has committed.

    Attributes:
        kept: its words as staff may read them.
        trace: its message's traceparent.
    """

    channel: Channel
    letter: Letter
    kept: Wording
    purpose: str
    trace: str | None


@dataclass(frozen=True)
class House:
    """What a letter says of the house that sends it.

    Attributes:
        url: where staff sign in.
        mailbox: who organises an entry in a calendar.
        daily_limit: texts to one patient a day.
        settle_after: until what the provider took stands in its list.
    """

    url: str
    mailbox: str
    daily_limit: int
    settle_after: timedelta = timedelta(seconds=60)


class LetterWriter:
    """Makes letters of due messages.

    Args:
        keyring: opens addresses and links.
        house: see there.
    """

    def __init__(self, keyring: Keyring, house: House) -> None:
        self.keyring = keyring
        self.house = house

    def write(self, message: DueMessage, now: datetime) -> Ready:
        """Return the letter of a message that may go out now, as an attempt of its own.

        Raises:
            SealedError: the address or the link cannot be opened.
            TextsError: there are no words for it.
            LookupError: what it names is not known here.
            ValueError: its purpose or channel is not.
        """
        channel, purpose = Channel(message.channel), Purpose(message.purpose)
        content = self._content(message)
        wording = compose(purpose, channel, message.occurrence, content)
        with_calendar = channel == Channel.EMAIL and purpose == Purpose.REMINDER
        letter = Letter(
            message=message.id,
            attempt=new_id(),
            to=self.keyring.open(message.destination().sealed, context="contact"),
            body=wording.body,
            subject=wording.subject,
            calendar=self._calendar(message, content, now) if with_calendar else None,
        )
        kept = words_to_keep(purpose, channel, message.occurrence, content, wording)
        return Ready(channel, letter, kept, message.purpose, message.trace)

    def prints(self, message: DueMessage) -> list[str]:
        """Return fingerprints of the words that a message has, and of those that it could have had before."""
        channel, purpose, content = Channel(message.channel), Purpose(message.purpose), self._content(message)
        could = [replace(content, first=first, confirmed=said) for first, said in product((True, False), repeat=2)]
        printed = body_print(self.keyring)
        bodies = [compose(purpose, channel, message.occurrence, each).body for each in (content, *could)]
        return list(dict.fromkeys(map(printed, bodies)))

    def _content(self, message: DueMessage) -> Content:
        language = STAFF_LANGUAGE if message.purpose == Purpose.PAGE else message.language or STAFF_LANGUAGE
        clinic, session = message.clinic_now, message.session
        crisis = "" if clinic is None else clinic.crisis_es if language == "es" else clinic.crisis_en
        return Content(
            language=language,
            sender=clinic.sender_name if clinic is not None else "",
            phone=clinic.phone if clinic is not None else "",
            crisis=crisis,
            url=self.house.url,
            link=self.keyring.open(message.link, context="link") if message.link else "",
            starts_at=(start := _named_start(message)),
            elsewhere=_elsewhere(message, start),
            confirmed=session is not None and session.state == "confirmed",
            first=message.first,
            others=tuple(map(parse_wall, message.others)),
        )

    def _calendar(self, message: DueMessage, content: Content, now: datetime) -> CalendarPart:
        cancelled = message.occurrence == Occurrence.CANCELLED
        session = message.named_session()
        entry = CalendarEntry(
            session=session.id,
            version=session.version,
            starts_at=(message.starts_at if cancelled else None) or session.starts_at,
            minutes=session.minutes,
            summary=calendar_summary(content),
            organizer=self.house.mailbox,
            organizer_name=content.sender,
            attendee=self.keyring.open(message.destination().sealed, context="contact"),
            cancelled=cancelled,
            said_at=now,
        )
        return CalendarPart(as_ical(entry), method_of(cancelled=cancelled))


def _named_start(message: DueMessage) -> datetime | None:
    """Return the wall time that a message names: a session's, or of one that was cancelled the time that was told."""
    session = message.session
    if session is None:
        return None
    if message.occurrence == Occurrence.CANCELLED and message.starts_at is not None:
        return to_wall(message.starts_at, session.zone)
    return parse_wall(session.wall)


def _elsewhere(message: DueMessage, start: datetime | None) -> str:
    """Return a session's zone where the patient's own clock shows another time; else nothing."""
    session, zone = message.session, message.zone
    if start is None or session is None or not zone or zone == session.zone:
        return ""
    instant = message.starts_at if message.occurrence == Occurrence.CANCELLED else session.starts_at
    return "" if instant is None or to_wall(instant, zone) == start else session.zone


def body_print(keyring: Keyring) -> Callable[[str], str]:
    """Return the fingerprint of texts: enough to know one again, not enough to read it."""
    return lambda body: keyring.fingerprint(body, context="body")
