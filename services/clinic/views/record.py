"""A person's other records in the clinic, and why staff did what they did, in their own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from services.clinic.model.duplicates import Duplicate
from services.clinic.model.patient import Patient, PatientState
from services.clinic.model.reasons import Reason
from services.clinic.views.components import Moment, Person, moment, say_date
from services.clinic.views.duplicates import DuplicateRow, duplicate_row
from shared.ids import PatientId
from shared.walltime import to_wall

_DEEDS: Final = MappingProxyType(
    {
        "discharged": "Discharged",
        "reinstated": "Put back in care",
        "continued": "Plan continued",
        "joined": "Records joined",
        "moved": "Session moved",
        "cancelled": "Session cancelled",
        "missed": "Session noted as missed",
        "attended": "Session noted as attended",
        "decided": "Proposal decided",
        "refused": "Proposal refused",
        "taken-back": "Decision taken back",
        "contact-bad": "Number or address marked as bad",
        "wants-texts": "Texts go on, though the number has not answered",
        "wants-no-texts": "No more texts, though the number has not answered",
    }
)


@dataclass(frozen=True)
class Tie:
    """Another record of the same person."""

    person: Person
    text: str


@dataclass(frozen=True)
class ReasonRow:
    """Why somebody did something."""

    deed: str
    words: str
    by: str
    at: Moment


@dataclass(frozen=True)
class RecordFile:
    """What stands on a patient's page beside the treatment; `duplicates` may be joined with this record."""

    ties: tuple[Tie, ...] = ()
    reasons: tuple[ReasonRow, ...] = ()
    duplicates: tuple[DuplicateRow, ...] = ()
    again: bool = False


def record_file(
    patient: Patient,
    tied: Sequence[Patient],
    reasons: Sequence[Reason],
    duplicates: Mapping[PatientId, tuple[Patient, Duplicate]],
    *,
    zone: str,
    may_join: bool = False,
) -> RecordFile:
    """Return a patient's file; whoever was discharged and has not come back may be enrolled again."""
    back = any(one.earlier == patient.id for one in tied)
    left = patient.state is PatientState.DISCHARGED
    return RecordFile(
        ties=tuple(Tie(Person(one.id, one.name), _tie(patient, one, zone)) for one in tied),
        reasons=tuple(
            ReasonRow(_DEEDS.get(one.what, one.what.replace("-", " ").capitalize()), one.words, one.by, _at(one, zone))
            for one in reasons
        ),
        duplicates=tuple(duplicate_row(*pair) for pair in duplicates.values()) if may_join else (),
        again=left and not back and patient.joined_into is None,
    )


def _at(reason: Reason, zone: str) -> Moment:
    return moment(reason.at, zone)


def _tie(patient: Patient, other: Patient, zone: str) -> str:
    if patient.joined_into == other.id:
        return "This record was closed as a duplicate. Care goes on in"
    if other.joined_into == patient.id:
        return "A duplicate was joined with this record. What stands there is shown here too, marked as that. It is"
    began = say_date(to_wall(other.enrolled_at, zone).date())
    if patient.earlier == other.id:
        return f"They were in care here before, from {began}, in"
    return f"They came back on {began}. Care goes on in"
