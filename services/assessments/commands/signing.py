"""Which rules run at a clinic by its signatures."""

from typing import Final

from services.assessments.dependencies import Dependencies
from services.assessments.model.interval.interval_rule import RULE, RULE_VERSION
from services.assessments.store import signatures
from services.assessments.store.signatures import Key, Signature
from shared.database import Reader
from shared.ids import ClinicId

TRIAL: Final = "for trial"


async def in_force(reader: Reader, deps: Dependencies, clinic: ClinicId) -> dict[Key, Signature]:
    """Return the signatures that hold at a clinic, by rule and version.

    In trial time the interval rule counts as signed for trial, until that is withdrawn; it ends with the trial.
    """
    signed = await signatures.signed(reader, clinic)
    rule = (RULE, RULE_VERSION)
    if deps.trial and rule not in signed and rule not in await signatures.ever_withdrawn(reader, clinic):
        signed[rule] = Signature(*rule, TRIAL, reader.now, None)
    return signed
