"""Why a message is sent, over what, and which rules bind it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Channel(StrEnum):
    """How a message travels."""

    SMS = "sms"
    EMAIL = "email"


class Purpose(StrEnum):
    """Why a message is sent."""

    REMINDER = "reminder"
    CHECKIN = "checkin"
    BOOKING = "booking"
    PAGE = "page"
    REPLY = "reply"


class Consented(StrEnum):
    """What a patient consents to on a contact point."""

    REMINDERS = "reminders"
    CHECKINS = "checkins"
    BOOKING = "booking"


class Occurrence(StrEnum):
    """The occurrences that are the notifier's own; the others come with the event that makes a message due."""

    MOVED = "moved"
    CANCELLED = "cancelled"
    STANDS = "stands"
    STOPPED = "stopped"
    CRISIS = "crisis"


NOTICES: Final = frozenset({Occurrence.MOVED, Occurrence.CANCELLED, Occurrence.STANDS})
"""Word that what the patient was told of a session no longer holds: true because it changed, not in spite of it."""


@dataclass(frozen=True)
class Policy:
    """The rules of a purpose.

    Attributes:
        consent: what must have been consented to; None where a rule other than consent allows the message.
        keeps_quiet: whether it waits for the recipient's waking hours.
        counted: whether it counts for, and is bound by, the daily limit of a patient.
        to_patient: whether it goes to a patient, and so never to one who was discharged.
        next_channel: whether it is tried on the next channel when this one fails for good.
    """

    consent: Consented | None
    keeps_quiet: bool
    counted: bool
    to_patient: bool
    next_channel: bool


POLICIES: Final[dict[Purpose, Policy]] = {
    Purpose.REMINDER: Policy(Consented.REMINDERS, keeps_quiet=True, counted=True, to_patient=True, next_channel=True),
    Purpose.CHECKIN: Policy(Consented.CHECKINS, keeps_quiet=True, counted=True, to_patient=True, next_channel=True),
    Purpose.BOOKING: Policy(Consented.BOOKING, keeps_quiet=True, counted=True, to_patient=True, next_channel=True),
    # A page wakes the person on call: that is what it is for.
    Purpose.PAGE: Policy(None, keeps_quiet=False, counted=False, to_patient=False, next_channel=False),
    # An answer to a text just received is asked for by that text, at whatever hour it came.
    Purpose.REPLY: Policy(None, keeps_quiet=False, counted=False, to_patient=False, next_channel=False),
}
