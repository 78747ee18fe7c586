"""An answer's own few statements: whose link it is, what was answered before, and what is kept of it.

They are few, built once, and mostly straight through the driver, for all patients may answer in one hour: a lookup that
is built anew took a third of a millisecond of processor (docs/performance.md).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, text, update

from services.assessments.model.lifecycles import CheckinState
from services.assessments.model.scoring import Score
from services.assessments.store.checkins import SCORE, Checkin, checkin_of, content_of
from services.assessments.store.read_models import Clinic, Patient
from services.assessments.tables import answers
from shared.database import Reader, Transaction
from shared.ids import new_id
from shared.protection import Keyring

_ANSWERS: Final = "answers"


@dataclass(frozen=True)
class Linked:
    """What a link leads to.

    Attributes:
        name: the patient's given name, sealed, where it is known.
        others: those of other patients who are reached by the same number or mailbox.
    """

    checkin: Checkin
    patient: Patient
    clinic: Clinic
    name: str | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Earlier:
    """What was answered of a check-in so far.

    Attributes:
        saved: answers by instrument and item.
        complete: the instruments that are scored.
        words: what was written in the patient's own words, by instrument.
    """

    saved: Mapping[str, Mapping[str, int]]
    complete: frozenset[str]
    words: Mapping[str, str] = field(default_factory=dict)

    def holds(self, instrument: str, given: Mapping[str, int], words: str | None) -> bool:
        """Say whether all of this is kept already."""
        saved = self.saved.get(instrument, {})
        return all(saved.get(item) == value for item, value in given.items()) and (
            not words or words in self.words.get(instrument, "")
        )


_CHECKIN: Final = ", ".join(f"c.{one.name}" for one in fields(Checkin))
_LINKED: Final = f"""
    SELECT {_CHECKIN}, p.clinic AS patient_clinic, p.version AS patient_version, p.language, p.zone, p.discharged,
           k.name, k.phone, k.crisis_en, k.crisis_es, p.given_name,
           ARRAY(SELECT o.given_name FROM patients AS o WHERE o.ways && p.ways AND o.id <> p.id AND NOT o.discharged
                 AND o.given_name IS NOT NULL LIMIT 20) AS others
    FROM checkins AS c JOIN patients AS p ON p.id = c.patient JOIN clinics AS k ON k.id = c.clinic
    WHERE c.token_hash = :token_hash
"""  # noqa: S608 - names of ours
_READ: Final = text(_LINKED)
_LOCKED: Final = text(f"{_LINKED} FOR UPDATE OF p, c")
"""The patient first, as everywhere. Whoever waited for that lock then reads the check-in as the one before left it,
because it is locked too: PostgreSQL looks a locked row up anew. The clinic is of before the wait."""

_EARLIER: Final = "SELECT instrument, sealed, complete FROM answers WHERE checkin = $1"

_KEEP: Final = """
    WITH kept AS (
        INSERT INTO answers (checkin, instrument, sealed, complete, entered_by, saved_at)
        VALUES ($1, $2, $3, $4::text IS NOT NULL, $5, $6)
        ON CONFLICT (checkin, instrument) DO UPDATE SET sealed = excluded.sealed, complete = excluded.complete,
            entered_by = excluded.entered_by, saved_at = excluded.saved_at),
    scored AS (
        INSERT INTO scores (id, checkin, clinic, patient, plan, instrument, instrument_version, asked_for, at, sealed,
                            entered_by)
        SELECT $7, id, clinic, patient, plan, $2, $8, asked_for, $6, $4, $5
        FROM checkins WHERE id = $1 AND $4 IS NOT NULL)
    UPDATE checkins SET state = $9, version = version + 1, completed_at = $10 WHERE id = $1 RETURNING version
"""


async def linked(reader: Reader, token_hash: str) -> Linked | None:
    """Return what a link leads to, or None where there is no such link."""
    return _linked(await reader.one_or_none(_READ, {"token_hash": token_hash}))


async def lock_linked(tx: Transaction, token_hash: str) -> Linked | None:
    """Lock the patient of a link and return what it leads to: two answers at once come one after the other."""
    return _linked(await tx.one_or_none(_LOCKED, {"token_hash": token_hash}))


def _linked(row: Any) -> Linked | None:
    if row is None:
        return None
    return Linked(
        checkin_of(row),
        Patient(row.patient, row.patient_clinic, row.language, row.zone, row.discharged, row.patient_version),
        Clinic(row.clinic, row.name, row.phone, {"en": row.crisis_en, "es": row.crisis_es}),
        row.given_name,
        tuple(row.others),
    )


async def earlier(reader: Reader, keyring: Keyring, checkin: Checkin) -> Earlier:
    """Return what was answered so far. The first answer moves an open check-in on, so such a one is not asked about."""
    if checkin.state is CheckinState.OPEN:
        return Earlier({}, frozenset())
    rows = await reader.fetch(_EARLIER, checkin.id)
    kept = {row["instrument"]: json.loads(keyring.open(row["sealed"], context=_ANSWERS)) for row in rows}
    return Earlier(
        # An earlier version kept the answers alone.
        {instrument: content.get("answers", content) for instrument, content in kept.items()},
        frozenset(row["instrument"] for row in rows if row["complete"]),
        {instrument: content["words"] for instrument, content in kept.items() if content.get("words")},
    )


async def forget(tx: Transaction, checkin: UUID, instrument: str) -> None:
    """Let an instrument be answered anew; what was answered stays with its score."""
    await tx.execute(delete(answers).where(answers.c.checkin == checkin, answers.c.instrument == instrument))


async def rewrite(tx: Transaction, keyring: Keyring, checkin: UUID, score: Score, entered_by: str) -> None:
    """Keep corrected answers in place of those before, which stay with their score."""
    sealed = keyring.seal(json.dumps({"answers": dict(score.answers), "words": score.words}), context=_ANSWERS)
    mine = (answers.c.checkin == checkin) & (answers.c.instrument == score.instrument)
    await tx.execute(update(answers).where(mine).values(sealed=sealed, entered_by=entered_by, saved_at=tx.now))


async def keep(
    tx: Transaction,
    keyring: Keyring,
    checkin: Checkin,
    instrument: str,
    given: Mapping[str, int],
    *,
    words: str | None,
    score: Score | None,
    state: CheckinState,
    entered_by: str | None,
    score_id: UUID | None = None,
) -> Checkin:
    """Keep answers in place of what was kept of the instrument before, and its score where it is complete.

    Args:
        tx: the patient is locked in it.
        keyring: seals both.
        checkin: as it stands.
        instrument: what was answered.
        given: all answers of the instrument so far.
        words: all that was written with them so far.
        score: of a complete instrument.
        state: what the check-in moves to.
        entered_by: who took the answers by phone.
        score_id: of the score, where somebody knows of it already.

    Returns:
        the check-in as it now stands, one version on.
    """
    completed_at = tx.now if state is CheckinState.COMPLETED else None
    rows = await tx.fetch(
        _KEEP,
        checkin.id,
        instrument,
        keyring.seal(json.dumps({"answers": dict(given), "words": words}), context=_ANSWERS),
        None if score is None else keyring.seal(content_of(score), context=SCORE),
        entered_by,
        tx.now,
        score_id or new_id(),
        None if score is None else score.version,
        state,
        completed_at,
    )
    return replace(checkin, state=state, version=rows[0]["version"], completed_at=completed_at)
