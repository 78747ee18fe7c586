"""Bearer tokens: who asks, for which clinic, with which scopes, until when.

A token is signed, so that every service can check it by itself. People's tokens are made by `keepwell token create`;
services make one of a minute for each order that they pass on.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.clock import RealClock
from shared.ids import ClinicId, StaffId, new_id
from shared.protection import Keyring
from shared.web.problems import Unauthorized

ALGORITHM: Final = "HS256"
ISSUER: Final = "keepwell"
ORDER_LIFE: Final = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token allows."""

    READ = "read"
    WRITE = "write"
    DECIDE = "decide"
    CLOSE_ALERTS = "alerts:close"
    TRIAL = "trial"


ALL_SCOPES: Final = frozenset(Scope)
USUAL_SCOPES: Final = ALL_SCOPES - {Scope.CLOSE_ALERTS}
"""What a new token has where nobody named scopes. Closing an alert says that a person is out of danger: whoever lets a
program say so names it."""


@dataclass(frozen=True)
class Principal:
    """Who asks."""

    clinic: ClinicId
    name: str
    scopes: frozenset[Scope]
    staff: StaffId | None = None


class Tokens:
    """Makes and checks tokens. Their life is measured on the real clock: a trial's months must not end them.

    Args:
        keyring: signs them.
        since: tokens that were made before this instant are revoked; none where it is None.
    """

    def __init__(self, keyring: Keyring, *, since: datetime | None = None) -> None:
        self._secret = keyring.derive("tokens")
        self._since = since
        self._clock = RealClock()

    def create(self, principal: Principal, *, life: timedelta) -> str:
        """Return a signed token that ends after `life`."""
        now = self._clock.now()
        claims = {
            "iss": ISSUER,
            "jti": str(new_id()),
            "sub": principal.name,
            "clinic": str(principal.clinic),
            "scope": " ".join(sorted(principal.scopes)),
            "iat": now,
            "exp": now + life,
        }
        if principal.staff is not None:
            claims["staff"] = str(principal.staff)
        import jwt  # noqa: PLC0415 - the library loads X.509, and many a service never sees a token

        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def bearer(self, header: str) -> Principal:
        """Return who an `Authorization` header speaks for.

        Raises:
            Unauthorized: it holds no bearer token, or one that does not hold.
        """
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthorized("Send `Authorization: Bearer <token>`; make one with `keepwell token create --name N`.")
        return self.check(token.strip())

    def check(self, token: str) -> Principal:
        """Return who a token speaks for.

        Raises:
            Unauthorized: altered, ended, or no token of ours.
        """
        import jwt  # noqa: PLC0415 - see above

        try:
            claims = jwt.decode(
                token, self._secret, algorithms=[ALGORITHM], issuer=ISSUER, options={"require": ["exp", "iat"]}
            )
            # Whole seconds are written into a token.
            if self._since is not None and claims["iat"] < int(self._since.timestamp()):
                raise Unauthorized("The token was revoked; make a new one with `keepwell token create --name N`.")
            return Principal(
                clinic=ClinicId(UUID(claims["clinic"])),
                name=str(claims["sub"]),
                scopes=frozenset(Scope(scope) for scope in claims["scope"].split()),
                staff=StaffId(UUID(claims["staff"])) if "staff" in claims else None,
            )
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The token has ended; make a new one with `keepwell token create --name N`.") from None
        except (jwt.InvalidTokenError, KeyError, ValueError):
            raise Unauthorized("The token is not one of ours, or was altered.") from None

    def ends(self, token: str) -> datetime:
        import jwt  # noqa: PLC0415 - see above

        claims = jwt.decode(token, self._secret, algorithms=[ALGORITHM], issuer=ISSUER)
        return datetime.fromtimestamp(claims["exp"], UTC)
