"""On-call reachability: who said stop, what is not set up, what failed last. Known before an alert is raised."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text, update

from services.notifier.model.call_outcomes import OPTED_OUT
from services.notifier.model.people import OnCall
from services.notifier.model.purposes import Channel
from services.notifier.store import people
from services.notifier.tables import CLINICS
from shared.database import Reader, Transaction
from shared.events import OnCallContact
from shared.ids import ClinicId
from shared.protection import Keyring

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
class OnCallReachability:
    """What is known of those on call of a clinic; nobody is on call where it is empty."""

    clinic: ClinicId
    contacts: tuple[OnCallContact, ...]

    @property
    def reaches_nobody(self) -> bool:
        """Whether an alert raised now would page nobody."""
        return all(contact.trouble is not None for contact in self.contacts)

    def plain(self) -> list[dict[str, Any]]:
        """Return it as it is kept once it was told."""
        return [contact.model_dump(mode="json") for contact in self.contacts]

    def words(self) -> str:
        """Return why, for an operator."""
        said = "; ".join(f"{contact.to}: {contact.trouble}" for contact in self.contacts)
        return said or "nobody is on call"


async def reachability(reader: Reader, keyring: Keyring, channels: Collection[Channel]) -> list[OnCallReachability]:
    """Return who can be reached in each clinic."""
    rows = await reader.all(select(CLINICS).order_by(CLINICS.c.clinic))
    return [await _of(reader, keyring, channels, row.clinic, people.on_call(row.oncall)) for row in rows]


async def changed(reader: Reader, keyring: Keyring, channels: Collection[Channel]) -> bool:
    """Say whether there is something to tell."""
    told: dict[UUID, Any] = {
        row.clinic: row.reach for row in await reader.all(select(CLINICS.c.clinic, CLINICS.c.reach))
    }
    return any(told.get(each.clinic) != each.plain() for each in await reachability(reader, keyring, channels))


async def lock_reachability(
    tx: Transaction, keyring: Keyring, channels: Collection[Channel], clinic: ClinicId
) -> tuple[OnCallReachability, Sequence[Mapping[str, Any]] | None, int]:
    """Lock a clinic; return who can be reached now, what was last told of it, and how often it was told."""
    row = await tx.one(select(CLINICS).where(CLINICS.c.clinic == clinic).with_for_update())
    now = await _of(tx, keyring, channels, clinic, people.on_call(row.oncall))
    return now, row.reach, row.reach_version


async def keep_reachability(tx: Transaction, now: OnCallReachability, version: int) -> None:
    """Write what is told of a clinic now."""
    mine = update(CLINICS).where(CLINICS.c.clinic == now.clinic)
    await tx.execute(mine.values(reach=now.plain(), reach_version=version))


async def _of(
    reader: Reader, keyring: Keyring, channels: Collection[Channel], clinic: UUID, oncall: Sequence[OnCall]
) -> OnCallReachability:
    contacts = []
    for each in oncall:
        who = people.recipient_of(keyring, each.value)
        # A way of a later version reaches nobody from here: that is said, not left out.
        way = Channel(each.kind) if each.kind in set(Channel) else None
        trouble = OFF if way is None else await _trouble(reader, way, who.fingerprint, channels)
        contacts.append(OnCallContact(kind=each.kind, to=who.masked, trouble=trouble))
    return OnCallReachability(ClinicId(clinic), tuple(contacts))


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
