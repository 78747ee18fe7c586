"""What a patient's "yes, I will come" does, and their "no"."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.scheduler.model.sessions import Session, SessionState
from shared.ids import PatientId


class ReplyOutcome(StrEnum):
    """What became of a reply; kept with it, so that staff can be told why a session is not confirmed."""

    CONFIRMED = "confirmed"
    ALREADY_CONFIRMED = "already-confirmed"
    NO_SESSION = "no-session"
    OLD_VERSION = "old-version"
    CLOSED = "closed"
    STARTED = "started"
    TAKEN_BACK = "taken-back"
    NOT_CONFIRMED = "not-confirmed"


@dataclass(frozen=True)
class Reply:
    """A yes or a no as it is kept, with the session and version that it answers."""

    id: UUID
    patient: PatientId
    session: UUID | None
    session_version: int | None
    at: datetime
    outcome: ReplyOutcome


def outcome_of_yes(session: Session | None, *, patient: PatientId, version: int | None, now: datetime) -> ReplyOutcome:
    """Return what a confirmation does to the session that it names.

    It holds for the version of the session that the patient was told of and for no other: "yes" to Tuesday is no "yes"
    to Thursday.
    """
    refused = _refused(session, patient, version)
    if refused is not None or session is None:
        return refused or ReplyOutcome.NO_SESSION
    if session.state is SessionState.CONFIRMED:
        return ReplyOutcome.ALREADY_CONFIRMED
    return ReplyOutcome.STARTED if session.slot.starts_at_utc <= now else ReplyOutcome.CONFIRMED


def outcome_of_no(session: Session | None, *, patient: PatientId, version: int | None, now: datetime) -> ReplyOutcome:
    """Return what a "no" does to the session that it names: a confirmation is taken back, and nothing else changes.

    A session is cancelled by staff, who may agree on another time; until then it is booked, and not agreed.
    """
    refused = _refused(session, patient, version)
    if refused is not None or session is None:
        return refused or ReplyOutcome.NO_SESSION
    if session.state is not SessionState.CONFIRMED:
        return ReplyOutcome.NOT_CONFIRMED
    return ReplyOutcome.STARTED if session.slot.starts_at_utc <= now else ReplyOutcome.TAKEN_BACK


def _refused(session: Session | None, patient: PatientId, version: int | None) -> ReplyOutcome | None:
    if session is None or session.patient != patient:
        return ReplyOutcome.NO_SESSION
    if not session.open:
        return ReplyOutcome.CLOSED
    confirmed = session.state is SessionState.CONFIRMED
    # Confirming raised the version by one; the same reminder answered twice still means the same time.
    if version != session.version and not (confirmed and version == session.version - 1):
        return ReplyOutcome.OLD_VERSION
    return None
