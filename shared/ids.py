"""Identifiers: UUIDv7 for what happens, UUIDv5 for what follows from a cause."""

from typing import Final, NewType
from uuid import UUID

import uuid_utils.compat as uuids

ClinicId = NewType("ClinicId", UUID)
StaffId = NewType("StaffId", UUID)
PatientId = NewType("PatientId", UUID)
ContactId = NewType("ContactId", UUID)
PlanId = NewType("PlanId", UUID)
SessionId = NewType("SessionId", UUID)
MessageId = NewType("MessageId", UUID)
CheckinId = NewType("CheckinId", UUID)
AlertId = NewType("AlertId", UUID)
ProposalId = NewType("ProposalId", UUID)

NAMESPACE: Final = UUID("5b1f0f3e-6f0a-5d57-9d5c-1f6a7c2f9a10")


def new_id() -> UUID:
    """Return a new UUIDv7: unique, and near its neighbours in time on an index page."""
    return uuids.uuid7()


def derived_id(*parts: str) -> UUID:
    """Return the UUIDv5 of a cause, so that the same cause always has the same id."""
    return uuids.uuid5(NAMESPACE, "\x1f".join(parts))
