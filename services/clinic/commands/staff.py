"""What is done about the clinic's staff: each change with its line in the audit trail."""

import asyncio
from dataclasses import dataclass, replace
from uuid import UUID

from services.clinic import password_hashing
from services.clinic.commands.patients import refuse, who
from services.clinic.model.flaws import FlawedError, Flaws, RefusedError
from services.clinic.model.password_rules import one_time_password, read_login
from services.clinic.model.people import read_name
from services.clinic.model.roles import Role, may_appoint
from services.clinic.store import audit, staff
from services.clinic.store.staff import Member
from shared.database import Transaction
from shared.ids import StaffId, new_id
from shared.web.problems import Conflict, Forbidden, Invalid, NotFound
from shared.web.tokens import Principal


@dataclass(frozen=True)
class GivenMember:
    """A member of staff as they were typed in."""

    login: str
    name: str
    role: str


@dataclass(frozen=True)
class Handed:
    """A member of staff with the password for their first login, to be handed over once."""

    member: Member
    password: str


async def add(tx: Transaction, principal: Principal, own: Role, given: GivenMember) -> Handed:
    """Add a member of staff.

    Args:
        tx: of the clinic's database.
        principal: who adds them.
        own: the role of who adds them.
        given: what was typed in.

    Raises:
        Invalid: with the place of every flaw; a login that is taken is one.
    """
    flaws = Flaws()
    login = flaws.take("/login", read_login, given.login)
    name = flaws.take("/name", read_name, given.name)
    vacant = not any(one.role is Role.CLINICIAN and one.active for one in await staff.of_clinic(tx, principal.clinic))
    role = flaws.take("/role", lambda text: _role(text, own, vacant=vacant), given.role)
    try:
        flaws.stop_if_any()
    except FlawedError as error:
        raise refuse(error) from error
    member = Member(StaffId(new_id()), principal.clinic, login or "", name or "", role or Role.STAFF, must_change=True)
    password = one_time_password()
    if not await staff.add(tx, member, await _hashed(password)):
        raise Invalid.at("/login", f"The login {member.login} is taken. Give another one.")
    await audit.note(tx, principal.clinic, who(principal), "staff.added", thing=member.id)
    return Handed(member, password)


async def deactivate(tx: Transaction, principal: Principal, own: Role, member: UUID) -> Member:
    """Let a member of staff in no more; every session of theirs ends.

    Raises:
        NotFound: the clinic has nobody of that id.
        Forbidden: the role does not allow it.
        Conflict: it is oneself, or they have left before.
    """
    found = await _subordinate(tx, principal, own, member)
    if not found.active:
        raise Conflict(f"{found.name} is not active already.")
    await staff.deactivate(tx, found.id)
    await staff.end_all(tx, found.id)
    await audit.note(tx, principal.clinic, who(principal), "staff.deactivated", thing=found.id)
    return replace(found, active=False)


async def renew_password(tx: Transaction, principal: Principal, own: Role, member: UUID) -> Handed:
    """Give a colleague who forgot their password one for their next login; raises what `deactivate` does."""
    found = await _subordinate(tx, principal, own, member)
    if not found.active:
        raise Conflict(f"{found.name} is not active any more.")
    return await give_password(tx, found, by=who(principal))


async def give_password(tx: Transaction, member: Member, *, by: str) -> Handed:
    """Give a member of staff a password for one login; every session of theirs ends."""
    password = one_time_password()
    await staff.set_hash(tx, member.id, await _hashed(password), must_change=True)
    await staff.end_all(tx, member.id)
    await audit.note(tx, member.clinic, by, "staff.new-password", thing=member.id)
    return Handed(member, password)


async def _subordinate(tx: Transaction, principal: Principal, own: Role, member: UUID) -> Member:
    found = await staff.find(tx, principal.clinic, StaffId(member), lock=True)
    if found is None:
        raise NotFound("There is no such member of staff in this clinic.")
    if found.id == principal.staff:
        raise Conflict("This is yourself. Ask a colleague, or change your own password under Settings.")
    if not may_appoint(own, found.role):
        raise Forbidden(f"The role {own} may not manage the role {found.role}.")
    return found


def _role(text: str, own: Role, *, vacant: bool) -> Role:
    if text not in set(Role):
        raise RefusedError("Choose one of the roles.")
    role = Role(text)
    if not may_appoint(own, role, vacant=vacant):
        raise RefusedError(f"The role {own} may not appoint the role {role}.")
    return role


async def _hashed(password: str) -> str:
    return await asyncio.to_thread(password_hashing.HASHER.hash, password)
