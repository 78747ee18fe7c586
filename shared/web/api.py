"""The habits of the interface for programs, once for every service.

A change runs in one transaction with its idempotency key; an answer carries its version as `ETag`; an unknown field is
refused; a list has `limit` and `after`.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, field_validator

from shared.database import Database, Transaction
from shared.web.idempotency import LONGEST_KEY, Answer, Idempotency
from shared.web.problems import Forbidden, Invalid, PreconditionFailed
from shared.web.tokens import Principal, Scope, Tokens

JSON: Final = "application/json"
T = TypeVar("T", bound=BaseModel)


def _day(value: Any) -> Any:
    return _written(value, _DAY, "Write a day as 2026-12-01.")


def _moment(value: Any) -> Any:
    return _written(value, _MOMENT, "Write an instant with its offset, as 2026-12-01T10:00:00Z.")


def _written(value: Any, form: re.Pattern[str], remedy: str) -> Any:
    """Refuse what would be read as seconds since 1970."""
    if isinstance(value, date) or (isinstance(value, str) and form.fullmatch(value.strip())):
        return value
    raise ValueError(remedy)


_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})", re.ASCII)
EARLIEST: Final = date(1900, 1, 1)
LATEST: Final = date(2199, 12, 31)
"""The days that are taken: beyond them a zone's offset leads out of the calendar that Python and PostgreSQL share."""


def _day_within(value: date) -> date:
    if not EARLIEST <= value <= LATEST:
        raise ValueError(f"Write a day from {EARLIEST} to {LATEST}.")
    return value


def _moment_within(value: datetime) -> datetime:
    if not EARLIEST <= value.date() <= LATEST:
        raise ValueError(f"Write an instant from {EARLIEST} to {LATEST}.")
    return value


def day_of(text: str) -> date:
    """Return the day that a form names.

    Raises:
        ValueError: it is none, or none that is taken; the message says which are.
    """
    return _day_within(date.fromisoformat(_day(text)))


def moment_of(text: str) -> datetime:
    """Return the instant that a form names; raises `ValueError` as `day_of` does."""
    return _moment_within(datetime.fromisoformat(_moment(text)))


Day = Annotated[date, BeforeValidator(_day), AfterValidator(_day_within)]
"""A day that a program sends, from 1900 to 2199."""
Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_moment_within)]
"""An instant that a program sends, from 1900 to 2199."""


class Body(BaseModel):
    """What a program sends; unknown fields are refused, and so is the one character that PostgreSQL cannot keep."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_nul(cls, value: Any) -> Any:
        held = value if isinstance(value, list | tuple) else (value,)
        if any(isinstance(one, str) and "\x00" in one for one in held):
            raise ValueError("This holds the character NUL. Leave it out.")
        return value


class View(BaseModel):
    """What a program gets."""

    model_config = ConfigDict(frozen=True)


class Listing(View, Generic[T]):
    """A page of a list; `next` is the `after` of the following page."""

    items: list[T]
    next: str | None


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    after: UUID | None


def page(limit: Annotated[int, Query(ge=1, le=500)] = 100, after: UUID | None = None) -> Page:
    return Page(limit, after)


Paging = Annotated[Page, Depends(page)]


def listing(items: Sequence[T], wanted: Page, *, cursor: Callable[[T], str]) -> Listing[T]:
    """Return a page of items that were read with `limit + 1`, so that a following page is known of."""
    shown = list(items[: wanted.limit])
    return Listing[Any](items=shown, next=cursor(shown[-1]) if len(items) > wanted.limit else None)


def principal_of(request: Request) -> Principal:
    """Return who asks; raises `Unauthorized` without a token that holds."""
    tokens: Tokens = request.app.state.tokens
    return tokens.bearer(request.headers.get("authorization", ""))


def require(scope: Scope) -> Callable[[Request], Principal]:
    """Return a dependency that lets only tokens with a scope pass."""

    def check(request: Request) -> Principal:
        principal = principal_of(request)
        if scope not in principal.scopes:
            raise Forbidden(f"This needs a token with the scope {scope.value!r}; yours has {sorted(principal.scopes)}.")
        return principal

    return check


Reads = Annotated[Principal, Depends(require(Scope.READ))]


class CommandCall:
    """A change that somebody orders: who, under which idempotency key, against which version."""

    def __init__(self, request: Request, principal: Principal, key: str | None, match: str | None, body: bytes) -> None:
        self.principal = principal
        self.key = key
        self._match = match
        self._request = request
        self._body = body

    def if_match(self, version: int) -> None:
        """Compare the version that the caller knows with the one that holds; call it after the row was locked.

        Raises:
            PreconditionFailed: the caller knows an older one.
        """
        if self._match not in {None, "*", f'"{version}"', str(version)}:
            raise PreconditionFailed(f'It is now at version "{version}", not {self._match}; read it again first.')

    async def run(
        self, database: Database, work: Callable[[Transaction], Awaitable[BaseModel]], *, status: int = 200
    ) -> Response:
        """Do the work and keep its answer in one transaction; a repeated key gets the kept answer."""
        answers = Idempotency(database.schema, self._request.app.state.keyring)
        request = answers.fingerprint(self._request.method, self._request.url.path, self._body)
        async with database.transaction() as tx:
            if self.key is not None:
                earlier = await answers.begin(tx, self.principal, self.key, request)
                if earlier is not None:
                    return _response(earlier)
            result = await work(tx)
            version = getattr(result, "version", None)
            etag = None if version is None else f'"{version}"'
            answer = Answer(status, result.model_dump_json(), etag)
            if self.key is not None:
                await answers.finish(tx, self.principal, self.key, request, answer)
        return _response(answer)


def _response(answer: Answer) -> Response:
    headers = {} if answer.etag is None else {"ETag": answer.etag}
    return Response(answer.body, status_code=answer.status, media_type=JSON, headers=headers)


def versioned(view: BaseModel) -> Response:
    """Answer a read of one thing with its version as `ETag`."""
    version = getattr(view, "version", None)
    return _response(Answer(200, view.model_dump_json(), None if version is None else f'"{version}"'))


def commands(scope: Scope) -> Callable[..., Awaitable[CommandCall]]:
    """Return a dependency that reads a change's circumstances, for tokens with a scope."""
    allowed = require(scope)

    async def read(
        request: Request,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=LONGEST_KEY)] = None,
        if_match: Annotated[str | None, Header()] = None,
    ) -> CommandCall:
        principal = allowed(request)
        return CommandCall(request, principal, idempotency_key, if_match, await request.body())

    return read


WriteCommand = Annotated[CommandCall, Depends(commands(Scope.WRITE))]
DecideCommand = Annotated[CommandCall, Depends(commands(Scope.DECIDE))]
CloseAlertCommand = Annotated[CommandCall, Depends(commands(Scope.CLOSE_ALERTS))]
__all__ = [
    "Body",
    "CloseAlertCommand",
    "CommandCall",
    "Day",
    "DecideCommand",
    "Invalid",
    "Listing",
    "Moment",
    "Page",
    "Paging",
    "Reads",
    "View",
    "WriteCommand",
    "commands",
    "day_of",
    "listing",
    "moment_of",
    "require",
    "versioned",
]
