"""What an operator should know of sending though the notifier does its work: causes, counts and remedies."""

from datetime import timedelta
from typing import Final

from sqlalchemy import text

from services.notifier.model.causes import cause_of, is_dead
from services.notifier.model.purposes import Channel
from services.notifier.store import attempts, held_messages
from shared.database import Reader

HANDFUL: Final = 3
"""Messages that one cause must have hit before it is a finding. Engineering default."""
LATELY: Final = timedelta(hours=24)
"""How long what did not arrive is a finding: by then the cause is mended, or has hit others."""
SOON: Final = timedelta(minutes=3)
"""How long a message may wait before it is a finding."""
_THINGS: Final = {Channel.SMS: ("text", "texts"), Channel.EMAIL: ("e-mail", "e-mails")}

_LOST: Final = text(
    """
    SELECT channel, error, count(*) AS number, min(updated_at) AS since FROM messages
    WHERE state IN ('failed', 'undelivered') AND updated_at > :since AND error IS NOT NULL
    GROUP BY channel, error ORDER BY count(*) DESC
    """
)
_WAITING: Final = text(
    """
    SELECT channel, count(*) AS number, min(due_at) AS since FROM messages
    WHERE state = 'planned' AND reason IS NULL AND due_at <= :now GROUP BY channel
    """
)
_PUT_OFF: Final = text(
    """
    SELECT DISTINCT ON (channel) channel, split_part(detail, ';', 1) AS error FROM attempts
    WHERE state = 'later' AND ended_at > :since ORDER BY channel, ended_at DESC
    """
)


async def notes(reader: Reader) -> list[str]:
    """Return each finding in a sentence."""
    return [*await _restore(reader), *await _unseen(reader), *await _lost(reader), *await _waiting(reader)]


async def counts(reader: Reader) -> dict[str, int]:
    """Return how many messages wait to go out, by channel."""
    waiting = {row.channel: row.number for row in await reader.all(_WAITING.bindparams(now=reader.now))}
    return {"waiting_texts": waiting.get(Channel.SMS, 0), "waiting_mails": waiting.get(Channel.EMAIL, 0)}


async def _restore(reader: Reader) -> list[str]:
    restore = await held_messages.open_restore(reader)
    if restore is None:
        return []
    counted = await held_messages.counts(reader)
    persons = counted["held_for_a_person"]
    since = f"{restore.backed_up_at:%Y-%m-%d %H:%M:%S} UTC"
    waits = f"{persons} wait for a person (keepwell held list), {counted['held'] - persons} for the provider's word"
    return [f"the database was restored to {since}; held messages: {waits}"]


async def _unseen(reader: Reader) -> list[str]:
    count = await attempts.for_a_person_count(reader)
    if not count:
        return []
    said = (
        f"of {count} texts nobody knows whether they went out, and the provider's list does not show what was sent "
        "(redaction): look at its console, then release or drop them (keepwell held list). They are not sent again by "
        "themselves"
    )
    return [said]


async def _lost(reader: Reader) -> list[str]:
    """Return one finding for each cause that hit a handful; an address that does not work is no cause of others."""
    said = []
    for row in await reader.all(_LOST.bindparams(since=reader.now - LATELY)):
        if row.number >= HANDFUL and not is_dead(row.error) and row.error not in _ONES_OWN:
            cause = cause_of(row.error)
            said.append(
                f"{row.number} {_THINGS[Channel(row.channel)][1]} did not arrive since {row.since:%Y-%m-%d %H:%M} UTC: "
                f"{cause.what} ({row.error}). Remedy: {cause.remedy}"
            )
    return said


_ONES_OWN: Final = frozenset({"21610", "30003", "30004", "unknown", "unsendable"})
"""Errors that lie with one recipient or one message, though several may have them on a day."""


async def _waiting(reader: Reader) -> list[str]:
    """Return what cannot leave, and what the provider last said to that."""
    last = {row.channel: row.error for row in await reader.all(_PUT_OFF.bindparams(since=reader.now - LATELY))}
    said = []
    for row in await reader.all(_WAITING.bindparams(now=reader.now)):
        if row.since > reader.now - SOON or row.channel not in last:
            continue
        one, many = _THINGS[Channel(row.channel)]
        cause = cause_of(last[row.channel])
        said.append(
            f"{row.number} {one if row.number == 1 else many} cannot leave since {row.since:%Y-%m-%d %H:%M} UTC: "
            f"{cause.what} ({last[row.channel]}). Remedy: {cause.remedy}"
        )
    return said
