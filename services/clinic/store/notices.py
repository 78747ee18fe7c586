"""What a patient knows of a session that changed: what they were told before, and when they hear of the change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update

from services.clinic.model.reads import COMES_LATE, Message, MessageState
from services.clinic.model.worklist import CHANGES, Found
from services.clinic.store import reads
from services.clinic.tables import MESSAGES
from shared.database import Reader, Transaction
from shared.ids import ClinicId


@dataclass(frozen=True)
class Knows:
    """What a patient knows of a session.

    Attributes:
        told_at: when they were last told something of it; None where never.
        hears_at: when a message about the change goes out; None where none is planned.
        late: whether that is too late, so that somebody should call.
    """

    informed_at: datetime | None
    hears_at: datetime | None
    late: bool


async def knows(reader: Reader, clinic: ClinicId, session: UUID) -> Knows:
    """Return what the patient knows of a session, as far as the clinic was told."""
    about = (MESSAGES.c.clinic == clinic, MESSAGES.c.about == session, MESSAGES.c.purpose == "reminder")
    states = [str(MessageState.SENT), str(MessageState.DELIVERED), str(MessageState.PLANNED)]
    mine = select(MESSAGES.c.state, MESSAGES.c.at, MESSAGES.c.reason).where(*about, MESSAGES.c.state.in_(states))
    rows = await reader.all(mine.order_by(MESSAGES.c.at))
    planned = [row for row in rows if row.state == MessageState.PLANNED]
    informed = [row.at for row in rows if row.state != MessageState.PLANNED]
    return Knows(
        informed_at=max(informed, default=None),
        hears_at=min((row.at for row in planned), default=None),
        late=any(row.reason == COMES_LATE for row in planned),
    )


_SETTLED: Final = ("superseded", "session_moved", "session_over")
"""Why a word of a change was taken back: another change said it better, or nothing had changed after all."""


async def to_call(reader: Reader, clinic: ClinicId, *, limit: int) -> Found[Message]:
    """Return words of a change that come too late or not at all, and whom nobody has called, the oldest first.

    Where another word of the same session is out, by another channel or of a later change, nobody need call.
    """
    where = _unheard(clinic)
    rows = await reads.messages_in_order(reader, where, limit=limit)
    return Found(rows, int(await reader.scalar(select(func.count()).select_from(MESSAGES).where(where)) or 0))


async def called(tx: Transaction, clinic: ClinicId, message: UUID, *, by: str) -> bool:
    """Note who has called about a change; tell whether there was such a call to make."""
    about = select(MESSAGES.c.about).where(MESSAGES.c.id == message, MESSAGES.c.clinic == clinic).scalar_subquery()
    mine = _change(clinic) & (MESSAGES.c.about == about) & MESSAGES.c.seen_by.is_(None)
    return (
        await tx.execute(update(MESSAGES).where(mine).values(seen_by=by).returning(MESSAGES.c.id))
    ).first() is not None


def _unheard(clinic: ClinicId) -> ColumnElement[bool]:
    state, reason = MESSAGES.c.state, MESSAGES.c.reason
    unsaid = or_(
        and_(state == str(MessageState.PLANNED), reason == COMES_LATE),
        state == str(MessageState.FAILED),
        and_(state == str(MessageState.WITHHELD), reason.not_in(_SETTLED)),
    )
    return _change(clinic) & unsaid & MESSAGES.c.seen_by.is_(None) & ~_heard().exists()


def _heard() -> Select[tuple[UUID]]:
    other = MESSAGES.alias("other")
    return select(other.c.id).where(
        other.c.clinic == MESSAGES.c.clinic,
        other.c.patient == MESSAGES.c.patient,
        other.c.about == MESSAGES.c.about,
        other.c.occurrence.in_(CHANGES),
        other.c.state.in_([str(MessageState.SENT), str(MessageState.DELIVERED)]),
        other.c.id > MESSAGES.c.id,
    )


def _change(clinic: ClinicId) -> ColumnElement[bool]:
    return reads.of_clinic(MESSAGES, clinic) & MESSAGES.c.occurrence.in_(CHANGES) & (MESSAGES.c.purpose == "reminder")
