"""The provider's status reports: every one is kept; the message only moves forward."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from services.notifier.metrics import CALLBACKS as COUNTED
from services.notifier.model.outcomes import OPTED_OUT
from services.notifier.model.states import PROVIDER_STATUS
from services.notifier.store.changes import apply, lock
from services.notifier.store.opting import opt_out
from services.notifier.store.outcomes import accepted
from services.notifier.tables import ATTEMPTS, CALLBACKS
from shared.database import Transaction

KEPT_FIELDS: Final = frozenset(
    (
        *("MessageSid", "SmsSid", "MessageStatus", "SmsStatus", "ErrorCode", "AccountSid", "ApiVersion"),
        *("MessagingServiceSid", "ChannelPrefix", "EventType", "RawDlrDoneDate"),
    )
)
"""What of a report is kept: neither numbers nor text."""


@dataclass(frozen=True)
class Report:
    """A status report.

    Attributes:
        message: our id, out of the address that the report came to.
        attempt: the same.
    """

    sid: str
    status: str
    error: str | None
    message: UUID | None
    attempt: UUID | None
    fields: Mapping[str, str]


async def receive(tx: Transaction, report: Report) -> None:
    """Keep a report and move its message forward, if it is a step forward."""
    attempt = await _attempt(tx, report)
    message = attempt.message if attempt is not None else None
    kept = {name: value for name, value in report.fields.items() if name in KEPT_FIELDS}
    await tx.execute(
        insert(CALLBACKS).values(
            message=message,
            sid=report.sid,
            status=report.status,
            error=report.error,
            fields=kept,
            received_at=tx.now,
        )
    )
    COUNTED.labels(report.status if report.status in PROVIDER_STATUS else "other").inc()
    if attempt is None or message is None:
        return
    row = (await lock(tx, [message]))[message]
    await apply(tx, await accepted(tx, row, report.sid, report.status, report.error))
    settled = update(ATTEMPTS).where(ATTEMPTS.c.id == attempt.id, ATTEMPTS.c.sid.is_(None))
    await tx.execute(
        settled.values(
            state="accepted", sid=report.sid, ended_at=tx.now, look_at=None, detail="known by its status report"
        )
    )
    if report.error == OPTED_OUT:
        await opt_out(tx, row.to_fingerprint, how=f"provider error {OPTED_OUT}")


async def _attempt(tx: Transaction, report: Report) -> Row[Any] | None:
    if report.attempt is not None:
        named = select(ATTEMPTS).where(ATTEMPTS.c.id == report.attempt, ATTEMPTS.c.message == report.message)
        found = await tx.one_or_none(named)
        if found is not None:
            return found
    return await tx.one_or_none(select(ATTEMPTS).where(ATTEMPTS.c.sid == report.sid))
