"""The first start: one clinic, and one clinician who can log in."""

import secrets
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher

from services.clinic import facts
from services.clinic.model.clinic import Clinic, OnCall
from services.clinic.model.contacts import ContactKind
from services.clinic.model.staff import Role
from services.clinic.store import audit, clinics, staff
from services.clinic.store.staff import Member
from shared.bus import publish
from shared.database import Transaction
from shared.ids import ClinicId, StaffId, new_id
from shared.languages import Language
from shared.protection import Keyring

LOGIN: Final = "clinician"
_PASSWORD_BYTES: Final = 12
CRISIS: Final = {
    Language.EN: (
        "If you might act on thoughts of harming yourself, or you are in danger now, call 911. You can call or text "
        "988 at any hour, free of charge. This clinic does not watch messages around the clock."
    ),
    Language.ES: (
        "Si cree que podría hacerse daño o está en peligro ahora, llame al 911. Puede llamar al 988 a cualquier hora, "
        "gratis, o enviar AYUDA por mensaje de texto al 988. Esta clínica no vigila los mensajes las 24 horas."
    ),
}
"""Valid in the US alone: a clinic elsewhere gives its own."""


@dataclass(frozen=True)
class FirstLogin:
    """The way in after the first start; `password` is None where the clinic existed before."""

    clinic: ClinicId
    login: str
    password: str | None


async def ensure_first_clinic(
    tx: Transaction,
    keyring: Keyring,
    *,
    zone: str,
    name: str = "Keepwell Clinic",
    phone: str = "+12025550100",
    oncall: tuple[OnCall, ...] = (OnCall(ContactKind.SMS, "+12025550199"),),
) -> FirstLogin:
    """Set up a clinic with a clinician where there is none; two starts at once make one.

    Args:
        tx: of the clinic's own database.
        keyring: seals the numbers of the people on call.
        zone: IANA name.
        name: of the clinic.
        phone: what patients are told to call, E.164.
        oncall: who is paged; the default is a number that nobody has, for the stand-in phone network.
    """
    await clinics.one_at_a_time(tx)
    known = await clinics.first(tx)
    if known is not None:
        return FirstLogin(known, LOGIN, None)
    clinic = Clinic(
        id=ClinicId(new_id()),
        version=1,
        name=name,
        sender_name="Keepwell",
        zone=zone,
        phone=phone,
        quiet_from="08:00",
        quiet_until="21:00",
        crisis=dict(CRISIS),
        oncall=oncall,
    )
    await clinics.add(tx, clinic, keyring)
    await publish(tx, facts.clinic_changed(clinic, keyring))
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    member = Member(StaffId(new_id()), clinic.id, LOGIN, "Alma Reid", Role.CLINICIAN)
    await staff.add(tx, member, PasswordHasher().hash(password))
    await audit.note(tx, clinic.id, "system", "clinic.set-up", thing=clinic.id)
    return FirstLogin(clinic.id, LOGIN, password)


async def forgotten_password(tx: Transaction) -> FirstLogin:
    """Give the first clinician a new password, where the first one was lost; every session of theirs ends."""
    clinic = await clinics.first(tx)
    found = await staff.by_login(tx, LOGIN)
    if clinic is None or found is None:
        raise LookupError("There is no clinic yet; `keepwell up` sets one up.")
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    await staff.set_hash(tx, found[0].id, PasswordHasher().hash(password))
    await staff.end_all(tx, found[0].id)
    await audit.note(tx, clinic, "system", "staff.new-password", thing=found[0].id)
    return FirstLogin(clinic, LOGIN, password)
