"""Joining two records of one person: one goes on, the other is closed and points to it."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from services.clinic import published_events
from services.clinic.commands.patients import PatientCommands, read_reason, who
from services.clinic.model.contacts import Contact
from services.clinic.model.patient import MOST_CONTACTS, Patient, PatientState
from services.clinic.model.reads import NOT_CLOSED, SessionState
from services.clinic.model.reasons import Reason
from services.clinic.model.stopped import Stopped
from services.clinic.store import audit, patients, reads, reasons
from shared.bus import publish
from shared.database import Transaction
from shared.ids import ContactId, PatientId, new_id
from shared.web.problems import Conflict, Invalid
from shared.web.tokens import Principal


async def join(
    commands: PatientCommands,
    tx: Transaction,
    principal: Principal,
    *,
    kept: UUID,
    other: UUID,
    reason: str,
    match: Callable[[int], None],
) -> Patient:
    """Close a record as the duplicate of another one, which takes over its contact points and its record number.

    What other services keep of it (sessions, scores, messages) stays with its id: the two records are tied, and pages
    lead from one to the other.

    Args:
        commands: finds and notes patients.
        tx: in which both records change.
        principal: who joins them.
        kept: the record that goes on.
        other: the record that is closed.
        reason: why they are one person.
        match: refuses the version of the record that goes on, where the caller knows an older one.

    Raises:
        NotFound: one of them is no patient of this clinic.
        Conflict: the record that goes on was discharged, or the other one still has sessions ahead or open alerts.
        Invalid: there is no reason, or both are the same record.
        PreconditionFailed: by `match`.
    """
    if kept == other:
        raise Invalid.at("/other", "This is the same record. Name the one that is to be closed.")
    words = read_reason(reason)
    both = {each: await commands.held(tx, principal.clinic, each) for each in sorted((kept, other))}
    goes_on, closed = both[kept], both[other]
    match(goes_on.version)
    await _refuse(tx, goes_on, closed)
    ended = replace(closed, version=closed.version + 1, joined_into=goes_on.id, state=PatientState.DISCHARGED)
    ended = replace(ended, discharged_at=closed.discharged_at or tx.now)
    await patients.discharge(tx, ended, words, commands.keyring)
    await publish(tx, published_events.discharged(ended))
    joined = replace(
        goes_on,
        version=goes_on.version + 1,
        contacts=_together(goes_on, closed, await reads.stopped(tx, PatientId(closed.id))),
        external_id=goes_on.external_id or closed.external_id,
        birth_date=goes_on.birth_date or closed.birth_date,
    )
    await patients.change(tx, joined, commands.keyring)
    await publish(tx, published_events.changed(joined, commands.keyring))
    for each in (joined, ended):
        await audit.note(tx, principal.clinic, who(principal), "patient.joined", thing=joined.id, patient=each.id)
        said = Reason(joined.id, "joined", words, principal.name, tx.now)
        await reasons.keep(tx, principal.clinic, each.id, said, commands.keyring)
    return joined


async def _refuse(tx: Transaction, goes_on: Patient, closed: Patient) -> None:
    if goes_on.state is PatientState.DISCHARGED:
        raise Conflict("This record was discharged. Join the other way round, from the record that is in care.")
    if closed.joined_into is not None:
        raise Conflict("The other record was joined already.")
    if closed.state is PatientState.DISCHARGED:
        return
    clinic, whom = closed.clinic, PatientId(closed.id)
    ahead = [str(SessionState.BOOKED), str(SessionState.CONFIRMED)]
    if await reads.sessions(tx, reads.Wanted(clinic, [whom], ahead)):
        raise Conflict(
            "The other record has sessions that are still to come or to be noted. Book them here, cancel them there, "
            "then join."
        )
    if closed.id in await reads.with_alerts(tx, reads.Wanted(clinic, [whom], NOT_CLOSED)):
        raise Conflict("The other record has a safety alert that is not closed. Deal with it first, then join.")


def _together(goes_on: Patient, closed: Patient, stopped: Stopped) -> tuple[Contact, ...]:
    """Return the contact points of both; one that moves gets an id of its own, its consents stay as they were given.

    A number whose holder said that it is not this person's does not move: under a new id texts would go there again.
    """
    known = {(one.kind, one.value) for one in goes_on.contacts}
    moved = [
        replace(one, id=ContactId(new_id()))
        for one in closed.contacts
        if (one.kind, one.value) not in known and not stopped.is_anothers(str(one.id))
    ]
    return (*goes_on.contacts, *moved)[:MOST_CONTACTS]
