"""What every command of this service needs, and how its refusals are said."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from services.assessments.commands.checkins import AlreadyAnsweredError
from services.assessments.commands.corrections import ScoreStandsError
from services.assessments.commands.proposals import (
    AlertOpenError,
    NeedsNoDecisionError,
    OverrideNeededError,
    RuleUnsignedError,
)
from services.assessments.commands.taking_back import DecisionStandsError
from services.assessments.dependencies import Dependencies
from services.assessments.model.machine import IllegalTransitionError
from services.assessments.model.scoring import AnswersRefusedError
from services.assessments.packs import UnknownInstrumentError
from services.assessments.store import read_models
from services.assessments.store.read_models import Patient
from shared.database import Database, Transaction
from shared.ids import ClinicId
from shared.web.awaited import awaited
from shared.web.problems import Conflict, FieldError, Invalid, NotFound

Words = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"\w{2}")]
"""A reason that says something: a word at least, no lone full stop."""


@dataclass(frozen=True)
class Access:
    """The service's database and means."""

    database: Database
    deps: Dependencies

    async def known(self, clinic: ClinicId, patient_id: UUID) -> Patient:
        """Return a patient of the clinic, waiting a moment for one who was enrolled just now.

        Raises:
            NotFound: there is none, or it is another clinic's.
        """
        return _own(await awaited(self.database, lambda reader: read_models.patient(reader, patient_id)), clinic)

    async def lock(self, tx: Transaction, clinic: ClinicId, patient_id: UUID) -> Patient:
        """Lock and return a patient of the clinic.

        Raises:
            NotFound: there is none, or it is another clinic's.
        """
        return _own(await read_models.lock_patient(tx, patient_id), clinic)


def _own(found: Patient | None, clinic: ClinicId) -> Patient:
    if found is None or found.clinic != clinic:
        raise NotFound("There is no such patient in this clinic.")
    return found


@contextmanager
def as_problems() -> Iterator[None]:
    """Say this service's own refusals as problems: a state as 409, an input as 422 with its places."""
    try:
        yield
    except (
        IllegalTransitionError,
        AlreadyAnsweredError,
        ScoreStandsError,
        AlertOpenError,
        NeedsNoDecisionError,
        RuleUnsignedError,
        DecisionStandsError,
    ) as error:
        raise Conflict(str(error)) from error
    except OverrideNeededError as error:
        raise Invalid.at("/override_reason", str(error)) from error
    except AnswersRefusedError as error:
        flaws = [FieldError(refusal.place, refusal.detail) for refusal in error.refusals]
        raise Invalid("Some of the answers cannot be used.", errors=flaws) from error
    except UnknownInstrumentError as error:
        raise Invalid.at("/instrument", str(error)) from error
