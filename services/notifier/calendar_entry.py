"""The calendar entry of a session, for e-mail (RFC 5545 and 5546)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True)
class CalendarEntry:
    """A session, as a calendar needs it.

    Attributes:
        organizer, attendee: mail addresses; a calendar shows an entry to whom it is addressed to, and whose it is.
        version: the session's; a calendar replaces an entry by one with the same UID and a higher SEQUENCE.
        said_at: when the entry is made.
    """

    session: UUID
    version: int
    starts_at: datetime
    minutes: int
    summary: str
    organizer: str
    organizer_name: str
    attendee: str
    cancelled: bool
    said_at: datetime


def as_ical(entry: CalendarEntry) -> bytes:
    """Return the entry as `text/calendar`: a request, which a later one replaces, or a cancellation (RFC 5546, 3.2)."""
    # Loaded with the first e-mail: it takes a tenth of a second, which every start would wait for.
    from icalendar import Calendar, Event, vCalAddress, vText  # noqa: PLC0415 - see above

    event = Event()
    event.add("uid", f"{entry.session}@keepwell")
    event.add("sequence", entry.version)
    event.add("dtstamp", entry.said_at)
    # UTC, which a calendar shows in its owner's zone: no zone rules have to travel with the entry.
    event.add("dtstart", entry.starts_at)
    event.add("dtend", entry.starts_at + timedelta(minutes=entry.minutes))
    event.add("summary", entry.summary)
    organizer = vCalAddress(f"mailto:{entry.organizer}")
    organizer.params["CN"] = vText(entry.organizer_name)
    event.add("organizer", organizer)
    # Nobody answers the entry: who wants to confirm replies C, or calls.
    attendee = vCalAddress(f"mailto:{entry.attendee}")
    attendee.params |= {"ROLE": vText("REQ-PARTICIPANT"), "PARTSTAT": vText("ACCEPTED"), "RSVP": vText("FALSE")}
    event.add("attendee", attendee)
    event.add("class", "PRIVATE")
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", "-//Keepwell//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method_of(cancelled=entry.cancelled))
    calendar.add_component(event)
    said: bytes = calendar.to_ical()
    return said


def method_of(*, cancelled: bool) -> str:
    """Return the iTIP method, which the part's content type repeats."""
    return "CANCEL" if cancelled else "REQUEST"
