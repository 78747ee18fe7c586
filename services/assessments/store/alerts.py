"""Safety alerts and the pages that went out for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.assessments.model.alert import AlertLevel
from services.assessments.model.lifecycles import AlertState
from services.assessments.tables import alerts, pages
from shared.database import Reader, Transaction
from shared.events import MessageEvent
from shared.ids import ClinicId

REACHED: Final = frozenset({"sent", "delivered"})
_NOT_CLOSED: Final = "SELECT count(*) FROM alerts WHERE patient = $1 AND state <> 'closed' AND level <> 'task'"


@dataclass(frozen=True)
class Alert:
    """An alert as it stands.

    Attributes:
        patient: None for a text from a number that is no patient's.
        checkin: whose answers raised it.
        reply: the text that raised it.
        sender: fingerprint of the number that it came from, where that is no patient's.
        kind, severity: sealed; None where an older version raised it.
        cause: sealed.
        pages: how often it was paged.
        disposition: sealed.
    """

    id: UUID
    clinic: ClinicId
    patient: UUID | None
    checkin: UUID | None
    reply: UUID | None
    kind: str | None
    version: int
    level: AlertLevel
    severity: str | None
    cause: str
    state: AlertState
    raised_at: datetime
    pages: int
    acknowledged_by: str | None = None
    acknowledged_staff: UUID | None = None
    acknowledged_at: datetime | None = None
    closed_by: str | None = None
    closed_staff: UUID | None = None
    closed_at: datetime | None = None
    disposition: str | None = None
    sender: str | None = None


@dataclass(frozen=True)
class Page:
    """A message to the on-call person; `to` is masked."""

    alert: UUID
    to: str
    channel: str
    round: int
    at: datetime
    state: str
    reason: str | None

    @property
    def reached(self) -> bool:
        """Whether the provider has taken it."""
        return self.state in REACHED


def _alert(row: Row[Any]) -> Alert:
    values = dict(row._mapping)  # noqa: SLF001 - a row's public way to its columns by name
    values["checkin"] = row.checkin or row.again_of
    del values["again_of"]
    read = {"level": AlertLevel(row.level), "state": AlertState(row.state)}
    return Alert(**{**values, **read})


async def add(tx: Transaction, alert: Alert) -> None:
    """Insert an alert. The first of a check-in stands where older code looks for it, and finds no other."""
    first = alert.checkin is None or not await of_checkin(tx, alert.checkin)
    about = {"checkin": alert.checkin if first else None, "again_of": None if first else alert.checkin}
    values = {field.name: getattr(alert, field.name) for field in fields(alert)}
    await tx.execute(insert(alerts).values({**values, **about}))


async def that_matter(reader: Reader, patient: UUID | None, *, since: datetime) -> list[UUID]:
    """Return the alerts about a patient, or about none, open still or closed after an instant, oldest first."""
    about = alerts.c.patient.is_(None) if patient is None else alerts.c.patient == patient
    matters = (alerts.c.state != AlertState.CLOSED) | (alerts.c.closed_at > since)
    wanted = select(alerts.c.id).where(about, matters).order_by(alerts.c.raised_at, alerts.c.id)
    return [row.id for row in await reader.all(wanted)]


async def get(reader: Reader, alert_id: UUID) -> Alert | None:
    row = await reader.one_or_none(select(alerts).where(alerts.c.id == alert_id))
    return None if row is None else _alert(row)


async def of_checkin(reader: Reader, checkin_id: UUID) -> list[Alert]:
    """Return the alerts that a check-in raised, newest first."""
    mine = select(alerts).where((alerts.c.checkin == checkin_id) | (alerts.c.again_of == checkin_id))
    return [_alert(row) for row in await reader.all(mine.order_by(alerts.c.raised_at.desc(), alerts.c.id.desc()))]


async def of_reply(reader: Reader, reply: UUID) -> Alert | None:
    """Return the alert that a text raised, or None."""
    row = await reader.one_or_none(select(alerts).where(alerts.c.reply == reply))
    return None if row is None else _alert(row)


async def by_words_since(reader: Reader, clinic_id: UUID, about: UUID | str | None, since: datetime) -> int:
    """Return how many alerts a person's texts raised since an instant which nobody has closed.

    Args:
        reader: of the service.
        clinic_id: whose alerts.
        about: the patient, or the fingerprint of a number that is no patient's: one stranger silences no other.
        since: from then on.
    """
    counted = select(func.count()).select_from(alerts)
    one = alerts.c.patient == about if isinstance(about, UUID) else alerts.c.sender == about
    open_still = (alerts.c.reply.is_not(None), alerts.c.raised_at > since, alerts.c.state != AlertState.CLOSED)
    mine = (alerts.c.clinic == clinic_id, one, *open_still)
    return int(await reader.scalar(counted.where(*mine)) or 0)


async def unanswered(reader: Reader, clinic_id: UUID) -> list[Alert]:
    """Return a clinic's alerts that page and that nobody has acknowledged."""
    mine = (alerts.c.clinic == clinic_id, alerts.c.state == AlertState.OPEN, alerts.c.level != AlertLevel.TASK)
    return [_alert(row) for row in await reader.all(select(alerts).where(*mine).order_by(alerts.c.id))]


async def lock(tx: Transaction, alert_id: UUID) -> None:
    """Lock an alert that is about nobody known, in place of its patient."""
    await tx.execute(select(alerts.c.id).where(alerts.c.id == alert_id).with_for_update())


async def of_clinic(
    reader: Reader, clinic_id: UUID, *, state: AlertState | None, limit: int, after: UUID | None
) -> list[Alert]:
    """Return a clinic's alerts, newest first."""
    wanted = select(alerts).where(alerts.c.clinic == clinic_id)
    if state is not None:
        wanted = wanted.where(alerts.c.state == state)
    if after is not None:
        edge = select(alerts.c.raised_at).where(alerts.c.id == after).scalar_subquery()
        older = (alerts.c.raised_at < edge) | ((alerts.c.raised_at == edge) & (alerts.c.id < after))
        wanted = wanted.where(older)
    rows = await reader.all(wanted.order_by(alerts.c.raised_at.desc(), alerts.c.id.desc()).limit(limit + 1))
    return [_alert(row) for row in rows]


async def not_closed(reader: Reader, patient_id: UUID) -> int:
    """Return how many of a patient's alerts that page nobody has closed."""
    rows = await reader.fetch(_NOT_CLOSED, patient_id)
    return int(rows[0]["count"])


async def change(tx: Transaction, alert_id: UUID, values: Mapping[str, object]) -> Alert:
    """Change an alert, one version on; return it as it now stands."""
    result = await tx.execute(
        update(alerts).where(alerts.c.id == alert_id).values(version=alerts.c.version + 1, **values).returning(alerts)
    )
    return _alert(result.one())


async def count_page(tx: Transaction, alert_id: UUID, number: int) -> None:
    """Keep how often an alert was paged."""
    await tx.execute(update(alerts).where(alerts.c.id == alert_id).values(pages=number))


async def note_page(tx: Transaction, alert_id: UUID, event: MessageEvent, state: str) -> None:
    """Keep what became of a page, unless something newer is kept."""
    values = {"version": event.version, "state": state, "reason": event.reason or event.error, "at": event.at}
    about = {"message": event.message, "alert": alert_id, "channel": event.channel, "round": round_of(event)}
    await tx.execute(
        insert(pages)
        .values(to=event.to, **about, **values)
        .on_conflict_do_update(index_elements=[pages.c.message], set_=values, where=pages.c.version < event.version)
    )


async def pages_of(reader: Reader, alert_ids: Sequence[UUID]) -> dict[UUID, list[Page]]:
    """Return the pages of alerts, first to last."""
    rows = await reader.all(select(pages).where(pages.c.alert.in_(alert_ids)).order_by(pages.c.at, pages.c.message))
    found: dict[UUID, list[Page]] = {alert_id: [] for alert_id in alert_ids}
    for row in rows:
        found[row.alert].append(Page(row.alert, row.to, row.channel, row.round, row.at, row.state, row.reason))
    return found


def round_of(event: MessageEvent) -> int:
    """Return which page of its alert a message is part of."""
    number = event.occurrence.removeprefix("page-")
    return int(number) if number.isdecimal() else 0
