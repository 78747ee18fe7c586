"""Restores, and messages that one holds up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.notifier.model.due import DueMessage
from services.notifier.model.message import Message
from services.notifier.model.purposes import Channel, Purpose
from services.notifier.model.reconciliation import Candidate, Gap
from services.notifier.model.states import State
from services.notifier.store.messages import message_of
from services.notifier.tables import HOLDS, MESSAGES, RESTORE_CHANGES, RESTORES
from shared.database import Reader, Transaction

_OPEN: Final = RESTORES.c.closed_at.is_(None)
_WAITING: Final = HOLDS.c.cleared_at.is_(None)
_ANSWERED_FOR: Final = text(
    "SELECT sid FROM holds, unnest(seen) AS sid WHERE cleared_at IS NOT NULL AND sid = ANY (CAST(:sids AS text[]))"
)


@dataclass(frozen=True)
class Lost:
    """What is known of the time that a restore takes back.

    Attributes:
        backed_up_at: its beginning.
        forgotten: whether nobody can tell what changed in it.
        changes: types of the lost events by patient.
        consents: contact and whether it was granted, in the order in which patients said so.
    """

    backed_up_at: datetime
    forgotten: bool
    changes: Mapping[UUID, Sequence[str]]
    consents: Sequence[tuple[UUID, bool]]


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore of the database to an earlier point.

    Attributes:
        backed_up_at: from here on the database has forgotten.
        texts_read_at: when the texts that patients sent in between were fetched.
        forgotten: whether nobody can tell what changed in between.
    """

    id: int
    backed_up_at: datetime
    restored_at: datetime
    texts_read_at: datetime | None
    forgotten: bool


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """A message that waits since a restore.

    Attributes:
        gap: the time that the database has forgotten.
        address: sealed.
        body_prints: fingerprints of the words that it could have had.
        why: why a person is asked, once one is.
    """

    message: Message
    gap: Gap
    address: str
    body_prints: Sequence[str]
    since: datetime
    why: str | None

    def candidate(self) -> Candidate:
        """Return what the decision over it needs.

        Raises:
            ValueError: its purpose or channel is not known here.
        """
        return Candidate(Purpose(self.message.purpose), Channel(self.message.channel), self.message.not_before)


@dataclass(frozen=True)
class Detained:
    """A message that may not go yet.

    Attributes:
        restore: that holds it up.
        address: sealed.
        body_prints: fingerprints of the words that it could have had.
        look_at: when to ask the provider; None where a person is asked.
    """

    message: DueMessage
    restore: int
    address: str
    body_prints: list[str]
    look_at: datetime | None
    why: str | None


async def begin(tx: Transaction, lost: Lost) -> None:
    """Open a restore in place of one that is open."""
    # A backup that was made while an earlier restore was open has forgotten what that one had.
    earlier = await tx.scalar(select(func.min(RESTORES.c.backed_up_at)).where(_OPEN))
    forgot_before = await tx.scalar(select(func.bool_or(RESTORES.c.forgotten)).where(_OPEN))
    await tx.execute(update(RESTORES).where(_OPEN).values(closed_at=tx.now))
    since = min(lost.backed_up_at, earlier) if earlier is not None else lost.backed_up_at
    values = {"backed_up_at": since, "restored_at": tx.now, "forgotten": lost.forgotten or bool(forgot_before)}
    restore = (await tx.execute(insert(RESTORES).values(**values).returning(RESTORES.c.id))).scalar_one()
    if lost.changes:
        rows = [{"restore": restore, "patient": key, "what": sorted(what)} for key, what in lost.changes.items()]
        await tx.execute(insert(RESTORE_CHANGES), rows)


async def open_restore(reader: Reader) -> Restore | None:
    row = await reader.one_or_none(select(RESTORES).where(_OPEN))
    if row is None:
        return None
    return Restore(row.id, row.backed_up_at, row.restored_at, row.texts_read_at, forgotten=row.forgotten)


async def texts_read(tx: Transaction, restore: int) -> None:
    """Write that the texts which patients sent in the lost time were fetched."""
    await tx.execute(update(RESTORES).where(RESTORES.c.id == restore).values(texts_read_at=tx.now))


async def keep(tx: Transaction, detained: Sequence[Detained]) -> None:
    """Write what is known of messages that are held now."""
    rows = [
        {
            "message": each.message.id,
            "restore": each.restore,
            "since": tx.now,
            "address": each.address,
            "body_prints": each.body_prints,
            "look_at": each.look_at,
            "why": each.why,
        }
        for each in detained
    ]
    statement = insert(HOLDS)
    again = {name: statement.excluded[name] for name in ("restore", "address", "body_prints", "look_at", "why")}
    await tx.execute(
        statement.on_conflict_do_update(index_elements=["message"], set_=again | {"cleared_at": None}), rows
    )


async def due(reader: Reader, most: int) -> list[HeldMessage]:
    """Return held messages about which the provider is to be asked now, in the order in which they were due."""
    found = _held().where(HOLDS.c.look_at <= reader.now).order_by(MESSAGES.c.due_at, MESSAGES.c.id)
    return list(map(_held_of, await reader.all(found.limit(most))))


def _held() -> Select[Any]:
    changed = select(RESTORE_CHANGES.c.patient).where(
        RESTORE_CHANGES.c.restore == HOLDS.c.restore, RESTORE_CHANGES.c.patient == MESSAGES.c.patient
    )
    columns = (*MESSAGES.c, HOLDS.c.body_prints, HOLDS.c.why, HOLDS.c.since, HOLDS.c.look_at)
    columns += (HOLDS.c.address.label("held_address"), changed.exists().label("changed"))
    columns += (RESTORES.c.backed_up_at, RESTORES.c.restored_at, RESTORES.c.forgotten)
    joined = HOLDS.join(MESSAGES, MESSAGES.c.id == HOLDS.c.message).join(RESTORES, RESTORES.c.id == HOLDS.c.restore)
    return select(*columns).select_from(joined).where(MESSAGES.c.state == State.HELD, _WAITING)


def _held_of(row: Row[Any]) -> HeldMessage:
    gap = Gap(since=row.backed_up_at, until=row.restored_at, changed=row.changed, forgotten=row.forgotten)
    return HeldMessage(message_of(row), gap, row.held_address, row.body_prints, row.since, row.why)


async def next_look(reader: Reader) -> datetime | None:
    """Return when the provider is next asked about a held message."""
    mine = select(func.min(HOLDS.c.look_at)).select_from(HOLDS.join(MESSAGES, MESSAGES.c.id == HOLDS.c.message))
    found: datetime | None = await reader.scalar(mine.where(MESSAGES.c.state == State.HELD, _WAITING))
    return found


async def put_off(tx: Transaction, message: UUID, at: datetime) -> None:
    """Write when the provider is asked again."""
    await tx.execute(update(HOLDS).where(HOLDS.c.message == message).values(look_at=at))


async def ask_person(tx: Transaction, message: UUID, why: str, seen: Sequence[str]) -> None:
    """Write why a person is asked, and from which of the provider's texts."""
    mine = update(HOLDS).where(HOLDS.c.message == message)
    await tx.execute(mine.values(look_at=None, why=why, seen=list(seen)))


async def clear(tx: Transaction, message: UUID) -> None:
    """Write that a message may go after a restore, or need not any more."""
    await tx.execute(update(HOLDS).where(HOLDS.c.message == message).values(cleared_at=tx.now, look_at=None))


async def answered_for(reader: Reader, sids: Sequence[str]) -> set[str]:
    """Return those of the provider's ids that a person was asked about, and decided: they hold up nothing more."""
    return {row.sid for row in await reader.all(_ANSWERED_FOR.bindparams(sids=list(sids)))}


async def waiting(reader: Reader) -> list[HeldMessage]:
    """Return what waits for a person, in the order in which it was due."""
    found = _held().where(HOLDS.c.look_at.is_(None)).order_by(MESSAGES.c.due_at, MESSAGES.c.id)
    return list(map(_held_of, await reader.all(found)))


async def counts(reader: Reader) -> dict[str, int]:
    """Return how many messages wait for the provider's word, and how many for a person's."""
    held = select(
        func.count().filter(HOLDS.c.look_at.is_not(None)).label("asked"),
        func.count().filter(HOLDS.c.look_at.is_(None)).label("persons"),
    ).select_from(HOLDS.join(MESSAGES, MESSAGES.c.id == HOLDS.c.message))
    row = await reader.one(held.where(MESSAGES.c.state == State.HELD, _WAITING))
    return {"held": row.asked + row.persons, "held_for_a_person": row.persons}


async def close(tx: Transaction) -> None:
    """Write that the open restore is over."""
    await tx.execute(update(RESTORES).where(_OPEN).values(closed_at=tx.now))
    await tx.execute(delete(RESTORE_CHANGES))
