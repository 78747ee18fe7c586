"""Who may come in to the console: logins, sessions in the browser, and tokens against forged forms."""

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import Request, Response

from services.clinic import password_hashing
from services.clinic.store import audit, staff
from services.clinic.store.staff import Member
from shared.clock import Clock
from shared.database import Database
from shared.protection import Keyring
from shared.telemetry.log import get_logger

log = get_logger(__name__)

COOKIE: Final = "keepwell_session"
LOGIN_FORM_COOKIE: Final = "keepwell_door"
"""Held before login, so that the login form has a token of its own."""
LOGOUT_WHEN_IDLE: Final = timedelta(minutes=60)
LOGOUT_AFTER: Final = timedelta(hours=12)
LOCKOUT: Final = timedelta(minutes=15)
LOCKOUT_ACCOUNT_FAILURES: Final = 10
LOCKOUT_ADDRESS_FAILURES: Final = 50
"""Wrong passwords within the window after which an account, or a network address, has to wait it out. A clinic shares
one address, so that one has more room."""
_TOKEN_BYTES: Final = 32
_NOTE_USE: Final = timedelta(minutes=1)
LIVE_HEADER: Final = "X-Keepwell-Live"
"""Marks what a page fetches by itself, which must not keep an abandoned session alive."""


class LoginRefusedError(Exception):
    """Login or password is wrong. Check both; capital letters count."""


class TooManyLoginsError(Exception):
    """Too many wrong passwords. Wait 15 minutes, then try again."""


class OldPasswordError(Exception):
    """This is not your present password. Check it; capital letters count."""


@dataclass(frozen=True)
class CurrentUser:
    """Who is logged in, by which session."""

    member: Member
    token: str

    @property
    def csrf(self) -> str:
        """Return the token that every form of this session carries."""
        return csrf_of(self.token)


def new_token() -> str:
    """Return a secret for a cookie."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_of(token: str) -> str:
    """Return what the database keeps of a cookie."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """Return the form token of a cookie; who does not hold the cookie cannot make it."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def csrf_holds(token: str, given: str) -> bool:
    """Tell whether a form came from a page of this cookie's holder."""
    return bool(token) and hmac.compare_digest(csrf_of(token).encode(), given.encode())


class Authentication:
    """Lets staff in and out.

    Args:
        database: the clinic's.
        keyring: makes the fingerprints of what was typed.
        clock: the real one, whatever clock the clinic runs on: a trial's months must not end sessions.
        secure: whether cookies may travel over https alone.
    """

    def __init__(self, database: Database, keyring: Keyring, clock: Clock, *, secure: bool) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._secure = secure
        # Checked where there is no such account, so that the time it takes does not tell.
        self._nobody = password_hashing.HASHER.hash(new_token())

    async def login(self, login: str, password: str, address: str) -> str:
        """Return the cookie of a new session.

        Raises:
            LoginRefusedError: no such login, or a wrong password.
            TooManyLoginsError: too many failures from this account or address.
        """
        now = self._clock.now()
        account = self._keyring.fingerprint(login.strip().casefold(), context="login")
        place = self._keyring.fingerprint(address, context="address")
        async with self._database.reading() as reader:
            by_account, by_address = await staff.failures(reader, account, place, since=now - LOCKOUT)
            found = await staff.by_login(reader, login.strip().casefold())
        if by_account >= LOCKOUT_ACCOUNT_FAILURES or by_address >= LOCKOUT_ADDRESS_FAILURES:
            log.warning("login.limited")
            raise TooManyLoginsError(TooManyLoginsError.__doc__)
        known_hash = found[1] if found else self._nobody
        right = await asyncio.to_thread(self._verify, known_hash, password)
        if found is None or not right:
            async with self._database.transaction() as tx:
                await staff.note_failure(tx, account, place, now)
                if found:
                    member = found[0]
                    await audit.note(tx, member.clinic, f"staff:{member.id}", "login.refused", thing=member.id)
            raise LoginRefusedError(LoginRefusedError.__doc__)
        return await self._let_in(found[0], account)

    async def user(self, request: Request) -> CurrentUser | None:
        """Return who is logged in; None where nobody is, or the session has ended."""
        token = request.cookies.get(COOKIE, "")
        if not token:
            return None
        now = self._clock.now()
        async with self._database.reading() as reader:
            login = await staff.login_of(reader, hash_of(token))
        if login is None or now - login.began_at > LOGOUT_AFTER or now - login.seen_at > LOGOUT_WHEN_IDLE:
            return None
        if now - login.seen_at > _NOTE_USE and LIVE_HEADER not in request.headers:
            async with self._database.transaction() as tx:
                await staff.seen(tx, hash_of(token), now)
        return CurrentUser(login.member, token)

    async def change_password(self, user: CurrentUser, old: str, new: str, address: str) -> None:
        """Give a member of staff the password that they chose; their sessions elsewhere end.

        Raises:
            OldPasswordError: the present password is another one.
            TooManyLoginsError: too many failures from this account or address.
        """
        member, now = user.member, self._clock.now()
        account = self._keyring.fingerprint(member.login, context="login")
        place = self._keyring.fingerprint(address, context="address")
        async with self._database.reading() as reader:
            by_account, by_address = await staff.failures(reader, account, place, since=now - LOCKOUT)
            found = await staff.by_login(reader, member.login)
        if by_account >= LOCKOUT_ACCOUNT_FAILURES or by_address >= LOCKOUT_ADDRESS_FAILURES:
            raise TooManyLoginsError(TooManyLoginsError.__doc__)
        if found is None or not await asyncio.to_thread(self._verify, found[1], old):
            async with self._database.transaction() as tx:
                await staff.note_failure(tx, account, place, now)
                await audit.note(tx, member.clinic, f"staff:{member.id}", "password.refused", thing=member.id)
            raise OldPasswordError(OldPasswordError.__doc__)
        new_hash = await asyncio.to_thread(password_hashing.HASHER.hash, new)
        async with self._database.transaction() as tx:
            await staff.set_hash(tx, member.id, new_hash, must_change=False)
            await staff.end_all(tx, member.id, but=hash_of(user.token))
            await audit.note(tx, member.clinic, f"staff:{member.id}", "staff.password-changed", thing=member.id)

    async def logout(self, user: CurrentUser) -> None:
        """End a session."""
        member = user.member
        async with self._database.transaction() as tx:
            await staff.end(tx, hash_of(user.token))
            await audit.note(tx, member.clinic, f"staff:{member.id}", "logout", thing=member.id)

    def set_cookie(self, response: Response, name: str, value: str, *, life: timedelta = LOGOUT_AFTER) -> None:
        """Give a cookie that scripts cannot read and other sites cannot send along."""
        response.set_cookie(
            name,
            value,
            max_age=int(life.total_seconds()),
            path="/console",
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )

    async def _let_in(self, member: Member, account: str) -> str:
        token, now = new_token(), self._clock.now()
        async with self._database.transaction() as tx:
            await staff.forget_older(tx, began=now - LOGOUT_AFTER, used=now - LOGOUT_WHEN_IDLE, failed=now - LOCKOUT)
            await staff.forgive(tx, account)
            await staff.begin(tx, member.id, hash_of(token), now)
            await audit.note(tx, member.clinic, f"staff:{member.id}", "login", thing=member.id)
        return token

    def _verify(self, known_hash: str, password: str) -> bool:
        try:
            return password_hashing.HASHER.verify(known_hash, password)
        except (VerificationError, InvalidHashError):
            return False
