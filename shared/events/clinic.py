"""Events of the clinic service: clinics, their patients, and whom to page."""

from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from pydantic import Field

from shared.events.base import Event, Instant, PatientEvent, Piece, SealedText, Topic

ContactKind = Annotated[str, Field(description="sms or email; may grow", examples=["sms"])]
Purpose = Annotated[str, Field(description="reminders, checkins or booking; may grow", examples=["reminders"])]
CONSENT: Final = "consent"
"""The context that the words of a consent are sealed for."""


class StaffContact(Piece):
    """Where a member of staff is paged; `value` is sealed for the context `contact`."""

    kind: ContactKind
    value: SealedText


class CrisisTexts(Piece):
    """What the clinic says to a person in crisis, in each language."""

    en: str
    es: str


class ClinicChanged(Event):
    """A clinic was set up or changed."""

    TYPE: ClassVar = "clinic.changed"
    TOPIC: ClassVar = Topic.CLINIC
    SCHEMA: ClassVar = 2

    name: str
    sender_name: str = Field(description="neutral name for texts: it must not give away the speciality")
    zone: str
    phone: str = Field(description="the clinic's public number")
    quiet_from: str = Field("08:00", description="texts go out from this wall time of the recipient")
    quiet_until: str = Field("21:00", description="texts go out until this wall time of the recipient")
    crisis: CrisisTexts
    oncall: tuple[StaffContact, ...] = ()

    @property
    def key(self) -> UUID:
        return self.clinic


class Consent(Piece):
    """A patient's word that a contact point may be used for a purpose.

    How they gave it is sealed for the context `consent`, as whoever wrote it down may have put anything there.
    """

    purpose: Purpose
    how: str = Field(description="empty; older versions wrote here in clear what `words` holds")
    at: Instant
    words: SealedText | None = Field(default=None, description="how it was given; absent: an older version's event")


class Contact(Piece):
    """A contact point with what was consented to; `value` is sealed for the context `contact`."""

    id: UUID
    kind: ContactKind
    value: SealedText
    consents: tuple[Consent, ...] = ()


class PatientEnrolled(PatientEvent):
    """A patient was enrolled, or is in care again after a discharge by mistake.

    Names are sealed for the context `name`.
    """

    TYPE: ClassVar = "patient.enrolled"
    TOPIC: ClassVar = Topic.CLINIC
    SCHEMA: ClassVar = 2

    # Closed: a language without texts would leave a patient without a word, also in a crisis.
    language: Literal["en", "es"]
    zone: str
    given_name: SealedText
    contacts: tuple[Contact, ...] = ()
    in_care: bool | None = Field(
        default=None, description="whether the patient is in the clinic's care; null: an older version did not say it"
    )


class PatientChanged(PatientEnrolled):
    """A patient's language, zone, name or contacts changed; the event carries all of them.

    It says, too, whether the patient is in care: whoever missed that they left or came back learns it here.
    """

    TYPE: ClassVar = "patient.changed"


def stays(event: PatientEnrolled, known: bool | None) -> bool:
    """Return whether a patient is in care after an event.

    Args:
        event: an enrolment or a change; an older version's change does not say it, and leaves it as it is.
        known: whether they were before it; None where the patient was not known.
    """
    if event.in_care is not None:
        return event.in_care
    return known is None or known or not isinstance(event, PatientChanged)


class PatientDischarged(PatientEvent):
    """A patient left the clinic's care: nothing more may be sent.

    Where two records of one person were joined, the one that is closed names the one that goes on.
    """

    TYPE: ClassVar = "patient.discharged"
    TOPIC: ClassVar = Topic.CLINIC

    joined_into: UUID | None = Field(None, description="the person's other record, in which care goes on")
