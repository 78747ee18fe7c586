"""What a patient knows of a session that changed: what they were told before, and when they hear of the change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from services.clinic.model.reads import COMES_LATE, MessageState
from services.clinic.tables import MESSAGES
from shared.database import Reader
from shared.ids import ClinicId

CHANGES: Final = ("moved", "cancelled", "stands")
"""Occurrences of a message that says: what you were told no longer holds."""


@dataclass(frozen=True)
class Knows:
    """What a patient knows of a session.

    Attributes:
        told_at: when they were last told something of it; None where never.
        hears_at: when a message about the change goes out; None where none is planned.
        late: whether that is too late, so that somebody should call.
    """

    told_at: datetime | None
    hears_at: datetime | None
    late: bool


async def knows(reader: Reader, clinic: ClinicId, session: UUID) -> Knows:
    """Return what the patient knows of a session, as far as the clinic was told."""
    about = (MESSAGES.c.clinic == clinic, MESSAGES.c.about == session, MESSAGES.c.purpose == "reminder")
    states = [str(MessageState.SENT), str(MessageState.DELIVERED), str(MessageState.PLANNED)]
    mine = select(MESSAGES.c.state, MESSAGES.c.at, MESSAGES.c.reason).where(*about, MESSAGES.c.state.in_(states))
    rows = await reader.all(mine.order_by(MESSAGES.c.at))
    planned = [row for row in rows if row.state == MessageState.PLANNED]
    told = [row.at for row in rows if row.state != MessageState.PLANNED]
    return Knows(
        told_at=max(told, default=None),
        hears_at=min((row.at for row in planned), default=None),
        late=any(row.reason == COMES_LATE for row in planned),
    )
