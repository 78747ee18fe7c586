"""A mail as a person reads it: its words, and its appointment as a card."""

from dataclasses import dataclass
from datetime import date, datetime
from email import message_from_bytes, policy
from email.message import Message
from functools import lru_cache
from typing import TYPE_CHECKING

from services.sandbox.entries import MailKept

if TYPE_CHECKING:
    from icalendar.cal import Component


@dataclass(frozen=True)
class Part:
    """A part of a mail that can be downloaded."""

    kind: str
    filename: str
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


@dataclass(frozen=True)
class Appointment:
    """What an iCalendar part says of an appointment."""

    method: str
    summary: str
    starts: str
    ends: str
    zone: str
    where: str
    status: str


@dataclass(frozen=True)
class ReadableMail:
    """A mail, taken apart."""

    id: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    parts: tuple[Part, ...]
    appointments: tuple[Appointment, ...]
    size: int


@lru_cache(maxsize=4096)
def readable_mail(mail: MailKept) -> ReadableMail:
    """Take a mail apart; what it lacks is empty."""
    message = message_from_bytes(mail.raw, policy=policy.default)
    body = message.get_body(preferencelist=("plain", "html"))
    parts = tuple(
        Part(
            kind=part.get_content_type(),
            filename=part.get_filename() or _name_for(part.get_content_type()),
            content=_content(part),
        )
        for part in message.walk()
        if not part.is_multipart() and part is not body
    )
    return ReadableMail(
        id=mail.id,
        at=mail.at,
        sender=str(message.get("From", mail.sender)),
        recipients=mail.recipients,
        subject=str(message.get("Subject", "")),
        text=_content(body).decode("utf-8", "replace").strip() if body is not None else "",
        parts=parts,
        appointments=tuple(one for part in parts if part.kind == "text/calendar" for one in _appointments(part)),
        size=len(mail.raw),
    )


def _content(part: Message) -> bytes:
    """Return a part's bytes, transfer encoding undone and text in UTF-8."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return b""
    charset = part.get_content_charset("utf-8")
    if part.get_content_maintype() != "text" or charset.lower() in {"utf-8", "us-ascii"}:
        return content
    try:
        return content.decode(charset, "replace").encode()
    except LookupError:
        return content


def _name_for(kind: str) -> str:
    return "invite.ics" if kind == "text/calendar" else "part"


def _appointments(part: Part) -> list[Appointment]:
    """Return the events of a calendar part; none where it cannot be read, and the page then offers the file alone."""
    # Loaded with the first entry that is looked at: it takes a tenth of a second, which every start would wait for.
    from icalendar import Calendar  # noqa: PLC0415 - see above

    try:
        calendar = Calendar.from_ical(part.content)
    except ValueError:
        return []
    method = str(calendar.get("METHOD", "PUBLISH"))
    return [_appointment(event, method) for event in calendar.walk("VEVENT")]


def _appointment(event: "Component", method: str) -> Appointment:
    starts, ends = event.get("DTSTART"), event.get("DTEND")
    zone = starts.params.get("TZID", "") if starts is not None else ""
    return Appointment(
        method=method,
        summary=str(event.get("SUMMARY", "")),
        starts=_said(starts.dt) if starts is not None else "",
        ends=_said(ends.dt) if ends is not None else "",
        zone=str(zone),
        where=str(event.get("LOCATION", "")),
        status=str(event.get("STATUS", "")),
    )


def _said(when: date | datetime) -> str:
    if isinstance(when, datetime):
        utc = " UTC" if when.tzname() == "UTC" else ""
        return f"{when:%A} {when.day} {when:%B %Y, %H:%M}{utc}"
    return f"{when:%A} {when.day} {when:%B %Y}"
