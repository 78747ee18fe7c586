"""Can a page reach anybody? Known before an alert is raised: who said stop, what is not set up, what failed last."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text, update

from services.notifier.model.outcomes import OPTED_OUT
from services.notifier.model.people import OnCall
from services.notifier.model.purposes import Channel
from services.notifier.store import people
from services.notifier.tables import CLINICS
from shared.bus import publish
from shared.database import Reader, Transaction
from shared.events import OnCallChecked, OnCallContact
from shared.ids import ClinicId
from shared.protection import Keyring
from shared.telemetry.log import get_logger

log = get_logger(__name__)

STOPPED: Final = "stopped"
OFF: Final = "off"
_LAST_PAGE: Final = text(
    """
    SELECT state, error FROM messages
    WHERE to_fingerprint = :fingerprint AND purpose = 'page'
      AND state IN ('failed', 'undelivered', 'accepted', 'sent', 'delivered')
    ORDER BY updated_at DESC LIMIT 1
    """
)
_LOST: Final = frozenset({"failed", "undelivered"})


@dataclass(frozen=True)
class Found:
    """What is known of those on call of a clinic; nobody is on call where it is empty."""

    clinic: ClinicId
    contacts: tuple[OnCallContact, ...]

    @property
    def reaches_nobody(self) -> bool:
        """Whether an alert raised now would page nobody."""
        return all(contact.trouble is not None for contact in self.contacts)

    def words(self) -> str:
        """Return why, for an operator."""
        said = "; ".join(f"{contact.to}: {contact.trouble}" for contact in self.contacts)
        return said or "nobody is on call"


async def found(reader: Reader, keyring: Keyring, channels: Collection[Channel]) -> list[Found]:
    """Return who can be reached in each clinic."""
    rows = await reader.all(select(CLINICS).order_by(CLINICS.c.clinic))
    return [await _of(reader, keyring, channels, row.clinic, people.on_call(row.oncall)) for row in rows]


async def tell(tx: Transaction, keyring: Keyring, channels: Collection[Channel]) -> None:
    """Say for each clinic who can be reached, where that has changed."""
    for each in await found(tx, keyring, channels):
        await _tell(tx, keyring, channels, each)


async def changed(reader: Reader, keyring: Keyring, channels: Collection[Channel]) -> bool:
    """Say whether there is something to tell."""
    told: dict[UUID, Any] = {
        row.clinic: row.reach for row in await reader.all(select(CLINICS.c.clinic, CLINICS.c.reach))
    }
    return any(told.get(each.clinic) != _plain(each) for each in await found(reader, keyring, channels))


async def _tell(tx: Transaction, keyring: Keyring, channels: Collection[Channel], seen: Found) -> None:
    row = await tx.one(select(CLINICS).where(CLINICS.c.clinic == seen.clinic).with_for_update())
    now = await _of(tx, keyring, channels, row.clinic, people.on_call(row.oncall))
    if row.reach == _plain(now):
        return
    version = row.reach_version + 1
    mine = update(CLINICS).where(CLINICS.c.clinic == seen.clinic)
    await tx.execute(mine.values(reach=_plain(now), reach_version=version))
    await publish(tx, OnCallChecked(clinic=seen.clinic, version=version, contacts=now.contacts, at=tx.now))
    if now.reaches_nobody:
        log.error("oncall.unreachable", clinic=str(seen.clinic))


async def _of(
    reader: Reader, keyring: Keyring, channels: Collection[Channel], clinic: UUID, oncall: Sequence[OnCall]
) -> Found:
    contacts = []
    for each in oncall:
        who = people.recipient_of(keyring, each.value)
        # A way of a later version reaches nobody from here: that is said, not left out.
        way = Channel(each.kind) if each.kind in set(Channel) else None
        trouble = OFF if way is None else await _trouble(reader, way, who.fingerprint, channels)
        contacts.append(OnCallContact(kind=each.kind, to=who.masked, trouble=trouble))
    return Found(ClinicId(clinic), tuple(contacts))


async def _trouble(reader: Reader, channel: Channel, fingerprint: str, channels: Collection[Channel]) -> str | None:
    if channel not in channels:
        return OFF
    if await people.stopped(reader, fingerprint):
        return STOPPED
    last = await reader.one_or_none(_LAST_PAGE.bindparams(fingerprint=fingerprint))
    # Refused for a stop that the number has taken back since: that page says nothing of the next one.
    if last is None or last.state not in _LOST or last.error == OPTED_OUT:
        return None
    return last.error or "failed"


def _plain(seen: Found) -> list[dict[str, Any]]:
    return [contact.model_dump(mode="json") for contact in seen.contacts]
