"""What staff change of a score: void it, so that the patient answers again, or correct a slip. Both stay on record."""

from dataclasses import replace

from services.assessments.commands import alerts, proposals, results
from services.assessments.commands.checkins import ask_again
from services.assessments.dependencies import Dependencies
from services.assessments.model import scoring
from services.assessments.model.scoring import Answers
from services.assessments.store import answering, checkins
from services.assessments.store.checkins import Checkin, KeptScore
from services.assessments.store.read_models import Patient
from shared.database import Transaction
from shared.ids import new_id
from shared.instruments import MEASURE


class ScoreStandsError(Exception):
    """A score that cannot be changed so: it counts no more, or nothing of it would be another."""


async def void(
    tx: Transaction, deps: Dependencies, patient: Patient, checkin: Checkin, kept: KeptScore, *, by: str, reason: str
) -> Checkin:
    """Let a score count no more and ask the patient again; the rule is asked anew without it.

    Raises:
        ScoreStandsError: it was voided before.
    """
    _counts(kept)
    await checkins.void_score(tx, deps.keyring, kept, by=by, reason=reason, replaced_by=None)
    await answering.forget(tx, checkin.id, kept.score.instrument)
    asked = await ask_again(tx, deps, patient, checkin)
    if kept.score.instrument == MEASURE:
        await proposals.reconsider(tx, deps, patient)
    return asked


async def correct(
    tx: Transaction,
    deps: Dependencies,
    patient: Patient,
    checkin: Checkin,
    kept: KeptScore,
    *,
    given: Answers,
    words: str | None,
    by: str,
    reason: str,
) -> Checkin:
    """Put a score in place of another one; `given` are the answers that were otherwise.

    An answer that needs a person does so however it came. What was proposed is asked of the rule again.

    Raises:
        ScoreStandsError: it was voided before, or nothing would change.
        AnswersRefusedError: an unknown item or a value outside its scale.
    """
    _counts(kept)
    instrument = deps.packs.get(kept.score.instrument, kept.score.version)
    merged = {**kept.score.answers, **given}
    if merged == dict(kept.score.answers) and words in {None, kept.score.words}:
        raise ScoreStandsError("These are the answers that are kept. Send those that were otherwise.")
    score = scoring.score(instrument, merged, kept.score.words if words is None else words)
    corrected = replace(kept, id=new_id(), score=score, entered_by=by)
    await checkins.void_score(tx, deps.keyring, kept, by=by, reason=reason, replaced_by=corrected.id)
    await checkins.add_score(tx, deps.keyring, checkin, corrected)
    await answering.rewrite(tx, deps.keyring, checkin.id, score, by)
    await alerts.raise_for(tx, deps, checkin, score.instrument, merged, words=score.words)
    changed = await checkins.one_on(tx, checkin)
    await results.tell(tx, deps, changed)
    if score.instrument == MEASURE:
        await proposals.propose(tx, deps, patient, changed)
    return changed


def _counts(kept: KeptScore) -> None:
    if kept.voided is not None:
        raise ScoreStandsError("This score was voided before. It stays on record and counts no more.")
