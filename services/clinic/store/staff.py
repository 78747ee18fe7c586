"""Staff, their passwords as argon2id hashes, and their sessions in the browser.

The instants of sessions and failures are the real clock's, given by the caller: a trial's months
must not log anybody out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.clinic.model.roles import Role
from services.clinic.tables import LOGIN_FAILURES, LOGINS, STAFF
from shared.database import Reader, Transaction
from shared.ids import ClinicId, StaffId, new_id


@dataclass(frozen=True)
class Member:
    """A member of staff."""

    id: StaffId
    clinic: ClinicId
    login: str
    name: str
    role: Role
    active: bool = True
    must_change: bool = False
    """Whether their password was given to them for one login."""


@dataclass(frozen=True)
class Login:
    """A session in a browser, with whose it is."""

    member: Member
    began_at: datetime
    seen_at: datetime


async def add(tx: Transaction, member: Member, password_hash: str) -> bool:
    """Write a new member of staff; tell whether the login was free."""
    values = {**vars(member), "role": str(member.role), "password_hash": password_hash}
    free = insert(STAFF).values(values).on_conflict_do_nothing(index_elements=[STAFF.c.login])
    return (await tx.execute(free.returning(STAFF.c.id))).first() is not None


async def of_clinic(reader: Reader, clinic: ClinicId) -> list[Member]:
    """Return everybody who works or worked in a clinic, by name."""
    rows = await reader.all(select(STAFF).where(STAFF.c.clinic == clinic).order_by(STAFF.c.name, STAFF.c.id))
    return [_member(row) for row in rows]


async def find(reader: Reader, clinic: ClinicId, member: StaffId, *, lock: bool = False) -> Member | None:
    """Return a member of a clinic's staff; with `lock`, nobody else changes them until the transaction ends."""
    wanted = select(STAFF).where(STAFF.c.id == member, STAFF.c.clinic == clinic)
    row = await reader.one_or_none(wanted.with_for_update() if lock else wanted)
    return None if row is None else _member(row)


async def deactivate(tx: Transaction, member: StaffId) -> None:
    """Let a member of staff in no more."""
    await tx.execute(update(STAFF).where(STAFF.c.id == member).values(active=False))


async def by_login(reader: Reader, login: str) -> tuple[Member, str] | None:
    """Return an active member of staff with the hash of their password."""
    row = await reader.one_or_none(select(STAFF).where(STAFF.c.login == login, STAFF.c.active))
    return None if row is None else (_member(row), row.password_hash)


async def set_hash(tx: Transaction, staff: StaffId, password_hash: str, *, must_change: bool) -> None:
    """Keep a new hash of a password, and whether it is for one login only."""
    values = {"password_hash": password_hash, "must_change": must_change}
    await tx.execute(update(STAFF).where(STAFF.c.id == staff).values(values))


async def end_all(tx: Transaction, staff: StaffId, *, but: str = "") -> None:
    """End every session of a member of staff, `but` that of one token hash."""
    await tx.execute(delete(LOGINS).where(LOGINS.c.staff == staff, LOGINS.c.token_hash != but))


async def begin(tx: Transaction, staff: StaffId, token_hash: str, now: datetime) -> None:
    """Begin a session in a browser."""
    await tx.execute(insert(LOGINS).values(token_hash=token_hash, staff=staff, began_at=now, seen_at=now))


async def login_of(reader: Reader, token_hash: str) -> Login | None:
    """Return the session that a cookie belongs to, while its member of staff is active."""
    found = select(STAFF, LOGINS.c.began_at, LOGINS.c.seen_at).join(LOGINS, LOGINS.c.staff == STAFF.c.id)
    row = await reader.one_or_none(found.where(LOGINS.c.token_hash == token_hash, STAFF.c.active))
    return None if row is None else Login(_member(row), row.began_at, row.seen_at)


async def seen(tx: Transaction, token_hash: str, now: datetime) -> None:
    """Note that a session was used."""
    await tx.execute(update(LOGINS).where(LOGINS.c.token_hash == token_hash).values(seen_at=now))


async def end(tx: Transaction, token_hash: str) -> None:
    """End a session."""
    await tx.execute(delete(LOGINS).where(LOGINS.c.token_hash == token_hash))


async def forget_older(tx: Transaction, *, began: datetime, used: datetime, failed: datetime) -> None:
    """Delete sessions that have ended by age or idleness, and failures that no longer count."""
    await tx.execute(delete(LOGINS).where(or_(LOGINS.c.began_at < began, LOGINS.c.seen_at < used)))
    await tx.execute(delete(LOGIN_FAILURES).where(LOGIN_FAILURES.c.at < failed))


async def note_failure(tx: Transaction, account: str, address: str, now: datetime) -> None:
    """Write that a login failed; both arguments are fingerprints."""
    await tx.execute(insert(LOGIN_FAILURES).values(id=new_id(), account=account, address=address, at=now))


async def forgive(tx: Transaction, account: str) -> None:
    """Forget an account's failures: its owner has come in."""
    await tx.execute(delete(LOGIN_FAILURES).where(LOGIN_FAILURES.c.account == account))


async def failures(reader: Reader, account: str, address: str, *, since: datetime) -> tuple[int, int]:
    """Return how often an account and an address have failed since an instant."""
    table = LOGIN_FAILURES
    row = await reader.one(
        select(
            func.count().filter(table.c.account == account).label("of_account"),
            func.count().filter(table.c.address == address).label("of_address"),
        ).where(table.c.at >= since, or_(table.c.account == account, table.c.address == address))
    )
    return int(row.of_account), int(row.of_address)


def _member(row: Row[Any]) -> Member:
    return Member(
        id=StaffId(row.id),
        clinic=ClinicId(row.clinic),
        login=row.login,
        name=row.name,
        role=Role(row.role),
        active=row.active,
        must_change=row.must_change,
    )
