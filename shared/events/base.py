"""What every event is: a frozen fact with a type, a version of the thing it speaks of, and a key."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.ids import ClinicId

SealedText = Annotated[str, Field(description="AES-256-GCM, as `<key id>.<base64url>`", pattern=r"^[^.]+\.[\w=-]+$")]
WallTime = Annotated[str, Field(description="local wall time", examples=["2026-12-01T10:00"])]
Version = Annotated[int, Field(ge=1, description="of the thing that the event speaks of; older ones are ignored")]


class Topic(StrEnum):
    """One topic for each service that produces, and one for what nobody could handle."""

    CLINIC = "keepwell.clinic"
    SCHEDULING = "keepwell.scheduling"
    MESSAGING = "keepwell.messaging"
    ASSESSMENTS = "keepwell.assessments"
    DEAD_LETTERS = "keepwell.dead-letters"


class Piece(BaseModel):
    """A part of an event; a reader ignores the fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Piece):
    """A fact that crosses a service boundary.

    `TYPE` is its CloudEvents type, `TOPIC` where it travels, `SCHEMA` the version of its form.
    """

    TYPE: ClassVar[str]
    TOPIC: ClassVar[Topic]
    SCHEMA: ClassVar[int] = 1

    clinic: ClinicId
    version: Version

    @property
    def key(self) -> UUID:
        """Return the id whose events keep their order."""
        raise TypeError(f"{type(self).__name__} names no key.")


class PatientEvent(Event):
    """An event of one patient; one patient's events stay in order."""

    patient: UUID

    @property
    def key(self) -> UUID:
        return self.patient


Instant = AwareDatetime
__all__ = ["Event", "Instant", "PatientEvent", "Piece", "SealedText", "Topic", "Version", "WallTime"]
