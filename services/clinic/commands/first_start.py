"""The first start: one clinic, and its first member of staff, whom the operator names."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from services.clinic import password_hashing, published_events
from services.clinic.commands.staff import give_password
from services.clinic.model.clinic import Clinic, OnCall
from services.clinic.model.contacts import ContactKind
from services.clinic.model.password_rules import one_time_password, read_login
from services.clinic.model.people import read_name
from services.clinic.model.roles import Role
from services.clinic.store import audit, clinics, staff
from services.clinic.store.staff import Member
from shared.bus import publish
from shared.database import Transaction
from shared.ids import ClinicId, StaffId, new_id
from shared.languages import Language
from shared.protection import Keyring

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
class FirstMember:
    """Who can log in to a new clinic; `lasting` where the password that is made need not be replaced."""

    name: str
    login: str
    role: Role = Role.ADMIN
    lasting: bool = False


@dataclass(frozen=True)
class FirstLogin:
    """The way in; `login` is None where nobody was named, `password` where none was made now."""

    clinic: ClinicId
    login: str | None
    password: str | None


def administrator(name: str, login: str | None) -> FirstMember:
    """Return an administrator of this name, whose login follows from the name where none is given.

    Raises:
        RefusedError: the name or the login cannot be one.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    return FirstMember(read_name(name), read_login(login or ".".join(re.findall(r"[a-z0-9]+", plain)) or "admin"))


async def ensure_first_clinic(
    tx: Transaction,
    keyring: Keyring,
    *,
    zone: str,
    member: FirstMember | None,
    name: str = "Keepwell Clinic",
    phone: str = "+12025550100",
    oncall: tuple[OnCall, ...] = (OnCall(ContactKind.SMS, "+12025550199"),),
) -> FirstLogin:
    """Set up a clinic where there is none, with its first member of staff; two starts at once make one.

    Args:
        tx: of the clinic's own database.
        keyring: seals the numbers of the people on call.
        zone: IANA name.
        member: who can log in at first; nobody, where the operator named nobody yet (see `first_member`).
        name: of the clinic.
        phone: what patients are told to call, E.164.
        oncall: who is paged; the default is a number that nobody has, for the stand-in phone network.
    """
    await clinics.one_at_a_time(tx)
    known = await clinics.first(tx)
    if known is not None:
        return FirstLogin(known, None, None)
    clinic = Clinic(
        id=ClinicId(new_id()),
        version=1,
        name=name,
        sender_name="Keepwell",
        zone=zone,
        phone=phone,
        texts_from="08:00",
        texts_until="21:00",
        crisis=dict(CRISIS),
        oncall=oncall,
    )
    await clinics.add(tx, clinic, keyring)
    await publish(tx, published_events.clinic_changed(clinic, keyring))
    await audit.note(tx, clinic.id, "system", "clinic.set-up", thing=clinic.id)
    return FirstLogin(clinic.id, None, None) if member is None else await _added(tx, clinic.id, member)


async def first_member(tx: Transaction, member: FirstMember) -> FirstLogin:
    """Let somebody in to a clinic in which nobody works yet.

    Raises:
        LookupError: there is no clinic, or somebody works there already; the message says what to do.
    """
    await clinics.one_at_a_time(tx)
    clinic = await clinics.first(tx)
    if clinic is None:
        raise LookupError("There is no clinic yet; `keepwell up` sets one up.")
    if await staff.of_clinic(tx, clinic):
        raise LookupError(
            "Somebody can log in already. `keepwell staff reset-password LOGIN` gives them a new password, and they "
            "add others under Settings."
        )
    return await _added(tx, clinic, member)


async def _added(tx: Transaction, clinic: ClinicId, member: FirstMember) -> FirstLogin:
    password = one_time_password()
    added = Member(StaffId(new_id()), clinic, member.login, member.name, member.role, must_change=not member.lasting)
    await staff.add(tx, added, password_hashing.HASHER.hash(password))
    await audit.note(tx, clinic, "system", "clinic.first-member", thing=added.id)
    return FirstLogin(clinic, member.login, password)


async def forgotten_password(tx: Transaction, login: str) -> FirstLogin:
    """Give a member of staff a password for one login, where theirs was lost; every session of theirs ends.

    They choose their own right after they have logged in with it.

    Raises:
        LookupError: nobody active has this login; the message says what to do, for whoever runs the command.
    """
    found = await staff.by_login(tx, login.strip().casefold())
    if found is None:
        if await clinics.first(tx) is None:
            raise LookupError("There is no clinic yet; `keepwell up` sets one up.")
        raise LookupError(f"Nobody who is active has the login {login!r}. Settings in the console lists the logins.")
    handed = await give_password(tx, found[0], by="system")
    return FirstLogin(handed.member.clinic, handed.member.login, handed.password)
