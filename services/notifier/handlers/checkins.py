"""Check-ins: the link goes out once, and only while it leads somewhere."""

from datetime import UTC, datetime, time, timedelta

from services.notifier.commands.changes import withhold
from services.notifier.model.purposes import Consented, Purpose
from services.notifier.model.send_rules import Reason
from services.notifier.planner import Planner
from services.notifier.store import people
from services.notifier.store.message_filters import about, other_checkins, other_turns
from services.notifier.store.messages import PlannedMessage
from shared.bus import Handlers, NotYet
from shared.database import Transaction
from shared.events import CheckinCompleted, CheckinExpired, CheckinOpened
from shared.events.assessments import CheckinEvent
from shared.ids import PatientId


def register(handlers: Handlers, planner: Planner) -> None:
    """Register the handlers of this module."""

    @handlers.on(CheckinOpened)
    async def checkin_opened(tx: Transaction, event: CheckinOpened) -> None:
        if not await people.known(tx, event.patient, version=event.patient_version):
            raise NotYet("A check-in was opened before its patient, as they now are, arrived.")
        if event.version == 1:
            # After a pause several may have gathered: only the latest is worth an answer. Links that are renewed come
            # together, and each is the only one of its check-in.
            await withhold(tx, other_checkins(event.patient, event.checkin), Reason.SUPERSEDED)
        channel = await people.channel_of(tx, PatientId(event.patient), Consented.CHECKINS)
        turn = str(event.version) if event.version > 1 else ""
        planned = await planner.plan(
            tx,
            PlannedMessage(
                clinic=event.clinic,
                patient=PatientId(event.patient),
                purpose=Purpose.CHECKIN,
                channel=channel,
                occurrence=event.occurrence,
                about=event.checkin,
                turn=turn,
                due_at=tx.now,
                useful_until=event.expires_at,
                link=event.link,
                # It is asked on that day where the patient lives, which begins up to 14 hours earlier than in UTC.
                not_before=datetime.combine(event.asked_for, time(), UTC) - timedelta(hours=14),
            ),
        )
        if planned is not None:
            # The link before leads nowhere any more.
            await withhold(tx, other_turns(event.checkin, turn), Reason.SUPERSEDED)

    @handlers.on(CheckinCompleted, CheckinExpired)
    async def checkin_closed(tx: Transaction, event: CheckinEvent) -> None:
        await withhold(tx, about(event.checkin), Reason.CHECKIN_CLOSED)
