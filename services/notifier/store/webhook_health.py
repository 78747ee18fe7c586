"""Do the provider's calls come through, and what was written while they did not?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.notifier.tables import INBOUND, WEBHOOK_HEALTH
from shared.database import Reader, Transaction

REFUSED_AFTER: Final = timedelta(minutes=2)
"""How long refused calls may go on before they are a finding. Engineering default."""
REFUSED_AT: Final = 3
"""Refused calls that are a finding at once. Engineering default."""
_ONLY: Final = 1


@dataclass(frozen=True, slots=True)
class WebhookHealth:
    """What is known of the provider's calls.

    Attributes:
        refused_since: since when what came is to be fetched from the list; None where nothing is.
        refused: calls that named our account and were refused since a signature was last right.
        read_at: up to when the list was read.
        first_refused_at: when the first of them was refused, however often the list was read since; None where it is
            not known.
    """

    refused_since: datetime | None
    refused: int
    read_at: datetime | None
    first_refused_at: datetime | None


@dataclass(frozen=True)
class RefusedCalls:
    """Calls that name our account are refused."""

    count: int
    since: datetime

    def words(self) -> str:
        """Return the finding with its causes and remedy, for an operator and for the staff."""
        return (
            f"{self.count} calls of the texting provider were refused since {self.since:%Y-%m-%d %H:%M} UTC: its "
            "signature does not fit. Either its auth token was changed (put the new one into "
            "KEEPWELL_TWILIO_AUTH_TOKEN, or beside the old one into KEEPWELL_TWILIO_AUTH_TOKEN_OTHER), or "
            "KEEPWELL_PUBLIC_URL is not the address that it calls. Until then replies and stops come late, by its "
            "list, or not at all"
        )


async def now_known(reader: Reader) -> WebhookHealth | None:
    """Return what is known of the provider's calls; None where no process was ever told of any."""
    row = await reader.one_or_none(select(WEBHOOK_HEALTH))
    return None if row is None else WebhookHealth(row.refused_since, row.refused, row.read_at, row.first_refused_at)


async def heard(tx: Transaction) -> None:
    """Write that a signature was right: what was refused before is fetched now."""
    well = {"heard_at": tx.now, "refused": 0, "first_refused_at": None}
    statement = insert(WEBHOOK_HEALTH).values(only=_ONLY, **well)
    await tx.execute(statement.on_conflict_do_update(index_elements=["only"], set_=well))


async def refused(tx: Transaction) -> None:
    """Write that a call which names our account was refused."""
    statement = insert(WEBHOOK_HEALTH).values(only=_ONLY, refused_since=tx.now, refused=1, first_refused_at=tx.now)
    values = {
        # From when the last one came through: what was missed may be older than the first that was refused.
        "refused_since": func.coalesce(WEBHOOK_HEALTH.c.refused_since, WEBHOOK_HEALTH.c.heard_at, tx.now),
        "refused": WEBHOOK_HEALTH.c.refused + 1,
        "first_refused_at": func.coalesce(WEBHOOK_HEALTH.c.first_refused_at, tx.now),
    }
    await tx.execute(statement.on_conflict_do_update(index_elements=["only"], set_=values))


async def begin(tx: Transaction) -> None:
    """Write that a process begins: what came while none listened is fetched before anything goes out."""
    since = func.coalesce(WEBHOOK_HEALTH.c.refused_since, WEBHOOK_HEALTH.c.heard_at)
    await tx.execute(update(WEBHOOK_HEALTH).values(refused_since=since, refused=0, first_refused_at=None))


async def read_until(tx: Transaction, began: datetime) -> None:
    """Write that the list was read as it was at an instant; where calls are still refused it is read on from there."""
    still = case((WEBHOOK_HEALTH.c.refused > 0, began), else_=None)
    await tx.execute(update(WEBHOOK_HEALTH).values(read_at=began, refused_since=still))


async def known(reader: Reader, sids: Sequence[str]) -> set[str]:
    """Return those of the provider's ids whose texts were acted on."""
    return {each.sid for each in await reader.all(select(INBOUND.c.sid).where(INBOUND.c.sid.in_(sids)))}


def refused_calls(found: WebhookHealth | None, now: datetime) -> RefusedCalls | None:
    """Return the finding, where calls are refused for a while or a handful of them were."""
    since = None if found is None else found.first_refused_at or found.refused_since
    if found is None or not found.refused or since is None:
        return None
    if found.refused < REFUSED_AT and since > now - REFUSED_AFTER:
        return None
    return RefusedCalls(found.refused, since)
