"""Writing down what other services' events and answers say; an older version changes nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.clinic.model.reads import SessionState
from services.clinic.model.states import known
from services.clinic.tables import ALERTS, CHECKINS, CONSENTS, FINDINGS, MESSAGES, ONCALL, REPLIES, SESSIONS
from shared.bus import NotYet
from shared.database import Reader, Transaction
from shared.ids import ClinicId


async def keep(tx: Transaction, table: Table, values: Mapping[str, Any]) -> bool:
    """Write a thing as its owner says it stands; tell whether that was news."""
    statement = insert(table).values(values)
    known = {name: statement.excluded[name] for name in values if name != "id"}
    newer = table.c.version < statement.excluded.version
    result = await tx.execute(
        statement.on_conflict_do_update(index_elements=[table.c.id], set_=known, where=newer).returning(table.c.id)
    )
    return result.first() is not None


async def keep_message(tx: Transaction, values: Mapping[str, Any]) -> bool:
    """Write what became of a message and add that to its story."""
    statement = insert(MESSAGES).values(values)
    known = {name: statement.excluded[name] for name in values if name not in {"id", "story"}}
    longer = MESSAGES.c.story.op("||")(statement.excluded.story)
    newer = MESSAGES.c.version < statement.excluded.version
    result = await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[MESSAGES.c.id], set_={**known, "story": longer}, where=newer
        ).returning(MESSAGES.c.id)
    )
    return result.first() is not None


async def change(tx: Transaction, table: Table, thing: UUID, version: int, values: Mapping[str, Any]) -> bool:
    """Write what changed of a thing; tell whether that was news.

    Raises:
        NotYet: the event that made the thing has not arrived.
    """
    known = await tx.scalar(select(table.c.version).where(table.c.id == thing).with_for_update())
    if known is None:
        raise NotYet(f"{table.name} holds no {thing} yet; its beginning has not arrived.")
    if known >= version:
        return False
    await tx.execute(update(table).where(table.c.id == thing).values(version=version, **values))
    return True


async def count_page(tx: Transaction, alert: UUID, number: int) -> None:
    """Note that an alert was paged again; the thing's own version stays."""
    pages = func.greatest(ALERTS.c.pages, number)
    await tx.execute(update(ALERTS).where(ALERTS.c.id == alert).values(pages=pages))


async def note_next_page(tx: Transaction, alert: UUID, at: datetime | None) -> None:
    """Note when those on call are paged again, unless a later page is known; the thing's own version stays."""
    if at is not None:
        later = func.greatest(ALERTS.c.next_page_at, at)
        await tx.execute(update(ALERTS).where(ALERTS.c.id == alert).values(next_page_at=later))


async def keep_oncall(tx: Transaction, clinic: ClinicId, version: int, contacts: list[dict[str, Any]]) -> None:
    """Write who of those on call can be reached, unless something newer is held."""
    values = {"version": version, "contacts": contacts}
    statement = insert(ONCALL).values(clinic=clinic, **values)
    newer = ONCALL.c.version < version
    await tx.execute(statement.on_conflict_do_update(index_elements=[ONCALL.c.clinic], set_=values, where=newer))


async def keep_consent(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Write the latest word about a contact point and purpose."""
    statement = insert(CONSENTS).values(values)
    known = {name: statement.excluded[name] for name in ("version", "granted", "how", "at")}
    newer = CONSENTS.c.version < statement.excluded.version
    keys = [CONSENTS.c.contact, CONSENTS.c.purpose]
    await tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=known, where=newer))


async def keep_finding(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Write the latest word about something that a person must mend."""
    statement = insert(FINDINGS).values(values)
    known = {name: statement.excluded[name] for name in ("version", "what", "at")}
    newer = FINDINGS.c.version < statement.excluded.version
    keys = [FINDINGS.c.clinic, FINDINGS.c.kind]
    await tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=known, where=newer))


async def mark_read(tx: Transaction, clinic: ClinicId, reply: UUID, by: str) -> bool:
    """Note who has read a reply; tell whether there is such a reply."""
    mine = (REPLIES.c.id == reply) & (REPLIES.c.clinic == clinic)
    result = await tx.execute(
        update(REPLIES).where(mine).values(read_by=func.coalesce(REPLIES.c.read_by, by)).returning(REPLIES.c.id)
    )
    return result.first() is not None


async def mark_all_read(tx: Transaction, until: datetime, by: str) -> None:
    """Note that every reply and every answer until an instant was read."""
    old = (REPLIES.c.at < until) & REPLIES.c.read_by.is_(None)
    await tx.execute(update(REPLIES).where(old).values(read_by=by))
    answered = (CHECKINS.c.completed_at < until) & CHECKINS.c.seen_by.is_(None)
    await tx.execute(update(CHECKINS).where(answered).values(seen_by=by, seen_at=until))


async def version_of(reader: Reader, table: Table, thing: UUID) -> int | None:
    """Return the version of a thing that is held here."""
    found = await reader.scalar(select(table.c.version).where(table.c.id == thing))
    return None if found is None else int(found)


async def session_state(reader: Reader, session: UUID) -> tuple[SessionState | str, int] | None:
    """Return the state and version of a session that is held here."""
    row = await reader.one_or_none(select(SESSIONS.c.state, SESSIONS.c.version).where(SESSIONS.c.id == session))
    return None if row is None else (known(SessionState, row.state), row.version)


async def is_nobodys_alert(reader: Reader, clinic: ClinicId, alert: UUID) -> bool:
    """Tell whether the clinic has this alert and it is about no patient."""
    mine = (ALERTS.c.id == alert) & (ALERTS.c.clinic == clinic) & ALERTS.c.patient.is_(None)
    return await reader.scalar(select(ALERTS.c.id).where(mine)) is not None


async def patient_of_reply(reader: Reader, clinic: ClinicId, reply: UUID) -> UUID | None:
    """Return whose reply this is, or None where the clinic has no such one, or knows nobody of its number."""
    return await patient_of(reader, REPLIES, clinic, reply)


async def patient_of(reader: Reader, table: Table, clinic: ClinicId, thing: UUID) -> UUID | None:
    """Return whose thing this is, or None where the clinic has no such thing."""
    found: UUID | None = await reader.scalar(
        select(table.c.patient).where(table.c.id == thing, table.c.clinic == clinic)
    )
    return found
