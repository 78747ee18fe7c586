"""What STOP and START do: by the number itself, for every patient who uses it, at once."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from services.notifier.commands import doubts
from services.notifier.commands.changes import plan_next_channel, withhold
from services.notifier.model.people import NumberUser
from services.notifier.model.send_rules import Reason
from services.notifier.store import conversation, people
from services.notifier.store.message_filters import of_a_patient, of_patients, only_to
from services.notifier.store.messages import look_again
from shared.bus import publish
from shared.database import Transaction
from shared.events import ConsentChanged
from shared.ids import PatientId

STAFF: Final = "staff"
"""How a number came to its stop where a person said so."""


async def opt_out(tx: Transaction, fingerprint: str, *, how: str, ledger: str | None = None) -> Sequence[NumberUser]:
    """Keep that a number said stop: ledger, events, pending texts withheld; return its users, locked.

    Another number of the same patient stays as it was. The ledger says `how` too, where it is given no other words.
    """
    users = await people.lock_patients_at(tx, fingerprint)
    if not await people.stop(tx, fingerprint, how):
        return users
    await people.record_consent(tx, fingerprint, users, granted=False, how=ledger or how)
    for message in await withhold(tx, only_to(fingerprint), Reason.OPTED_OUT):
        await plan_next_channel(tx, message)
    await _tell(tx, users, granted=False, how=how)
    return users


async def opt_in(tx: Transaction, fingerprint: str, *, how: str) -> None:
    """Keep that a number wants texts again."""
    users = await people.lock_patients_at(tx, fingerprint)
    if not await people.lift_stop(tx, fingerprint):
        return
    await people.record_consent(tx, fingerprint, users, granted=True, how=how)
    await look_again(tx, of_patients(user.patient for user in users))
    await _tell(tx, users, granted=True, how=how)


async def end_doubt(tx: Transaction, fingerprint: str, *, wanted: bool, by: str, how: str) -> bool:
    """End, on a person's word, the doubt whether a number wants texts; return whether there was one.

    It lifts no stop, and the number may still say one.

    Args:
        tx: the caller's.
        fingerprint: of the number.
        wanted: whether its texts go on; else it counts as one that said stop.
        by: who says so.
        how: what the ledger says of it: by whom and, sealed, why.
    """
    users = await people.lock_patients_at(tx, fingerprint)
    if not await conversation.end_doubt(tx, fingerprint):
        return False
    await doubts.tell(tx, users, is_open=False, by=by)
    if not wanted:
        await opt_out(tx, fingerprint, how=STAFF, ledger=how)
        return True
    await people.record_consent(tx, fingerprint, users, granted=True, how=how)
    await look_again(tx, of_patients(user.patient for user in users))
    return True


async def retract(tx: Transaction, fingerprint: str, users: Sequence[NumberUser], *, how: str) -> None:
    """Keep that a number is not its users': nothing of theirs goes there until the clinic has corrected it."""
    for message in await withhold(tx, only_to(fingerprint) & of_a_patient(), Reason.WRONG_NUMBER):
        await plan_next_channel(tx, message)
    await people.record_consent(tx, fingerprint, users, granted=False, how=how)
    await conversation.mark_wrong(tx, fingerprint)
    await _tell(tx, users, granted=False, how=how)


async def tell_standing(tx: Transaction, patient: PatientId, before: Mapping[UUID, Collection[str]]) -> int:
    """Tell of a patient's contact points that said stop before they were theirs: the stop belongs to the number.

    Returns how many were told of.

    Args:
        tx: that has just kept the patient, and holds the row.
        patient: whose contact points.
        before: what each was agreed to for before, by id; one that is as it was is not told of again.
    """
    told = 0
    for point, stop in await people.stopped_points(tx, patient):
        if point.contact in before and set(point.purposes) <= set(before[point.contact]):
            continue
        event = ConsentChanged(
            clinic=point.clinic,
            patient=point.patient,
            version=await people.next_consent_version(tx, patient),
            contact=point.contact,
            kind=point.kind,
            purposes=tuple(point.purposes),
            granted=False,
            how=stop.how,
            at=stop.at,
        )
        await publish(tx, event)
        told += 1
    return told


async def _tell(tx: Transaction, users: Sequence[NumberUser], *, granted: bool, how: str) -> None:
    for user in users:
        # Of a record that was joined the contact point is still its own, and so is the count of its changes.
        event = ConsentChanged(
            clinic=user.clinic,
            patient=user.owner,
            version=await people.next_consent_version(tx, user.owner),
            contact=user.contact,
            kind=user.kind,
            purposes=tuple(user.purposes),
            granted=granted,
            how=how,
            at=tx.now,
        )
        await publish(tx, event)
