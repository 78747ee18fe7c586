"""Raise, page again, acknowledge and close safety alerts."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from services.assessments.commands import proposals
from services.assessments.dependencies import Dependencies
from services.assessments.model.alert import (
    MOST_ALERTS_AN_HOUR,
    PAGE_AGAIN_AFTER_ACKNOWLEDGING,
    AlertKind,
    AlertLevel,
    Concern,
    concern_of_words,
    concerns_of,
    severity_of,
)
from services.assessments.model.lifecycles import ALERT, AlertState
from services.assessments.model.scoring import Answers
from services.assessments.store import alerts, read_models
from services.assessments.store.alerts import Alert
from services.assessments.store.checkins import Checkin
from shared.bus import cancel_timers, pending_timers, publish
from shared.database import Transaction
from shared.events import AlertAcknowledged, AlertClosed, AlertOverdue, AlertRaised, MessageEvent
from shared.ids import ClinicId, new_id
from shared.telemetry.log import get_logger

log = get_logger(__name__)

_CAUSE: Final = "cause"
_DISPOSITION: Final = "disposition"
_KIND: Final = "alert-kind"
_SEVERITY: Final = "severity"
_SOONEST: Final = timedelta(minutes=1)
_GROWS_FOR: Final = 6
"""After so many rounds that reached nobody a pause of one minute, doubled each time, is beyond any setting."""


def _timer(alert_id: UUID) -> str:
    return f"alert:{alert_id}"


async def raise_for(
    tx: Transaction,
    deps: Dependencies,
    checkin: Checkin,
    instrument: str,
    answers: Answers,
    *,
    words: str | None = None,
) -> Alert | None:
    """Raise the alerts that answers, and words written with them, call for; return the gravest that pages, or None.

    Each kind has one alert of a check-in that is not closed. A worse answer makes that one more urgent, or opens a new
    one where it was closed; the same or a milder one changes nothing. It commits with the answers themselves: there is
    no instant at which they are kept and nobody is told.
    """
    raised: list[Alert] = []
    earlier = None
    asked = deps.packs.get(instrument)
    written = concern_of_words(words, f"{asked.wording['en'].title}, in their own words") if words else None
    for concern in [*concerns_of(asked, answers), *([] if written is None else [written])]:
        earlier = await alerts.of_checkin(tx, checkin.id) if earlier is None else earlier
        same = [alert for alert in earlier if kind_of(deps, alert) is concern.kind]
        raised.append(await _raise_or_worsen(tx, deps, checkin, concern, same))
    paging = (alert for alert in raised if alert.level.pages)
    return max(paging, key=lambda alert: severity_of(alert.level), default=None)


async def raise_for_words(
    tx: Transaction,
    deps: Dependencies,
    *,
    clinic: ClinicId,
    patient: UUID | None,
    reply: UUID,
    words: str,
    where: str,
    sender: str | None = None,
) -> Alert | None:
    """Raise an alert where somebody's own words sound like a person in danger, once for each text.

    Args:
        tx: the patient is locked in it, where there is one.
        deps: of the service.
        clinic: whose people are paged.
        patient: who wrote, or None where the number is no patient's.
        reply: the text.
        words: what was written, in clear.
        where: where it was written, for the person who reads the alert.
        sender: fingerprint of the number, where it is no patient's.
    """
    concern = concern_of_words(words, where)
    if concern is None or await alerts.of_reply(tx, reply) is not None:
        return None
    if await alerts.by_words_since(tx, clinic, patient or sender, tx.now - timedelta(hours=1)) >= MOST_ALERTS_AN_HOUR:
        log.warning("alert.repeated", reply=str(reply))
        return None
    return await _raise(tx, deps, concern, clinic=clinic, patient=patient, reply=reply, sender=sender)


async def page_again(tx: Transaction, deps: Dependencies, event: AlertOverdue) -> None:
    """Count a page that has just gone out again, and set the next one: there is no last.

    Nor is there an escalation from a first to a second person: each page goes to everybody on call at once.
    """
    alert = await alerts.get(tx, event.alert)
    if alert is None:
        return
    alert = await _locked(tx, alert)
    if alert.state is AlertState.CLOSED or event.page_number <= alert.pages:
        return
    await alerts.count_page(tx, alert.id, event.page_number)
    await _page_again_in(tx, alert, _pause(deps, alert.state), number=event.page_number + 1)
    log.info("alert.paged_again", alert=str(alert.id), pages=event.page_number, state=alert.state)


async def page_at_once(tx: Transaction, clinic: ClinicId) -> None:
    """Page what reached nobody yet: whom to page may have changed."""
    waiting = await alerts.unanswered(tx, clinic)
    paged = await alerts.pages_of(tx, [alert.id for alert in waiting])
    for alert in waiting:
        if any(page.reached for page in paged[alert.id]):
            continue
        now = await _locked(tx, alert)
        if now.state is AlertState.OPEN:
            await _page_again_in(tx, now, timedelta(0), number=now.pages + 1)


async def heed_page(tx: Transaction, deps: Dependencies, event: MessageEvent, state: str) -> None:
    """Keep what became of a page; where all of its round came to nothing, page again soon."""
    alert = None if event.about is None else await alerts.get(tx, event.about)
    if alert is None:
        return
    alert = await _locked(tx, alert)
    await alerts.note_page(tx, alert.id, event, state)
    if state in alerts.REACHED or alert.state is not AlertState.OPEN or alerts.round_of(event) != alert.pages:
        return
    paged = (await alerts.pages_of(tx, [alert.id]))[alert.id]
    mine = [page for page in paged if page.round == alert.pages]
    expected = max(1, await read_models.oncall(tx, alert.clinic))
    if len(mine) < expected or any(page.reached for page in mine):
        return
    pause = min(_SOONEST * 2 ** min(alert.pages - 1, _GROWS_FOR), _pause(deps, alert.state))
    await _page_again_in(tx, alert, pause, number=alert.pages + 1)
    log.error("alert.reached_nobody", alert=str(alert.id), pages=alert.pages)


async def acknowledge_alert(tx: Transaction, alert: Alert, by: str, staff: UUID | None = None) -> Alert:
    """Note who has seen an alert; it pages again only if it is not closed in time.

    Raises:
        IllegalTransitionError: it is acknowledged or closed already.
    """
    ALERT.move(alert.state, AlertState.ACKNOWLEDGED)
    who = {"acknowledged_by": by, "acknowledged_staff": staff, "acknowledged_at": tx.now}
    changed = await alerts.change(tx, alert.id, {"state": AlertState.ACKNOWLEDGED, **who})
    again_at = tx.now + PAGE_AGAIN_AFTER_ACKNOWLEDGING if changed.level.pages else None
    await publish(tx, AlertAcknowledged(**_about(changed), by=by, staff=staff, at=tx.now, next_page_at=again_at))
    if changed.level.pages:
        await _page_again_in(tx, changed, PAGE_AGAIN_AFTER_ACKNOWLEDGING, number=changed.pages + 1)
    return changed


async def close_alert(
    tx: Transaction, deps: Dependencies, alert: Alert, by: str, disposition: str, *, staff: UUID | None = None
) -> Alert:
    """Note how an alert was dealt with.

    Raises:
        IllegalTransitionError: it is closed already.
    """
    ALERT.move(alert.state, AlertState.CLOSED)
    sealed = deps.keyring.seal(disposition, context=_DISPOSITION)
    who = {"closed_by": by, "closed_staff": staff, "closed_at": tx.now, "disposition": sealed}
    changed = await alerts.change(tx, alert.id, {"state": AlertState.CLOSED, **who})
    await cancel_timers(tx, _timer(alert.id))
    await publish(tx, AlertClosed(**_about(changed), by=by, staff=staff, at=tx.now, disposition=sealed))
    # What held an interval because of this alert holds it no longer.
    patient = None if changed.patient is None else await read_models.patient(tx, changed.patient)
    if patient is not None:
        await proposals.reconsider(tx, deps, patient)
    return changed


async def tell_again(tx: Transaction, alert: Alert) -> int:
    """Tell how an alert stands, and see that it goes on paging; return how many facts were told.

    A page is known by its number: one that went out is not made twice. Where the record of the last page that fell due
    was lost before it was heeded here, no timer was set for the next one, and paging would have ended.
    """
    if alert.state is AlertState.CLOSED:
        closed = {"by": alert.closed_by, "staff": alert.closed_staff, "at": alert.closed_at}
        await publish(tx, AlertClosed(**_about(alert), **closed, disposition=alert.disposition))
        return 1
    pending = await pending_timers(tx, _timer(alert.id)) if alert.level.pages else {}
    raised = _raised(AlertRaised, alert, alert.pages)
    taken = alert.state is AlertState.ACKNOWLEDGED
    # It was raised at the version before at the latest; who knows of the acknowledgement is not told that it is open.
    await publish(tx, raised.model_copy(update={"version": max(1, alert.version - 1)}) if taken else raised)
    if taken:
        seen = {"by": alert.acknowledged_by, "staff": alert.acknowledged_staff, "at": alert.acknowledged_at}
        again_at = pending.get(_timer(alert.id), tx.now) if alert.level.pages else None
        await publish(tx, AlertAcknowledged(**_about(alert), **seen, next_page_at=again_at))
    if alert.level.pages and not pending:
        await _page_again_in(tx, alert, timedelta(0), number=alert.pages + 1)
    return 1 + taken


def cause_text(deps: Dependencies, alert: Alert) -> str:
    """Return why an alert was raised, in clear."""
    return deps.keyring.open(alert.cause, context=_CAUSE)


def kind_of(deps: Dependencies, alert: Alert) -> AlertKind:
    """Return what an alert is about; an older version knew of one thing alone."""
    return AlertKind.ITEM_9 if alert.kind is None else AlertKind(deps.keyring.open(alert.kind, context=_KIND))


def disposition_text(deps: Dependencies, alert: Alert) -> str | None:
    """Return how an alert was dealt with, in clear."""
    return None if alert.disposition is None else deps.keyring.open(alert.disposition, context=_DISPOSITION)


async def _locked(tx: Transaction, alert: Alert) -> Alert:
    """Lock whose alert it is and return the alert as it then stands."""
    await lock(tx, alert)
    return await alerts.get(tx, alert.id) or alert


async def lock(tx: Transaction, alert: Alert) -> None:
    """Lock the patient of an alert, or the alert itself where it is about nobody known."""
    if alert.patient is None:
        await alerts.lock(tx, alert.id)
    else:
        await read_models.lock_patient(tx, alert.patient)


async def _raise_or_worsen(
    tx: Transaction, deps: Dependencies, checkin: Checkin, concern: Concern, same: list[Alert]
) -> Alert:
    worst = max(same, key=lambda alert: _severity(deps, alert), default=None)
    if worst is not None and concern.severity <= _severity(deps, worst):
        # What somebody writes besides is read anew, though it sounds no worse; the same words are not.
        known_words = concern.cause in {cause_text(deps, alert) for alert in same}
        if concern.kind is not AlertKind.CRISIS_WORDS or known_words:
            return worst
    waiting = next((alert for alert in same if alert.state is not AlertState.CLOSED), None)
    if waiting is None:
        return await _raise(
            tx, deps, concern, clinic=ClinicId(checkin.clinic), patient=checkin.patient, checkin=checkin.id
        )
    if waiting.state is not AlertState.OPEN:
        ALERT.move(waiting.state, AlertState.OPEN)
    taken_back = {"acknowledged_by": None, "acknowledged_staff": None, "acknowledged_at": None}
    pages = waiting.pages + 1 if concern.level.pages else 0
    said = {"state": AlertState.OPEN, "level": concern.level, "pages": pages, **_sealed(deps, concern), **taken_back}
    return await _tell(tx, deps, await alerts.change(tx, waiting.id, said))


async def _raise(
    tx: Transaction,
    deps: Dependencies,
    concern: Concern,
    *,
    clinic: ClinicId,
    patient: UUID | None,
    checkin: UUID | None = None,
    reply: UUID | None = None,
    sender: str | None = None,
) -> Alert:
    sealed = _sealed(deps, concern)
    alert = Alert(
        id=new_id(),
        clinic=clinic,
        patient=patient,
        checkin=checkin,
        reply=reply,
        sender=sender,
        kind=sealed["kind"],
        version=1,
        level=concern.level,
        severity=sealed["severity"],
        cause=sealed["cause"],
        state=AlertState.OPEN,
        raised_at=tx.now,
        pages=1 if concern.level.pages else 0,
    )
    await alerts.add(tx, alert)
    return await _tell(tx, deps, alert)


async def _tell(tx: Transaction, deps: Dependencies, alert: Alert) -> Alert:
    await publish(tx, _raised(AlertRaised, alert, alert.pages))
    if alert.level.pages:
        await _page_again_in(tx, alert, _pause(deps, alert.state), number=alert.pages + 1)
    log.warning("alert.raised", alert=str(alert.id), level=alert.level)
    return alert


def _sealed(deps: Dependencies, concern: Concern) -> dict[str, str]:
    return {
        "cause": deps.keyring.seal(concern.cause, context=_CAUSE),
        "kind": deps.keyring.seal(concern.kind, context=_KIND),
        "severity": deps.keyring.seal(str(concern.severity), context=_SEVERITY),
    }


def _severity(deps: Dependencies, alert: Alert) -> int:
    """Return how grave what raised an alert was; of one by an older version only the level is known."""
    if alert.severity is None:
        return severity_of(AlertLevel(alert.level))
    return int(deps.keyring.open(alert.severity, context=_SEVERITY))


def _about(alert: Alert) -> dict[str, Any]:
    return {"clinic": alert.clinic, "patient": alert.patient, "alert": alert.id, "version": alert.version}


def _raised(kind: type[AlertRaised], alert: Alert, page_number: int, **more: object) -> AlertRaised:
    return kind(
        **_about(alert),
        level=alert.level,
        cause=alert.cause,
        raised_at=alert.raised_at,
        page_number=page_number,
        checkin=alert.checkin,
        reply=alert.reply,
        **more,
    )


def _pause(deps: Dependencies, state: AlertState) -> timedelta:
    if state is AlertState.ACKNOWLEDGED:
        return PAGE_AGAIN_AFTER_ACKNOWLEDGING
    return timedelta(minutes=deps.times.page_again_minutes)


async def _page_again_in(tx: Transaction, alert: Alert, pause: timedelta, *, number: int) -> None:
    """Set or replace the timer of the next page."""
    at = tx.now + pause
    after = at + PAGE_AGAIN_AFTER_ACKNOWLEDGING if alert.state is AlertState.ACKNOWLEDGED else None
    await publish(tx, _raised(AlertOverdue, alert, number, next_page_at=after), at=at, timer=_timer(alert.id))
