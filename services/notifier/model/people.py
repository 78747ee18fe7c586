"""Clinics and contact points as their rows stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """A number or mail address of a patient.

    Attributes:
        kind: `sms` or `email`; a way of a later version is kept, and nothing is sent by it.
        purposes: consented to, as the clinic last said.
    """

    contact: UUID
    patient: UUID
    clinic: UUID
    kind: str
    fingerprint: str
    purposes: Sequence[str]


@dataclass(frozen=True, slots=True)
class NumberUser:
    """A patient who uses a number, with that contact point.

    Attributes:
        patient: the record in which care goes on.
        owner: the record that the contact point belongs to; another one where that was joined into this one.
    """

    patient: UUID
    clinic: UUID
    owner: UUID
    contact: UUID
    kind: str
    purposes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Stop:
    """A number's word that texts end: `how` it was said, such as `text`."""

    how: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OnCall:
    """Somebody on call; `value` is sealed."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Clinic:
    """A clinic, as far as messages and pages need it; `oncall` are those whom alerts page."""

    clinic: UUID
    sender_name: str
    oncall: Sequence[OnCall]
