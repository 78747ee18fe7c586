"""Sessions, as far as a message about one needs them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, bindparam, case, select
from sqlalchemy.dialects.postgresql import insert

from services.notifier.model.purposes import Channel, Consented, Occurrence, Purpose
from services.notifier.store.people import best_channel, usable
from services.notifier.tables import MESSAGES, PATIENTS, SESSIONS
from shared.database import Reader, Transaction
from shared.events import SessionEvent

_OPEN: Final = ("booked", "confirmed")


@dataclass(frozen=True, slots=True)
class Remindable:
    """A session of which somebody may be reminded.

    Attributes:
        placed: the version that last changed the start.
        channel: that a reminder takes; None where the patient agreed to none that works.
        entry: whether a mail with the calendar entry is of use beside a text: the patient agreed to mail too, and none
            has been planned of this start.
    """

    starts_at: datetime
    placed: int
    channel: str | None
    entry: bool


async def keep_session(tx: Transaction, event: SessionEvent) -> bool:
    """Keep a session as an event says; return False where this version or a newer one is held.

    `placed` stays while the start stays and the session with it: it tells the reminders of one time from those of
    another, and those of a session that was restored from those that fell away with it.
    """
    values = {
        "version": event.version,
        "state": event.state,
        "starts_at": event.starts_at,
        "zone": event.zone,
        "starts_at_utc": event.starts_at_utc,
        "minutes": event.minutes,
    }
    statement = insert(SESSIONS).values(
        session=event.session, patient=event.patient, clinic=event.clinic, placed=event.version, **values
    )
    same_start = SESSIONS.c.starts_at_utc == statement.excluded.starts_at_utc
    restored = SESSIONS.c.state.not_in(_OPEN) & statement.excluded.state.in_(_OPEN)
    stays = same_start & ~restored
    replaced = {**values, "placed": case((stays, SESSIONS.c.placed), else_=statement.excluded.placed)}
    newer = SESSIONS.c.version < statement.excluded.version
    kept = await tx.execute(statement.on_conflict_do_update(index_elements=["session"], set_=replaced, where=newer))
    return int(kept.rowcount) > 0


async def sessions_and_channels(reader: Reader, sessions: Iterable[UUID]) -> dict[UUID, Remindable]:
    """Return sessions with the channel that a reminder takes, of those where session and patient are known.

    One statement for many: of all that happens here, sessions that become due are what comes in crowds.
    """
    channel = best_channel(SESSIONS.c.patient, Consented.REMINDERS).scalar_subquery().label("channel")
    mail = usable(SESSIONS.c.patient, Consented.REMINDERS, Channel.EMAIL).exists() & ~_mailed().exists()
    both = SESSIONS.join(PATIENTS, PATIENTS.c.patient == SESSIONS.c.patient)
    wanted = bindparam("sessions", list(sessions), type_=ARRAY(Uuid))
    columns = (SESSIONS.c.session, SESSIONS.c.starts_at_utc, SESSIONS.c.placed, channel, mail.label("entry"))
    found = select(*columns).select_from(both).where(SESSIONS.c.session == wanted.any_())
    return {
        row.session: Remindable(row.starts_at_utc, row.placed, row.channel, entry=row.entry)
        for row in await reader.all(found)
    }


def _mailed() -> Select[tuple[UUID]]:
    """Select mails about a session at the start that it has, by the beginning of the business key."""
    return select(MESSAGES.c.id).where(
        MESSAGES.c.clinic == SESSIONS.c.clinic,
        MESSAGES.c.patient == SESSIONS.c.patient,
        MESSAGES.c.purpose == Purpose.REMINDER,
        MESSAGES.c.about == SESSIONS.c.session,
        MESSAGES.c.channel == Channel.EMAIL,
        MESSAGES.c.starts_at == SESSIONS.c.starts_at_utc,
        MESSAGES.c.occurrence != Occurrence.CANCELLED,
    )
