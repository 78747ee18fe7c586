"""What the notifier was told of clinics and patients, and the ledger of consent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Row, Select, case, delete, func, select, text, union, update
from sqlalchemy.dialects.postgresql import insert

from services.notifier.model.addresses import canonical, older_spellings
from services.notifier.model.people import Clinic, ContactPoint, NumberUser, OnCall, Stop
from services.notifier.model.purposes import Channel, Consented
from services.notifier.store.messages import Recipient
from services.notifier.tables import BAD_ADDRESSES, CLINICS, CONSENTS, CONTACT_POINTS, PATIENTS, STOPS
from shared.database import Reader, Transaction
from shared.events import ClinicChanged, PatientDischarged, PatientEnrolled
from shared.events.clinic import CONSENT, Consent, Contact, stays
from shared.ids import ClinicId, PatientId
from shared.protection import Keyring, mask

CLINIC: Final = "clinic"
"""How a consent is in the ledger that the clinic told of; its words stand beside it, sealed."""
NUMBERS: Final = 0x6B776E33
"""First half of the lock of a number that texted; the second half is made of its fingerprint."""
_LOCK_NUMBER: Final = text("SELECT pg_advisory_xact_lock(:space, hashtext(:fingerprint))")


def recipient_of(keyring: Keyring, sealed: str) -> Recipient:
    """Return a sealed address with its fingerprint and the form in which staff may see it."""
    value = keyring.open(sealed, context="contact")
    return Recipient(sealed, print_of(keyring, value), mask(value))


def print_of(keyring: Keyring, value: str) -> str:
    """Return the fingerprint under which a number or mail address is found again, however it is written."""
    return keyring.fingerprint(canonical(value), context="contact")


async def respell(tx: Transaction, keyring: Keyring, value: str) -> None:
    """Bring what an earlier version kept under another spelling of a number under the one of today."""
    older = [keyring.fingerprint(spelling, context="contact") for spelling in older_spellings(value)]
    if not older:
        return
    now = print_of(keyring, value)
    moved = update(CONTACT_POINTS).where(CONTACT_POINTS.c.fingerprint.in_(older))
    await tx.execute(moved.values(fingerprint=now))
    for said in (await tx.execute(delete(STOPS).where(STOPS.c.fingerprint.in_(older)).returning(STOPS))).all():
        values = {"fingerprint": now, "how": said.how, "at": said.at}
        await tx.execute(insert(STOPS).values(values).on_conflict_do_nothing())


async def lock_number(tx: Transaction, fingerprint: str) -> None:
    """Let the texts of a number be acted on one after the other, also those of a number that is nobody's."""
    await tx.execute(_LOCK_NUMBER.bindparams(space=NUMBERS, fingerprint=fingerprint))


async def keep_clinic(tx: Transaction, event: ClinicChanged) -> bool:
    """Keep a clinic as an event says; return False where a newer version is held."""
    values = {
        "version": event.version,
        "sender_name": event.sender_name,
        "zone": event.zone,
        "phone": event.phone,
        "opens": event.quiet_from,
        "closes": event.quiet_until,
        "crisis_en": event.crisis.en,
        "crisis_es": event.crisis.es,
        "oncall": [contact.model_dump() for contact in event.oncall],
    }
    statement = insert(CLINICS).values(clinic=event.clinic, **values)
    newer = CLINICS.c.version < statement.excluded.version
    kept = await tx.execute(statement.on_conflict_do_update(index_elements=["clinic"], set_=values, where=newer))
    return int(kept.rowcount) > 0


async def clinic(reader: Reader, clinic_id: ClinicId) -> Clinic | None:
    """Return a clinic that is known."""
    row = await reader.one_or_none(select(CLINICS).where(CLINICS.c.clinic == clinic_id))
    if row is None:
        return None
    return Clinic(row.clinic, row.sender_name, on_call(row.oncall))


def on_call(kept: Iterable[Mapping[str, str]]) -> list[OnCall]:
    """Return those whom alerts page, from the column that has them."""
    return [OnCall(each["kind"], each["value"]) for each in kept]


async def only_clinic(reader: Reader) -> ClinicId | None:
    """Return the clinic's id where there is exactly one."""
    rows = await reader.all(select(CLINICS.c.clinic).limit(2))
    return ClinicId(rows[0].clinic) if len(rows) == 1 else None


async def clinics(reader: Reader) -> Sequence[ClinicId]:
    return [ClinicId(row.clinic) for row in await reader.all(select(CLINICS.c.clinic).order_by(CLINICS.c.clinic))]


async def keep_patient(tx: Transaction, event: PatientEnrolled, keyring: Keyring) -> bool:
    """Keep a patient with contact points and consents; return False where a newer version is held."""
    mine = select(PATIENTS.c.discharged).where(PATIENTS.c.patient == event.patient)
    known = await tx.one_or_none(mine.with_for_update())
    values: dict[str, Any] = {"version": event.version, "language": event.language, "zone": event.zone}
    values["discharged"] = not stays(event, None if known is None else not known.discharged)
    statement = insert(PATIENTS).values(patient=event.patient, clinic=event.clinic, consent_version=0, **values)
    newer = PATIENTS.c.version < statement.excluded.version
    kept = await tx.execute(statement.on_conflict_do_update(index_elements=["patient"], set_=values, where=newer))
    if int(kept.rowcount) == 0:
        return False
    before = {point.contact: point for point in await contact_points(tx, PatientId(event.patient))}
    for position, contact in enumerate(event.contacts):
        await _keep_contact(tx, event, contact, position, keyring)
        earlier = before.pop(contact.id, None)
        await _record_differences(tx, event, contact, set(earlier.purposes) if earlier else set(), keyring)
    gone = update(CONTACT_POINTS).where(CONTACT_POINTS.c.contact.in_(before))
    await tx.execute(gone.values(retired=True, purposes=[], wrong_at=None))
    return True


async def contact_points(reader: Reader, patient: PatientId) -> list[ContactPoint]:
    """Return a patient's contact points that the clinic has not taken back, in its order."""
    mine = select(CONTACT_POINTS).where(CONTACT_POINTS.c.patient == patient, ~CONTACT_POINTS.c.retired)
    return list(map(contact_point_of, await reader.all(mine.order_by(CONTACT_POINTS.c.position))))


def contact_point_of(row: Row[Any]) -> ContactPoint:
    """Return the contact point of a row that has all columns of `contact_points`."""
    return ContactPoint(row.contact, row.patient, row.clinic, row.kind, row.fingerprint, row.purposes)


async def fingerprint_of(reader: Reader, contact: UUID) -> str | None:
    """Return the fingerprint of a contact point, also of one that the clinic has taken back."""
    found: str | None = await reader.scalar(
        select(CONTACT_POINTS.c.fingerprint).where(CONTACT_POINTS.c.contact == contact)
    )
    return found


async def _keep_contact(
    tx: Transaction, event: PatientEnrolled, contact: Contact, position: int, keyring: Keyring
) -> None:
    await respell(tx, keyring, keyring.open(contact.value, context="contact"))
    fingerprint = recipient_of(keyring, contact.value).fingerprint
    values = {
        "kind": contact.kind,
        "value": contact.value,
        "fingerprint": fingerprint,
        "position": position,
        "purposes": sorted({consent.purpose for consent in contact.consents}),
        "retired": False,
    }
    statement = insert(CONTACT_POINTS).values(contact=contact.id, patient=event.patient, clinic=event.clinic, **values)
    # Another number is not the one that somebody said was wrong.
    same = CONTACT_POINTS.c.fingerprint == fingerprint
    still_wrong = {"wrong_at": case((same, CONTACT_POINTS.c.wrong_at), else_=None)}
    await tx.execute(statement.on_conflict_do_update(index_elements=["contact"], set_=values | still_wrong))


async def _record_differences(
    tx: Transaction, event: PatientEnrolled, contact: Contact, before: set[str], keyring: Keyring
) -> None:
    now = {consent.purpose: consent for consent in contact.consents}
    common = {
        "clinic": event.clinic,
        "patient": event.patient,
        "contact": contact.id,
        "fingerprint": recipient_of(keyring, contact.value).fingerprint,
        "how": CLINIC,
        "recorded_at": tx.now,
    }
    given = [
        {
            **common,
            "purpose": purpose,
            "granted": True,
            "words": _words(consent, keyring),
            "at": consent.at,
        }
        for purpose, consent in now.items()
        if purpose not in before
    ]
    taken = [
        {**common, "purpose": purpose, "granted": False, "words": None, "at": tx.now}
        for purpose in sorted(before - now.keys())
    ]
    if given or taken:
        await tx.execute(insert(CONSENTS), given + taken)


def _words(consent: Consent, keyring: Keyring) -> str:
    """Return how a consent was given, sealed; an older clinic's event says it in clear."""
    return consent.words or keyring.seal(consent.how, context=CONSENT)


async def discharge(tx: Transaction, event: PatientDischarged) -> bool:
    """Keep that a patient left, and in which record they go on; return False where a newer version is held."""
    newer = PATIENTS.c.version < event.version
    if event.joined_into is not None:
        # Kept before a discharge named the other record, it is learnt when it is told anew.
        newer |= (PATIENTS.c.version == event.version) & PATIENTS.c.joined_into.is_(None)
    left = update(PATIENTS).where(PATIENTS.c.patient == event.patient, newer)
    values = {"discharged": True, "version": event.version, "joined_into": event.joined_into}
    if int((await tx.execute(left.values(values))).rowcount) == 0:
        return False
    if event.joined_into is not None:
        # Records that had been joined into this one go on in the other with it.
        led = update(PATIENTS).where(PATIENTS.c.joined_into == event.patient)
        await tx.execute(led.values(joined_into=event.joined_into))
    return True


async def lock_patients(
    tx: Transaction, which: Select[tuple[UUID]] | CompoundSelect[tuple[UUID]] | Sequence[UUID]
) -> None:
    """Lock patients in a fixed order."""
    mine = select(PATIENTS.c.patient).where(PATIENTS.c.patient.in_(which))
    await tx.all(mine.order_by(PATIENTS.c.patient).with_for_update(key_share=True))


async def lock_in_order(tx: Transaction, patients: Sequence[UUID]) -> None:
    """Lock patients in the order of their ids, against every change."""
    mine = select(PATIENTS.c.patient).where(PATIENTS.c.patient.in_(patients)).order_by(PATIENTS.c.patient)
    await tx.all(mine.with_for_update())


async def lock_stopped(tx: Transaction, after: PatientId | None, most: int) -> list[PatientId]:
    """Lock patients with a contact point that said stop, in the order of their ids, and return them."""
    same = STOPS.c.fingerprint == CONTACT_POINTS.c.fingerprint
    stopped = select(CONTACT_POINTS.c.patient).join(STOPS, same).where(~CONTACT_POINTS.c.retired)
    mine = select(PATIENTS.c.patient).where(PATIENTS.c.patient.in_(stopped)).order_by(PATIENTS.c.patient)
    mine = mine if after is None else mine.where(PATIENTS.c.patient > after)
    return [PatientId(row.patient) for row in await tx.all(mine.limit(most).with_for_update())]


async def lock_patients_at(tx: Transaction, fingerprint: str) -> list[NumberUser]:
    """Lock the patients who use a number, in a fixed order, and return each with that contact point.

    A number of a record that was joined into another one is that one's: what comes from it stands where somebody looks.
    """
    here = (
        CONTACT_POINTS.c.fingerprint == fingerprint,
        CONTACT_POINTS.c.kind == "sms",
        ~CONTACT_POINTS.c.retired,
        CONTACT_POINTS.c.wrong_at.is_(None),
    )
    owner = PATIENTS.alias()
    holder = func.coalesce(owner.c.joined_into, owner.c.patient)
    at_number = CONTACT_POINTS.join(owner, owner.c.patient == CONTACT_POINTS.c.patient)
    await lock_patients(
        tx,
        union(
            select(owner.c.patient).select_from(at_number).where(*here),
            select(holder).select_from(at_number).where(*here),
        ),
    )
    joined = at_number.join(PATIENTS, PATIENTS.c.patient == holder)
    point = (CONTACT_POINTS.c.contact, CONTACT_POINTS.c.kind, CONTACT_POINTS.c.purposes)
    columns = (PATIENTS.c.patient, PATIENTS.c.clinic, *point, owner.c.patient.label("owner"))
    rows = await tx.all(select(*columns).select_from(joined).where(*here).order_by(PATIENTS.c.patient, owner.c.patient))
    users = [NumberUser(row.patient, row.clinic, row.owner, row.contact, row.kind, row.purposes) for row in rows]
    own = {user.patient for user in users if user.owner == user.patient}
    return [user for user in users if user.owner == user.patient or user.patient not in own]


async def next_consent_version(tx: Transaction, patient: UUID) -> int:
    """Count a change of consent by text; the caller has locked the patient."""
    counted = update(PATIENTS).where(PATIENTS.c.patient == patient)
    counted = counted.values(consent_version=PATIENTS.c.consent_version + 1)
    return int((await tx.execute(counted.returning(PATIENTS.c.consent_version))).scalar_one())


async def consent_version(reader: Reader, patient: UUID) -> int:
    """Return how many changes of a patient's contact points by text, provider or staff were counted; at least 1."""
    counted = await reader.scalar(select(PATIENTS.c.consent_version).where(PATIENTS.c.patient == patient))
    return max(1, int(counted or 0))


async def stopped(reader: Reader, fingerprint: str) -> bool:
    """Tell whether a number said stop."""
    return bool(await reader.scalar(select(func.count()).where(STOPS.c.fingerprint == fingerprint)))


async def stopped_points(reader: Reader, patient: PatientId) -> list[tuple[ContactPoint, Stop]]:
    """Return a patient's contact points that said stop, in the clinic's order."""
    joined = CONTACT_POINTS.join(STOPS, STOPS.c.fingerprint == CONTACT_POINTS.c.fingerprint)
    mine = (CONTACT_POINTS.c.patient == patient) & ~CONTACT_POINTS.c.retired
    columns = (*CONTACT_POINTS.c, STOPS.c.how, STOPS.c.at)
    found = select(*columns).select_from(joined).where(mine).order_by(CONTACT_POINTS.c.position)
    return [(contact_point_of(row), Stop(row.how, row.at)) for row in await reader.all(found)]


async def stop(tx: Transaction, fingerprint: str, how: str) -> bool:
    """Keep that a number said stop; return False where it had said so before."""
    statement = insert(STOPS).values(fingerprint=fingerprint, how=how, at=tx.now).on_conflict_do_nothing()
    return int((await tx.execute(statement)).rowcount) > 0


async def lift_stop(tx: Transaction, fingerprint: str) -> bool:
    """Forget a number's stop, on the number's own word; return False where there was none."""
    return int((await tx.execute(STOPS.delete().where(STOPS.c.fingerprint == fingerprint))).rowcount) > 0


async def record_consent(
    tx: Transaction, fingerprint: str, users: Iterable[NumberUser], *, granted: bool, how: str
) -> None:
    """Add a number's own word to the ledger, for each patient who uses it, or for nobody known."""
    common = {"fingerprint": fingerprint, "granted": granted, "how": how, "at": tx.now, "recorded_at": tx.now}
    rows = [{"clinic": user.clinic, "patient": user.patient, "contact": user.contact, **common} for user in users]
    await tx.execute(insert(CONSENTS), rows or [{"clinic": None, "patient": None, "contact": None, **common}])


def best_channel(patient: ColumnElement[UUID] | UUID, purpose: Consented) -> Select[tuple[str]]:
    """Return a statement for the channel that a message to a patient should take.

    Text before e-mail; no row where there is none.
    """
    # "sms" sorts after "email".
    return usable(patient, purpose).order_by(CONTACT_POINTS.c.kind.desc()).limit(1)


def usable(
    patient: ColumnElement[UUID] | UUID, purpose: Consented, channel: Channel | None = None
) -> Select[tuple[str]]:
    """Return a statement for the channels of the contact points with consent that work and have not said stop."""
    said_stop = select(STOPS.c.fingerprint).where(STOPS.c.fingerprint == CONTACT_POINTS.c.fingerprint).exists()
    is_bad = (
        select(BAD_ADDRESSES.c.fingerprint).where(BAD_ADDRESSES.c.fingerprint == CONTACT_POINTS.c.fingerprint).exists()
    )
    return select(CONTACT_POINTS.c.kind).where(
        CONTACT_POINTS.c.patient == patient,
        ~CONTACT_POINTS.c.retired,
        # A way of a later version is kept, and nothing is sent by it.
        CONTACT_POINTS.c.kind.in_(list(Channel)),
        CONTACT_POINTS.c.wrong_at.is_(None),
        CONTACT_POINTS.c.purposes.any_() == purpose,
        ~said_stop,
        ~is_bad,
        *([] if channel is None else [CONTACT_POINTS.c.kind == channel]),
    )


async def may_use(reader: Reader, patient: PatientId, channel: Channel, purpose: Consented) -> bool:
    """Tell whether a patient agreed to a purpose on a contact point of this channel that works and has no stop."""
    return await reader.scalar(usable(patient, purpose, channel).limit(1)) is not None


async def channel_of(reader: Reader, patient: PatientId, purpose: Consented) -> Channel:
    """Return the channel that a message takes; text where there is none, so that it is withheld with its reason."""
    return Channel(await reader.scalar(best_channel(patient, purpose)) or Channel.SMS)


async def known(reader: Reader, patient: UUID, *, version: int = 0) -> bool:
    """Tell whether a patient has arrived, as they are since a version."""
    arrived = (PATIENTS.c.patient == patient) & (PATIENTS.c.version >= version)
    return bool(await reader.scalar(select(func.count()).where(arrived)))
