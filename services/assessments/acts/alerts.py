"""Raise, page again, acknowledge and close safety alerts."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from services.assessments.kit import Kit
from services.assessments.model.alert import ITEM, AlertLevel, cause_of, level_of, rises
from services.assessments.model.lifecycles import ALERT, AlertState
from services.assessments.model.scoring import Answers
from services.assessments.store import alerts
from services.assessments.store.alerts import Alert
from services.assessments.store.checkins import Checkin
from shared.bus import cancel_timers, publish
from shared.database import Transaction
from shared.events import AlertAcknowledged, AlertClosed, AlertOverdue, AlertRaised
from shared.ids import new_id
from shared.telemetry.log import get_logger

log = get_logger(__name__)

_CAUSE: Final = "cause"
_DISPOSITION: Final = "disposition"


def _timer(alert_id: UUID) -> str:
    return f"alert:{alert_id}"


async def raise_for(tx: Transaction, kit: Kit, checkin: Checkin, instrument: str, answers: Answers) -> Alert | None:
    """Raise an alert where answers call for one, or make the check-in's own more urgent; one a check-in.

    It commits with the answers themselves: there is no instant at which they are kept and nobody is told.
    """
    level = level_of(instrument, answers)
    if level is None:
        return None
    cause = kit.keyring.seal(cause_of(answers[ITEM]), context=_CAUSE)
    known = await alerts.of_checkin(tx, checkin.id)
    if known is None:
        alert = Alert(
            id=new_id(),
            clinic=checkin.clinic,
            patient=checkin.patient,
            checkin=checkin.id,
            version=1,
            level=level,
            cause=cause,
            state=AlertState.OPEN,
            raised_at=tx.now,
            pages=1,
        )
        await alerts.add(tx, alert)
    elif known.state is not AlertState.CLOSED and rises(known.level, level):
        alert = await alerts.change(tx, known.id, {"level": level, "cause": cause, "pages": known.pages + 1})
    else:
        return known
    await publish(tx, _raised(AlertRaised, alert, alert.pages))
    if alert.state is AlertState.OPEN:
        await _page_again_later(tx, kit, alert)
    log.warning("alert.raised", alert=str(alert.id), level=alert.level)
    return alert


async def page_again(tx: Transaction, kit: Kit, event: AlertOverdue) -> None:
    """Count a page that has just gone out again, and set the next one, up to the bound."""
    alert = await alerts.get(tx, event.alert)
    if alert is None or alert.state is not AlertState.OPEN or event.page_number <= alert.pages:
        return
    await alerts.count_page(tx, alert.id, event.page_number)
    if event.page_number < kit.times.pages_at_most:
        await _page_again_later(tx, kit, alert, number=event.page_number + 1)
    else:
        log.error("alert.unanswered", alert=str(alert.id), pages=event.page_number)


async def acknowledge(tx: Transaction, alert: Alert, by: str) -> Alert:
    """Note who has seen an alert; no further page goes out.

    Raises:
        IllegalTransitionError: it is acknowledged or closed already.
    """
    ALERT.move(alert.state, AlertState.ACKNOWLEDGED)
    values = {"state": AlertState.ACKNOWLEDGED, "acknowledged_by": by, "acknowledged_at": tx.now}
    changed = await alerts.change(tx, alert.id, values)
    await cancel_timers(tx, _timer(alert.id))
    await publish(
        tx,
        AlertAcknowledged(
            clinic=changed.clinic,
            patient=changed.patient,
            alert=changed.id,
            version=changed.version,
            by=by,
            at=tx.now,
        ),
    )
    return changed


async def close(tx: Transaction, kit: Kit, alert: Alert, by: str, disposition: str) -> Alert:
    """Note how an alert was dealt with.

    Raises:
        IllegalTransitionError: it is closed already.
    """
    ALERT.move(alert.state, AlertState.CLOSED)
    sealed = kit.keyring.seal(disposition, context=_DISPOSITION)
    values = {"state": AlertState.CLOSED, "closed_by": by, "closed_at": tx.now, "disposition": sealed}
    changed = await alerts.change(tx, alert.id, values)
    await cancel_timers(tx, _timer(alert.id))
    await publish(
        tx,
        AlertClosed(
            clinic=changed.clinic,
            patient=changed.patient,
            alert=changed.id,
            version=changed.version,
            by=by,
            at=tx.now,
            disposition=sealed,
        ),
    )
    return changed


def cause_text(kit: Kit, alert: Alert) -> str:
    """Return why an alert was raised, in clear."""
    return kit.keyring.open(alert.cause, context=_CAUSE)


def disposition_text(kit: Kit, alert: Alert) -> str | None:
    """Return how an alert was dealt with, in clear."""
    return None if alert.disposition is None else kit.keyring.open(alert.disposition, context=_DISPOSITION)


def _raised(kind: type[AlertRaised], alert: Alert, page_number: int) -> AlertRaised:
    return kind(
        clinic=alert.clinic,
        patient=alert.patient,
        alert=alert.id,
        version=alert.version,
        level=AlertLevel(alert.level),
        cause=alert.cause,
        raised_at=alert.raised_at,
        page_number=page_number,
    )


async def _page_again_later(tx: Transaction, kit: Kit, alert: Alert, number: int | None = None) -> None:
    number = number or alert.pages + 1
    if number > kit.times.pages_at_most:
        return
    at = tx.now + timedelta(minutes=kit.times.page_again_minutes)
    await publish(tx, _raised(AlertOverdue, alert, number), at=at, timer=_timer(alert.id))
