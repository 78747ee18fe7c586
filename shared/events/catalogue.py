"""The catalogue: every message that crosses a service boundary, by its type."""

from typing import Final

from shared.events import assessments, clinic, messaging, scheduling
from shared.events.base import Event

EVENTS: Final[tuple[type[Event], ...]] = (
    clinic.ClinicChanged,
    clinic.PatientEnrolled,
    clinic.PatientChanged,
    clinic.PatientDischarged,
    scheduling.PlanStarted,
    scheduling.PlanChanged,
    scheduling.SessionBooked,
    scheduling.SessionMoved,
    scheduling.SessionConfirmed,
    scheduling.SessionCancelled,
    scheduling.SessionAttended,
    scheduling.SessionMissed,
    scheduling.SessionUnconfirmed,
    scheduling.SessionCorrected,
    scheduling.SessionDue,
    scheduling.BookingDue,
    scheduling.CheckinDue,
    messaging.MessagePlanned,
    messaging.MessageSent,
    messaging.MessageDelivered,
    messaging.MessageFailed,
    messaging.MessageWithheld,
    messaging.MessagesRead,
    messaging.OnCallChecked,
    messaging.ConsentChanged,
    messaging.ContactChecked,
    messaging.ContactDoubted,
    messaging.ReplyReceived,
    messaging.UnknownNumberTexted,
    messaging.FindingChanged,
    assessments.CheckinOpened,
    assessments.CheckinCompleted,
    assessments.ResultChanged,
    assessments.AnswersSetAside,
    assessments.CheckinExpired,
    assessments.AlertRaised,
    assessments.AlertOverdue,
    assessments.AlertAcknowledged,
    assessments.AlertClosed,
    assessments.IntervalProposed,
    assessments.IntervalExpired,
    assessments.IntervalDecided,
    assessments.IntervalTakenBack,
)
BY_TYPE: Final[dict[str, type[Event]]] = {event.TYPE: event for event in EVENTS}
