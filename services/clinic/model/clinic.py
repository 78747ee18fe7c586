"""A clinic: where it is, when it may text, and what it says to a person in crisis."""

from dataclasses import dataclass

from services.clinic.model.contacts import ContactKind, is_made_up
from shared.ids import ClinicId
from shared.languages import Language


@dataclass(frozen=True)
class OnCall:
    """Where the person on call is paged."""

    kind: ContactKind
    value: str


@dataclass(frozen=True)
class Clinic:
    """A clinic's settings.

    Attributes:
        sender_name: signs every text; neutral, for it must not give away the speciality.
        texts_from: wall time of the recipient, such as `08:00`, from which texts go out.
        texts_until: wall time of the recipient until which texts go out.
        hours_reason: why texts go out before 8 or after 21, where they do.
        crisis: what a person in crisis is told, by language.
    """

    id: ClinicId
    version: int
    name: str
    sender_name: str
    zone: str
    phone: str
    texts_from: str
    texts_until: str
    crisis: dict[Language, str]
    oncall: tuple[OnCall, ...]
    hours_reason: str | None = None

    @property
    def pages_somebody(self) -> bool:
        """Tell whether an alert can reach a person: at least one contact point is real."""
        return any(not is_made_up(one.value) for one in self.oncall)
