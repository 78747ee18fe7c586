"""What the scheduler keeps of a patient: whose they are, where they live, and whether they are still in care."""

from dataclasses import dataclass

from shared.ids import ClinicId, PatientId


@dataclass(frozen=True)
class Patient:
    """A patient as the clinic service last told of them.

    Attributes:
        version: of the clinic service's record; older news is ignored.
        zone: the IANA zone in which the patient is asked things.
        in_care: false once discharged; nothing may be planned or sent then.
    """

    id: PatientId
    clinic: ClinicId
    version: int
    zone: str
    in_care: bool = True
