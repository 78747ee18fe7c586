"""Status reports and webhook calls as they came: every one is kept, or counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from services.notifier.tables import CALLBACKS, FORGERIES
from shared.database import Transaction

KEPT_FIELDS: Final = frozenset(
    (
        *("MessageSid", "SmsSid", "MessageStatus", "SmsStatus", "ErrorCode", "AccountSid", "ApiVersion"),
        *("MessagingServiceSid", "ChannelPrefix", "EventType", "RawDlrDoneDate"),
    )
)
"""What of a report is kept: neither numbers nor text."""


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A status report; `message` is None where it speaks of none that is known here."""

    message: UUID | None
    sid: str
    status: str
    error: str | None
    fields: Mapping[str, str]


async def keep(tx: Transaction, reports: Sequence[KeptReport]) -> None:
    """Keep reports in the order they came, without numbers and text."""
    rows = [
        {
            "message": report.message,
            "sid": report.sid,
            "status": report.status,
            "error": report.error,
            "fields": {name: value for name, value in report.fields.items() if name in KEPT_FIELDS},
            "received_at": tx.now,
        }
        for report in reports
    ]
    await tx.execute(insert(CALLBACKS), rows)


async def count_forgery(tx: Transaction, path: str, *, ours: bool) -> None:
    """Count a webhook call without a valid signature, by minute; `ours` where it named our own account."""
    minute: datetime = tx.now.replace(second=0, microsecond=0)
    statement = insert(FORGERIES).values(path=path, minute=minute, count=1, ours=int(ours))
    again = {"count": FORGERIES.c.count + 1, "ours": FORGERIES.c.ours + int(ours)}
    await tx.execute(statement.on_conflict_do_update(index_elements=["path", "minute"], set_=again))
