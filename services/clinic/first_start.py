"""The first start: one clinic, and one clinician who can log in."""

from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher

from services.clinic import crew, facts
from services.clinic.model.clinic import Clinic, OnCall
from services.clinic.model.contacts import ContactKind
from services.clinic.model.logins import one_time_password
from services.clinic.model.staff import Role
from services.clinic.store import audit, clinics, staff
from services.clinic.store.staff import Member
from shared.bus import publish
from shared.database import Transaction
from shared.ids import ClinicId, StaffId, new_id
from shared.languages import Language
from shared.protection import Keyring

LOGIN: Final = "clinician"
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
    password = one_time_password()
    member = Member(StaffId(new_id()), clinic.id, LOGIN, "Alma Reid", Role.CLINICIAN)
    await staff.add(tx, member, PasswordHasher().hash(password))
    await audit.note(tx, clinic.id, "system", "clinic.set-up", thing=clinic.id)
    return FirstLogin(clinic.id, LOGIN, password)


async def forgotten_password(tx: Transaction, login: str = LOGIN) -> FirstLogin:
    """Give a member of staff a password for one login, where theirs was lost; every session of theirs ends.

    They choose their own right after they have logged in with it.

    Raises:
        LookupError: nobody active has this login; the message says what to do, for whoever runs the command.
    """
    found = await staff.by_login(tx, login.strip().casefold())
    if found is None:
        if await clinics.first(tx) is None:
            raise LookupError("There is no clinic yet; `keepwell up` sets one up.")
        raise LookupError(f"Nobody who is active has the login {login!r}. The first login is {LOGIN!r}.")
    handed = await crew.give_password(tx, found[0], by="system")
    return FirstLogin(handed.member.clinic, handed.member.login, handed.password)
