"""Safety alerts: list, acknowledge, close."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.assessments.api.access import Access, Words, as_problems
from services.assessments.commands import alerts as commands
from services.assessments.model.disposition import flaw_of
from services.assessments.model.lifecycles import AlertState
from services.assessments.store import alerts
from services.assessments.store.alerts import Alert
from services.assessments.views import AlertView
from shared.database import Reader, Transaction
from shared.ids import ClinicId
from shared.web.api import (
    Body,
    CloseAlertCommand,
    CommandCall,
    Listing,
    Paging,
    Reads,
    WriteCommand,
    listing,
    versioned,
)
from shared.web.problems import Invalid, NotFound


class Acknowledgement(Body):
    """Somebody has seen the alert; who, is the token's name."""


class Closing(Body):
    """What was done about the alert: at least two words that say something, in at least ten letters."""

    disposition: Words


def add(routes: APIRouter, access: Access) -> None:
    """Add the routes of alerts."""

    @routes.get("/alerts")
    async def list_alerts(principal: Reads, page: Paging, state: AlertState | None = None) -> Listing[AlertView]:
        """Return the clinic's alerts, newest first; `state` is `open`, `acknowledged` or `closed`."""
        async with access.database.reading() as reader:
            found = await alerts.of_clinic(reader, principal.clinic, state=state, limit=page.limit, after=page.after)
            paged = await alerts.pages_of(reader, [alert.id for alert in found])
        views = [AlertView.of(access.deps, alert, paged[alert.id]) for alert in found]
        return listing(views, page, cursor=lambda view: str(view.id))

    @routes.get("/alerts/{alert_id}", response_model=AlertView)
    async def read_alert(alert_id: UUID, principal: Reads) -> Response:
        """Return an alert."""
        async with access.database.reading() as reader:
            return versioned(await _view(reader, access, await _own(reader, principal.clinic, alert_id)))

    @routes.post("/alerts/{alert_id}/acknowledge", response_model=AlertView)
    async def acknowledge_alert(
        alert_id: UUID, command: WriteCommand, _body: Acknowledgement | None = None
    ) -> Response:
        """Say that somebody has seen the alert; it pages again after an hour until it is closed."""

        async def work(tx: Transaction) -> AlertView:
            alert, who = await _locked(tx, command, alert_id), command.principal
            with as_problems():
                return await _view(tx, access, await commands.acknowledge_alert(tx, alert, who.name, who.staff))

        return await command.run(access.database, work)

    @routes.post("/alerts/{alert_id}/close", response_model=AlertView)
    async def close_alert(alert_id: UUID, body: Closing, command: CloseAlertCommand) -> Response:
        """Say what was done about the alert: it leaves Today, and intervals can be decided again.

        It takes a clinician, or a token with the scope `alerts:close`.
        """
        if (flaw := flaw_of(body.disposition)) is not None:
            raise Invalid.at("/disposition", flaw)

        async def work(tx: Transaction) -> AlertView:
            alert, who = await _locked(tx, command, alert_id), command.principal
            with as_problems():
                closed = await commands.close_alert(tx, access.deps, alert, who.name, body.disposition, staff=who.staff)
            return await _view(tx, access, closed)

        return await command.run(access.database, work)


async def _own(reader: Reader, clinic: ClinicId, alert_id: UUID) -> Alert:
    found = await alerts.get(reader, alert_id)
    if found is None or found.clinic != clinic:
        raise NotFound("There is no such alert in this clinic.")
    return found


async def _locked(tx: Transaction, command: CommandCall, alert_id: UUID) -> Alert:
    clinic = command.principal.clinic
    await commands.lock(tx, await _own(tx, clinic, alert_id))
    alert = await _own(tx, clinic, alert_id)
    command.if_match(alert.version)
    return alert


async def _view(reader: Reader, access: Access, alert: Alert) -> AlertView:
    return AlertView.of(access.deps, alert, (await alerts.pages_of(reader, [alert.id]))[alert.id])
