"""Alerts: the people on call are paged, at any hour, without a word of health data."""

from typing import Final

from services.notifier.commands.changes import withhold
from services.notifier.model.purposes import Channel, Purpose
from services.notifier.model.send_rules import Reason
from services.notifier.planner import Planner
from services.notifier.store import people
from services.notifier.store.message_filters import about
from services.notifier.store.messages import PlannedMessage, Recipient
from shared.bus import Handlers, NotYet
from shared.database import Transaction
from shared.events import AlertAcknowledged, AlertClosed, AlertOverdue, AlertRaised
from shared.ids import PatientId

NOT_PAGED: Final = "task"
"""The level of an alert that waits on Today."""


def register(handlers: Handlers, planner: Planner) -> None:
    """Register the handlers of this module."""

    @handlers.on(AlertRaised, AlertOverdue)
    async def page(tx: Transaction, event: AlertRaised) -> None:
        if event.level == NOT_PAGED:
            return
        clinic = await people.clinic(tx, event.clinic)
        if clinic is None:
            raise NotYet("An alert was raised before its clinic arrived.")
        known = [each for each in clinic.oncall if each.kind in set(Channel)]
        on_call = [(Channel(each.kind), people.recipient_of(planner.keyring, each.value)) for each in known]
        # With nobody on call the page is withheld with that reason, for all to see, and never silently absent.
        nobody: list[tuple[Channel, Recipient | None]] = [(Channel.SMS, None)]
        for channel, recipient in on_call or nobody:
            await planner.plan(
                tx,
                PlannedMessage(
                    clinic=event.clinic,
                    patient=None if event.patient is None else PatientId(event.patient),
                    purpose=Purpose.PAGE,
                    channel=channel,
                    occurrence=f"page-{event.page_number}",
                    about=event.alert,
                    turn=recipient.fingerprint if recipient else "",
                    due_at=tx.now,
                    recipient=recipient,
                ),
            )

    @handlers.on(AlertAcknowledged)
    async def alert_acknowledged(tx: Transaction, event: AlertAcknowledged) -> None:
        await withhold(tx, about(event.alert), Reason.ALERT_CLOSED)

    @handlers.on(AlertClosed)
    async def alert_closed(tx: Transaction, event: AlertClosed) -> None:
        await withhold(tx, about(event.alert), Reason.ALERT_CLOSED)
