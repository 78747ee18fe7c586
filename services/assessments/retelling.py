"""Telling anew how alerts, results and proposals stand, for services that may have missed it.

Every event carries the version that holds: who knows it, or a newer one, changes nothing. The link of a check-in cannot
be told again: only its hash is kept, and a new one would end the one that the patient holds.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from services.assessments.commands import alerts as alert_commands
from services.assessments.commands import proposals as proposal_commands
from services.assessments.commands import results
from services.assessments.dependencies import Dependencies
from services.assessments.model.lifecycles import CheckinState
from services.assessments.store import alerts, checkins, proposals, read_models
from shared.database import Database, Transaction

TOGETHER: Final = 100
"""Patients that are told of in one transaction."""
LATELY: Final = timedelta(days=31)
"""How far back what is over is told of. An alert that is not closed is told of whatever its age."""
MOST: Final = 200
"""Check-ins, and proposals, of one patient; in the time above there are some ten."""


async def retell(database: Database, deps: Dependencies) -> int:
    """Publish how alerts, answered check-ins and proposals stand; return how many facts were told."""
    count, last = 0, None
    while True:
        async with database.transaction() as tx:
            found = await read_models.lock_patients(tx, after=last, limit=TOGETHER)
            count += sum([await _patient(tx, deps, patient) for patient in found])
        if not found:
            break
        last = found[-1]
    async with database.transaction() as tx:
        return count + await _alerts(tx, None)


async def _patient(tx: Transaction, deps: Dependencies, patient: UUID) -> int:
    return await _alerts(tx, patient) + await _results(tx, deps, patient) + await _proposals(tx, patient)


async def _alerts(tx: Transaction, patient: UUID | None) -> int:
    count = 0
    for alert_id in await alerts.that_matter(tx, patient, since=tx.now - LATELY):
        if patient is None:
            await alerts.lock(tx, alert_id)
        alert = await alerts.get(tx, alert_id)
        count += 0 if alert is None else await alert_commands.tell_again(tx, alert)
    return count


async def _results(tx: Transaction, deps: Dependencies, patient: UUID) -> int:
    over = {CheckinState.COMPLETED, CheckinState.EXPIRED}
    count = 0
    for checkin in await checkins.of_patient(tx, patient, limit=MOST, after=None):
        if checkin.state not in over or checkin.opened_at <= tx.now - LATELY:
            continue
        # One that ended without an answer has no result: telling an empty one would show as an answer.
        if await checkins.scores_of_checkin(tx, deps.keyring, checkin.id):
            await results.tell(tx, deps, checkin)
            count += 1
    return count


async def _proposals(tx: Transaction, patient: UUID) -> int:
    found = [
        one
        for one in await proposals.of_patient(tx, patient, limit=MOST, after=None)
        if one.proposed_at > tx.now - LATELY
    ]
    plan = await read_models.current_plan(tx, patient)
    stands = [one for one in found if one.decision is not None and one.taken_back_at is None]
    decided = next((one for one in stands if one.plan == plan), None)
    return sum([await proposal_commands.tell_again(tx, one, decided=one is decided) for one in found])
