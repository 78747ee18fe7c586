"""Patients to call: they were told of a visit that changed, and no message reaches them in time."""

from typing import Final

from services.clinic.model.reads import COMES_LATE, Message, MessageState
from services.clinic.views.components import moment
from services.clinic.views.rows import Names, person, why_words
from services.clinic.views.today import CallRow

_WHAT: Final = {
    "moved": "Their visit has a new time, and they know the old one.",
    "cancelled": "Their visit is cancelled, and they do not know.",
    "stands": "Their visit takes place after all, and they think it is cancelled.",
}


def call_row(message: Message, names: Names, zone: str) -> CallRow:
    """Return a patient to call about a change."""
    late = message.state is MessageState.PLANNED and message.reason == COMES_LATE
    when = moment(message.at, zone)
    why = (
        f"a message goes out {when.text}, which may be too late" if late else why_words(message) or "no reason is known"
    )
    return CallRow(
        id=message.id,
        person=person(message.patient, names) if message.patient else None,
        what=_WHAT.get(message.occurrence, "Their visit changed."),
        why=why,
        at=when,
    )
