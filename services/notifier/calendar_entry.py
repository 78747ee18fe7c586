"""The calendar entry of a session, for e-mail (RFC 5545 and 5546)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True)
class Visit:
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


def calendar_entry(visit: Visit) -> bytes:
    """Return the entry as `text/calendar`: a request, which a later one replaces, or a cancellation (RFC 5546, 3.2)."""
    # Loaded with the first e-mail: it takes a tenth of a second, which every start would wait for.
    from icalendar import Calendar, Event, vCalAddress, vText  # noqa: PLC0415 - see above

    event = Event()
    event.add("uid", f"{visit.session}@keepwell")
    event.add("sequence", visit.version)
    event.add("dtstamp", visit.said_at)
    # UTC, which a calendar shows in its owner's zone: no zone rules have to travel with the entry.
    event.add("dtstart", visit.starts_at)
    event.add("dtend", visit.starts_at + timedelta(minutes=visit.minutes))
    event.add("summary", visit.summary)
    organizer = vCalAddress(f"mailto:{visit.organizer}")
    organizer.params["CN"] = vText(visit.organizer_name)
    event.add("organizer", organizer)
    # Nobody answers the entry: who wants to confirm replies C, or calls.
    attendee = vCalAddress(f"mailto:{visit.attendee}")
    attendee.params |= {"ROLE": vText("REQ-PARTICIPANT"), "PARTSTAT": vText("ACCEPTED"), "RSVP": vText("FALSE")}
    event.add("attendee", attendee)
    event.add("class", "PRIVATE")
    event.add("status", "CANCELLED" if visit.cancelled else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", "-//Keepwell//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method_of(cancelled=visit.cancelled))
    calendar.add_component(event)
    entry: bytes = calendar.to_ical()
    return entry


def method_of(*, cancelled: bool) -> str:
    """Return the iTIP method, which the part's content type repeats."""
    return "CANCEL" if cancelled else "REQUEST"
