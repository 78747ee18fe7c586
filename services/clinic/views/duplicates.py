"""Records that may be one person's, or share a phone, as they are named to staff."""

from dataclasses import dataclass

from services.clinic.model.duplicates import Duplicate
from services.clinic.model.patient import Patient, PatientState
from services.clinic.views.components import Chip, Person, Tone, say_date


@dataclass(frozen=True)
class DuplicateRow:
    """A record that may be the same person's, or whose phone is shared."""

    person: Person
    born: str
    state: Chip
    shared: str
    is_person: bool


def duplicate_row(patient: Patient, duplicate: Duplicate) -> DuplicateRow:
    """Return how a record is named before another one like it is saved."""
    *others, last = duplicate.shared
    left = patient.state is PatientState.DISCHARGED
    return DuplicateRow(
        person=Person(patient.id, patient.name),
        born=f"born {say_date(patient.birth_date)[5:]}" if patient.birth_date else "no birth date on record",
        state=Chip("discharged") if left else Chip("in care", Tone.GOOD),
        shared=f"Same {', '.join(others)} and {last}." if others else f"Same {last}.",
        is_person=duplicate.person,
    )
