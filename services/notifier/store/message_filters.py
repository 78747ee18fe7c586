"""Which messages a change is about: conditions over `messages`."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from services.notifier.model.purposes import NOTICES, Channel, Occurrence, Purpose
from services.notifier.model.states import State
from services.notifier.tables import CONTACT_POINTS, MESSAGES, STOPS

MessageFilter: TypeAlias = ColumnElement[bool]


def about(what: UUID) -> MessageFilter:
    """Match the messages about a session, check-in, plan or alert."""
    return MESSAGES.c.about == what


def about_another_start(session: UUID, starts_at: datetime) -> MessageFilter:
    """Match the messages about a session that were planned for a start which it does not have."""
    return about(session) & (MESSAGES.c.starts_at != starts_at)


def notices_about(session: UUID) -> MessageFilter:
    """Match word that a session's time no longer holds."""
    return about(session) & MESSAGES.c.occurrence.in_(NOTICES)


def other_checkins(patient: UUID, checkin: UUID) -> MessageFilter:
    """Match a patient's check-ins but for one."""
    return (MESSAGES.c.patient == patient) & (MESSAGES.c.purpose == Purpose.CHECKIN) & (MESSAGES.c.about != checkin)


def other_turns(checkin: UUID, turn: str) -> MessageFilter:
    """Match the messages of a check-in that have another link than the one of this turn."""
    return about(checkin) & (MESSAGES.c.turn != turn)


def of_clinic(clinic: UUID) -> MessageFilter:
    """Match the messages of a clinic."""
    return MESSAGES.c.clinic == clinic


def for_purposes(patient: UUID, purposes: Collection[Purpose]) -> MessageFilter:
    """Match the messages to a patient that are sent for one of these purposes."""
    return (MESSAGES.c.patient == patient) & MESSAGES.c.purpose.in_(purposes)


def only_to(fingerprint: str) -> MessageFilter:
    """Match pending texts that have no other number to go to."""
    mine = select(CONTACT_POINTS.c.patient).where(CONTACT_POINTS.c.fingerprint == fingerprint)
    other = CONTACT_POINTS.alias()
    stopped = select(STOPS.c.fingerprint).where(STOPS.c.fingerprint == other.c.fingerprint).exists()
    has_other = (
        select(other.c.contact)
        .where(
            other.c.patient == MESSAGES.c.patient,
            other.c.kind == Channel.SMS,
            ~other.c.retired,
            other.c.wrong_at.is_(None),
            other.c.fingerprint != fingerprint,
            other.c.purposes != [],
            ~stopped,
        )
        .exists()
    )
    to_patient = and_(MESSAGES.c.address.is_(None), MESSAGES.c.patient.in_(mine), ~has_other)
    to_number = and_(MESSAGES.c.address.is_not(None), MESSAGES.c.to_fingerprint == fingerprint)
    return and_(
        MESSAGES.c.channel == Channel.SMS,
        MESSAGES.c.occurrence != Occurrence.STOPPED,
        or_(to_patient, to_number),
    )


def of_patients(patients: Iterable[UUID]) -> MessageFilter:
    """Match the messages to patients."""
    return MESSAGES.c.patient.in_(list(patients))


def of_a_patient() -> MessageFilter:
    """Match what goes to a patient."""
    return MESSAGES.c.patient.is_not(None)


def held_among(messages: Iterable[UUID]) -> MessageFilter:
    """Match those of these messages that are held since a restore."""
    return MESSAGES.c.id.in_(list(messages)) & (MESSAGES.c.state == State.HELD)
