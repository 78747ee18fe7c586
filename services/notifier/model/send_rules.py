"""May this message go out now? Asked for each message, right before each call to the provider."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.notifier.model.purposes import NOTICES, POLICIES, Channel, Occurrence, Purpose
from services.notifier.model.quiet_hours import WakingHours
from shared.events.scheduling import days_before


class Reason(StrEnum):
    """Why a message waits or does not go out; shown to staff."""

    DISCHARGED = "discharged"
    NO_ADDRESS = "no_address"
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    WRONG_NUMBER = "wrong_number"
    ASKED = "asked"
    BAD_ADDRESS = "bad_address"
    SESSION_MOVED = "session_moved"
    SESSION_OVER = "session_over"
    CHECKIN_CLOSED = "checkin_closed"
    ALERT_CLOSED = "alert_closed"
    ALREADY_BOOKED = "already_booked"
    SUPERSEDED = "superseded"
    TOO_LATE = "too_late"
    QUIET_HOURS = "quiet_hours"
    DAILY_LIMIT = "daily_limit"
    DROPPED = "dropped"


ANOTHER_CHANNEL_MAY_HELP: Final = frozenset(
    {Reason.NO_ADDRESS, Reason.NO_CONSENT, Reason.OPTED_OUT, Reason.WRONG_NUMBER, Reason.BAD_ADDRESS}
)
"""Reasons that lie with the address, not with the message."""


@dataclass(frozen=True)
class Draft:
    """A planned message, as far as the decision needs it.

    Attributes:
        starts_at: for a message about a session, the start that it was planned for.
        useful_until: after this instant it is of no use to anyone.
    """

    purpose: Purpose
    channel: Channel
    occurrence: str
    starts_at: datetime | None = None
    useful_until: datetime | None = None


@dataclass(frozen=True)
class CurrentSession:
    """The session as it now stands."""

    starts_at: datetime
    open: bool


@dataclass(frozen=True)
class SendConditions:
    """What is true at the instant of the decision.

    Attributes:
        zone: the recipient's.
        address: whether there is one to send to.
        consent: whether the purpose was consented to on that address.
        opted_out: whether that number or mailbox said stop.
        asked: whether it was asked if it wants texts, and has not answered.
        bad_address: whether nothing arrives there, as far as is known.
        sent_today: counted messages to this patient on the patient's own day.
        daily_limit: how many of those a day may have.
        booked: whether the patient has a session ahead.
    """

    zone: str
    hours: WakingHours = field(default_factory=WakingHours)
    discharged: bool = False
    address: bool = True
    consent: bool = True
    opted_out: bool = False
    asked: bool = False
    bad_address: bool = False
    session: CurrentSession | None = None
    booked: bool = False
    sent_today: int = 0
    daily_limit: int = 4


@dataclass(frozen=True)
class Send:
    """It goes out now."""


@dataclass(frozen=True)
class Postpone:
    """It waits, visibly, until an instant."""

    until: datetime
    reason: Reason


@dataclass(frozen=True)
class Withhold:
    """It will not go out: it must not, or what it says is no longer true."""

    reason: Reason


@dataclass(frozen=True)
class Expire:
    """It will not go out: it comes too late to be of use."""

    reason: Reason


ASKED_AGAIN: Final = timedelta(hours=4)
"""How often what waits for an answer is looked at again; the answer itself wakes it at once. Engineering default."""

SendDecision = Send | Postpone | Withhold | Expire


def may_send(draft: Draft, conditions: SendConditions, now: datetime) -> SendDecision:
    """Decide over one message at one instant.

    First what forbids it for good (care ended, no address, STOP, no consent, a session that changed), then what makes
    it wait (quiet hours, the daily limit), last whether it is still of use when it may go.
    """
    refusal = _forbidden(draft, conditions)
    if refusal is not None:
        return Withhold(refusal)
    when, waits_for = _earliest(draft, conditions, now)
    stale = _useless(draft, when)
    if stale is not None:
        return Expire(stale)
    return Send() if waits_for is None else Postpone(when, waits_for)


def _forbidden(draft: Draft, conditions: SendConditions) -> Reason | None:
    return _who_may_not(draft, conditions) or _what_is_untrue(draft, conditions)


def _who_may_not(draft: Draft, conditions: SendConditions) -> Reason | None:
    policy = POLICIES[draft.purpose]
    # One text that confirms the stop may follow it (FCC, in force since 2025-04-11).
    stopped = conditions.opted_out and draft.occurrence != Occurrence.STOPPED
    checks = (
        (policy.to_patient and conditions.discharged, Reason.DISCHARGED),
        (not conditions.address, Reason.NO_ADDRESS),
        (stopped, Reason.OPTED_OUT),
        (policy.consent is not None and not conditions.consent, Reason.NO_CONSENT),
        (policy.to_patient and conditions.bad_address, Reason.BAD_ADDRESS),
    )
    return next((reason for applies, reason in checks if applies), None)


def _what_is_untrue(draft: Draft, conditions: SendConditions) -> Reason | None:
    if draft.purpose == Purpose.BOOKING and conditions.booked:
        return Reason.ALREADY_BOOKED
    if draft.starts_at is None:
        return None
    if draft.occurrence == Occurrence.CANCELLED:
        return Reason.SUPERSEDED if conditions.session is None or conditions.session.open else None
    return _session_changed(draft.starts_at, conditions.session)


def _session_changed(planned_for: datetime, session: CurrentSession | None) -> Reason | None:
    if session is None or not session.open:
        return Reason.SESSION_OVER
    return Reason.SESSION_MOVED if session.starts_at != planned_for else None


def _earliest(draft: Draft, conditions: SendConditions, now: datetime) -> tuple[datetime, Reason | None]:
    policy = POLICIES[draft.purpose]
    if conditions.asked and policy.to_patient:
        return now + ASKED_AGAIN, Reason.ASKED
    # Word that a time no longer holds is no use tomorrow: it counts, and is not held back.
    limited = policy.counted and draft.channel == Channel.SMS and draft.occurrence not in NOTICES
    if limited and conditions.sent_today >= conditions.daily_limit:
        return conditions.hours.next_day(now, conditions.zone), Reason.DAILY_LIMIT
    if policy.keeps_quiet:
        opening = conditions.hours.earliest(now, conditions.zone)
        if opening > now:
            return opening, Reason.QUIET_HOURS
    return now, None


def _useless(draft: Draft, when: datetime) -> Reason | None:
    if draft.useful_until is not None and when >= draft.useful_until:
        return Reason.TOO_LATE
    if draft.starts_at is None:
        return None
    if when >= draft.starts_at:
        return Reason.TOO_LATE
    # "In three days" a few hours before is untrue, and the reminder of the day before says it right; one of a week
    # before is void when half of that week is over. Engineering default.
    days = days_before(draft.occurrence) if draft.purpose == Purpose.REMINDER else None
    if days is not None and days > 1 and when > draft.starts_at - timedelta(days=max(1, days // 2)):
        return Reason.SUPERSEDED
    return None
