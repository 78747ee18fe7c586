"""Safety alerts and the pages that went out for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from services.assessments.model.alert import AlertLevel
from services.assessments.model.lifecycles import AlertState
from services.assessments.tables import alerts, pages
from shared.database import Reader, Transaction
from shared.events import MessageEvent
from shared.ids import ClinicId


@dataclass(frozen=True)
class Alert:
    """An alert as it stands; `cause` and `disposition` are sealed."""

    id: UUID
    clinic: ClinicId
    patient: UUID
    checkin: UUID
    version: int
    level: AlertLevel
    cause: str
    state: AlertState
    raised_at: datetime
    pages: int
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    disposition: str | None = None


@dataclass(frozen=True)
class Page:
    """A message to the on-call person; `to` is masked."""

    alert: UUID
    to: str
    at: datetime
    state: str
    reason: str | None


def _alert(row: Row[Any]) -> Alert:
    values = dict(row._mapping)  # noqa: SLF001 - a row's public way to its columns by name
    return Alert(**{**values, "level": AlertLevel(row.level), "state": AlertState(row.state)})


async def add(tx: Transaction, alert: Alert) -> None:
    """Insert an alert."""
    await tx.execute(
        insert(alerts).values(
            id=alert.id,
            clinic=alert.clinic,
            patient=alert.patient,
            checkin=alert.checkin,
            version=alert.version,
            level=alert.level,
            cause=alert.cause,
            state=alert.state,
            raised_at=alert.raised_at,
            pages=alert.pages,
        )
    )


async def get(reader: Reader, alert_id: UUID) -> Alert | None:
    """Return an alert, or None."""
    row = await reader.one_or_none(select(alerts).where(alerts.c.id == alert_id))
    return None if row is None else _alert(row)


async def of_checkin(reader: Reader, checkin_id: UUID) -> Alert | None:
    """Return the alert that a check-in raised, or None."""
    row = await reader.one_or_none(select(alerts).where(alerts.c.checkin == checkin_id))
    return None if row is None else _alert(row)


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
    """Return how many of a patient's alerts nobody has closed."""
    rows = await reader.fetch("SELECT count(*) FROM alerts WHERE patient = $1 AND state <> 'closed'", patient_id)
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
    await tx.execute(
        insert(pages)
        .values(message=event.message, alert=alert_id, to=event.to, **values)
        .on_conflict_do_update(index_elements=[pages.c.message], set_=values, where=pages.c.version < event.version)
    )


async def pages_of(reader: Reader, alert_ids: Sequence[UUID]) -> dict[UUID, list[Page]]:
    """Return the pages of alerts, first to last."""
    rows = await reader.all(select(pages).where(pages.c.alert.in_(alert_ids)).order_by(pages.c.at, pages.c.message))
    found: dict[UUID, list[Page]] = {alert_id: [] for alert_id in alert_ids}
    for row in rows:
        found[row.alert].append(Page(row.alert, row.to, row.at, row.state, row.reason))
    return found
