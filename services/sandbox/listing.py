"""Messages as the provider shows them: one as JSON, many as pages of a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Final
from urllib.parse import urlencode

from services.sandbox.entries import Origin, TextAccepted, TextReceived
from services.sandbox.model.script import Stage, Status
from services.sandbox.model.texts import segments

LARGEST_PAGE: Final = 1000
_ERROR_TEXTS: Final = {
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30008: "Unknown error",
}

MessageJson = dict[str, str | int | dict[str, str] | None]


class NotADateError(ValueError):
    """A filter by date is neither a day (2026-12-01) nor an instant (2026-12-01T10:00:00Z)."""

    def __init__(self, value: str) -> None:
        super().__init__(f"DateSent {value!r}: {self.__doc__}")


@dataclass(frozen=True)
class Listed:
    """A text with its present state."""

    text: TextAccepted
    stage: Stage


@dataclass(frozen=True)
class Received:
    """A text that a handset sent."""

    text: TextReceived


@dataclass(frozen=True)
class Wish:
    """What a list is asked for. `on`, `since` and `until` are a day or an instant."""

    to: str | None
    sender: str | None
    on: date | None
    since: date | datetime | None
    until: date | datetime | None
    size: int
    page: int
    asked: tuple[tuple[str, str], ...]


def message_json(account: str, text: TextAccepted, stage: Stage, *, created: bool = False) -> MessageJson:
    """Return a message resource.

    Args:
        account: SID of the account.
        text: the message.
        stage: its present state.
        created: for the answer to its creation, which always says `queued`.
    """
    status = Status.QUEUED if created else stage.status
    return _resource(account, text) | {
        "date_sent": None if status is Status.QUEUED else _rfc2822(text.at),
        "direction": "outbound-reply" if text.origin is Origin.ANSWER else "outbound-api",
        "error_code": None if created else stage.error,
        "error_message": None if created or stage.error is None else _ERROR_TEXTS.get(stage.error, "Unknown error"),
        "from": text.sender,
        "status": status.value,
    }


def _received_json(account: str, text: TextReceived) -> MessageJson:
    return _resource(account, text) | {"direction": "inbound", "from": text.number, "status": "received"}


def _resource(account: str, text: TextAccepted | TextReceived) -> MessageJson:
    """Return what the resources of texts have in common, whichever way they went."""
    uri = f"/2010-04-01/Accounts/{account}/Messages/{text.sid}"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": text.body,
        "date_created": _rfc2822(text.at),
        "date_sent": _rfc2822(text.at),
        "date_updated": _rfc2822(text.at),
        "error_code": None,
        "error_message": None,
        "messaging_service_sid": text.service,
        "num_media": "0",
        "num_segments": str(segments(text.body)),
        "price": None,
        "price_unit": "USD",
        "sid": text.sid,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": text.to,
        "uri": f"{uri}.json",
    }


def wish_of(query: Mapping[str, str]) -> Wish:
    """Read what a list is asked for.

    `DateSent>=2026-12-01` reaches a server as the name `DateSent>` with a value; the Python package sends an instant.

    Raises:
        NotADateError: for a date that is none.
    """
    since = query.get("DateSent>") or query.get("DateSent>=")
    until = query.get("DateSent<") or query.get("DateSent<=")
    on = query.get("DateSent")
    exact = _when(on) if on else None
    return Wish(
        to=query.get("To") or None,
        sender=query.get("From") or None,
        on=_day(exact) if exact else None,
        since=_when(since) if since else None,
        until=_when(until) if until else None,
        size=min(max(_whole(query.get("PageSize"), 50), 1), LARGEST_PAGE),
        page=max(_whole(query.get("Page"), 0), 0),
        asked=tuple((name, value) for name, value in query.items() if name not in {"Page", "PageSize", "PageToken"}),
    )


def page_of(account: str, wish: Wish, listed: Sequence[Listed | Received]) -> dict[str, object]:
    """Return a page of a list, newest first, as the provider shapes it."""
    wanted = [one for one in listed if _fits(wish, one.text)]
    start = wish.page * wish.size
    shown = wanted[start : start + wish.size]
    return {
        "messages": [
            message_json(account, one.text, one.stage) if isinstance(one, Listed) else _received_json(account, one.text)
            for one in shown
        ],
        "page": wish.page,
        "page_size": wish.size,
        "start": start,
        "end": start + len(shown) - 1 if shown else start,
        "uri": _uri(account, wish, wish.page),
        "first_page_uri": _uri(account, wish, 0),
        "next_page_uri": _uri(account, wish, wish.page + 1) if start + wish.size < len(wanted) else None,
        "previous_page_uri": _uri(account, wish, wish.page - 1) if wish.page else None,
    }


def _uri(account: str, wish: Wish, page: int) -> str:
    query = urlencode([*wish.asked, ("PageSize", str(wish.size)), ("Page", str(page))])
    return f"/2010-04-01/Accounts/{account}/Messages.json?{query}"


def _fits(wish: Wish, text: TextAccepted | TextReceived) -> bool:
    sender = text.number if isinstance(text, TextReceived) else text.sender
    return (
        (isinstance(text, TextReceived) or text.origin is not Origin.NETWORK)
        and wish.to in {None, text.to}
        and wish.sender in {None, sender}
        and wish.on in {None, _day(text.at)}
        and (wish.since is None or _at_or_after(text.at, wish.since))
        and (wish.until is None or _at_or_before(text.at, wish.until))
    )


def _at_or_after(at: datetime, bound: date | datetime) -> bool:
    return at.replace(microsecond=0) >= bound if isinstance(bound, datetime) else _day(at) >= bound


def _at_or_before(at: datetime, bound: date | datetime) -> bool:
    return at.replace(microsecond=0) <= bound if isinstance(bound, datetime) else _day(at) <= bound


def _day(when: date | datetime) -> date:
    return when.astimezone(UTC).date() if isinstance(when, datetime) else when


def _when(value: str) -> date | datetime:
    try:
        if "T" not in value:
            return date.fromisoformat(value)
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise NotADateError(value) from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).replace(microsecond=0)


def _whole(value: str | None, otherwise: int) -> int:
    return int(value) if value is not None and value.isdecimal() else otherwise


def _rfc2822(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC))
