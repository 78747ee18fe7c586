"""Claiming due messages and gathering what the decision over each needs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.notifier.model.due import Address, DueClinic, DueMessage, DueSession, OpenRestore
from services.notifier.model.rate import Rate
from services.notifier.model.reconciliation import Gap
from services.notifier.model.states import State
from services.notifier.tables import SENDERS
from shared.database import Reader, Transaction

COUNTED_SPAN: Final = timedelta(hours=26)
"""How far back the daily limit looks: a recipient's day has up to 25 hours."""

_DUE: Final = text(
    """
    SELECT m.id FROM messages AS m
    WHERE m.state = 'planned' AND m.next_at <= :now AND m.channel = ANY(CAST(:channels AS text[]))
      AND (m.purpose IN ('page', 'reply') OR NOT EXISTS (SELECT FROM gaps AS g WHERE g.closed_at IS NULL))
      AND (m.purpose NOT IN ('reminder', 'checkin', 'booking')
           OR NOT EXISTS (SELECT FROM hearing AS l WHERE l.refused_since IS NOT NULL AND l.refused = 0))
      AND (SELECT e.id FROM messages AS e
           WHERE e.lane = m.lane AND e.id <> m.id
             AND (e.state = 'sending' OR e.state = 'planned' AND (e.next_at, e.id) < (m.next_at, m.id))
           LIMIT 1) IS NULL
    ORDER BY m.next_at, m.id
    LIMIT :most
    FOR UPDATE SKIP LOCKED
    """
)
"""One message of a lane at a time, in order: a long text must not arrive after the short one that follows it. Another
sender's uncommitted claim still shows as planned here and so keeps its lane closed.

The lane is looked up by a subquery and not by NOT EXISTS, which the planner turns into a join. Nearly all messages are
done, so it takes those that are planned for one or two, and joins by reading all of them again for each: a morning of
ten thousand reminders then costs a hundred million rows.

While records of the log are missing that this service was to read, a session may be off and a number no longer the
patient's: nothing goes to patients but answers to what they wrote. Staff are paged all the same. So it is while texts
that people sent are still to be fetched, of which one may be a STOP."""

_DUE_MESSAGES: Final = text(
    """
    SELECT m.id, m.clinic, m.patient, m.purpose, m.channel, m.occurrence, m.about, m.state, m.version,
           m.useful_until, m.starts_at, m.link, m.details, m.trace, m.not_before, h.cleared_at,
           r.id AS restore, r.backed_up_at, r.restored_at, r.forgotten,
           r.id IS NOT NULL AND EXISTS (SELECT FROM restore_changes AS g
                                        WHERE g.restore = r.id AND g.patient = m.patient) AS changed,
           c.sender_name, c.phone, c.opens, c.closes, c.zone AS clinic_zone, c.crisis_en, c.crisis_es,
           p.language, p.zone AS patient_zone, coalesce(p.discharged, false) AS discharged,
           s.state AS session_state, s.starts_at AS session_wall, s.zone AS session_zone,
           s.starts_at_utc AS session_starts, s.minutes AS session_minutes, s.version AS session_version,
           coalesce(m.address, k.value) AS address,
           coalesce(m.to_fingerprint, k.fingerprint) AS fingerprint,
           coalesce(k.consented, false) AS consented,
           (SELECT t.fingerprint FROM stops AS t
            WHERE t.fingerprint = CASE WHEN m.address IS NULL THEN k.fingerprint ELSE m.to_fingerprint END
            LIMIT 1) IS NOT NULL AS stopped,
           (SELECT q.fingerprint FROM questions AS q
            WHERE q.fingerprint = k.fingerprint AND q.kind = 'stop' LIMIT 1) IS NOT NULL AS asked,
           m.address IS NULL AND (SELECT w.fingerprint FROM bad_addresses AS w
                                  WHERE w.fingerprint = k.fingerprint LIMIT 1) IS NOT NULL AS bad_address,
           m.purpose = 'booking' AND (
               SELECT b.session FROM sessions AS b
               WHERE b.patient = m.patient AND b.starts_at_utc > :now AND b.state IN ('booked', 'confirmed')
               LIMIT 1) IS NOT NULL AS booked,
           (SELECT x.id FROM messages AS x
            WHERE x.to_fingerprint = k.fingerprint AND x.sent_at IS NOT NULL
            LIMIT 1) IS NULL AS first,
           ARRAY (SELECT x.sent_at FROM messages AS x
                  WHERE x.patient = m.patient AND x.sent_at > :since AND x.channel = 'sms'
                    AND x.purpose IN ('reminder', 'checkin', 'booking')) AS sent
    FROM messages AS m
    LEFT JOIN clinics AS c ON c.clinic = m.clinic
    LEFT JOIN patients AS p ON p.patient = m.patient
    LEFT JOIN sessions AS s ON s.session = m.about
    LEFT JOIN restores AS r ON r.closed_at IS NULL
    LEFT JOIN holds AS h ON h.message = m.id AND h.restore = r.id
    LEFT JOIN LATERAL (
        SELECT o.value, o.fingerprint,
               o.purposes @> ARRAY[CASE m.purpose WHEN 'reminder' THEN 'reminders' WHEN 'checkin' THEN 'checkins'
                                   ELSE m.purpose END] AS consented
        FROM contact_points AS o
        WHERE o.patient = m.patient AND o.kind = m.channel AND NOT o.retired AND o.wrong_at IS NULL
        ORDER BY 3 DESC, EXISTS (SELECT FROM stops AS t WHERE t.fingerprint = o.fingerprint),
                 EXISTS (SELECT FROM bad_addresses AS w WHERE w.fingerprint = o.fingerprint), o.position
        LIMIT 1
    ) AS k ON m.address IS NULL AND m.purpose NOT IN ('page', 'reply')
    WHERE m.id = ANY(CAST(:ids AS uuid[]))
    ORDER BY m.next_at, m.id
    """
)
"""Subqueries with a LIMIT are looked up for each row. As EXISTS the planner may read the whole table once for all of
them, every message that was ever sent, and does so at the first five claims of each connection."""

_SENDING: Final = text(
    """
    UPDATE messages AS m
    SET state = 'sending', version = m.version + 1, updated_at = :now, reason = NULL,
        to_masked = c.masked, to_fingerprint = c.fingerprint
    FROM unnest(CAST(:ids AS uuid[]), CAST(:masked AS text[]), CAST(:fingerprints AS text[]))
         AS c (id, masked, fingerprint)
    WHERE m.id = c.id
    """
)

_NEXT: Final = text(
    """
    SELECT min(next_at) FROM messages
    WHERE state = 'planned' AND channel = ANY(CAST(:channels AS text[]))
      AND (purpose IN ('page', 'reply') OR NOT EXISTS (SELECT FROM gaps AS g WHERE g.closed_at IS NULL))
    """
)

_HELD: Final = text(
    """
    UPDATE messages AS m
    SET next_at = c.until, reason = c.reason, version = m.version + 1, updated_at = :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:untils AS timestamptz[]), CAST(:reasons AS text[])) AS c (id, until, reason)
    WHERE m.id = c.id
    """
)


async def claim(tx: Transaction, most: int, channels: Sequence[str]) -> list[DueMessage]:
    """Lock up to `most` due messages that no other sender has, and return each with what is true of it now."""
    ids = [row.id for row in await tx.all(_DUE.bindparams(now=tx.now, most=most, channels=list(channels)))]
    if not ids:
        return []
    # A second statement sees what was committed while the first one took its locks.
    return await due_messages(tx, ids)


async def due_messages(reader: Reader, ids: Sequence[UUID]) -> list[DueMessage]:
    """Return messages, each with what is true of it now, in the order in which they are to go out."""
    rows = await reader.all(_DUE_MESSAGES.bindparams(now=reader.now, since=reader.now - COUNTED_SPAN, ids=list(ids)))
    return list(map(_due, rows))


def _due(row: Row[Any]) -> DueMessage:
    return DueMessage(
        id=row.id,
        clinic=row.clinic,
        patient=row.patient,
        purpose=row.purpose,
        channel=row.channel,
        occurrence=row.occurrence,
        about=row.about,
        state=State(row.state),
        version=row.version,
        starts_at=row.starts_at,
        useful_until=row.useful_until,
        not_before=row.not_before,
        link=row.link,
        others=tuple((row.details or {}).get("others", ())),
        trace=row.trace,
        restore=None if row.restore is None else _restore(row),
        clinic_now=None if row.sender_name is None else _clinic(row),
        session=None if row.session_starts is None else _session(row),
        language=row.language,
        zone=row.patient_zone,
        discharged=row.discharged,
        address=None if row.address is None else Address(row.address, row.fingerprint),
        consented=row.consented,
        stopped=row.stopped,
        asked=row.asked,
        bad_address=row.bad_address,
        booked=row.booked,
        first=row.first,
        sent=row.sent,
    )


def _restore(row: Row[Any]) -> OpenRestore:
    gap = Gap(since=row.backed_up_at, until=row.restored_at, changed=row.changed, forgotten=row.forgotten)
    return OpenRestore(row.restore, gap, cleared=row.cleared_at is not None)


def _clinic(row: Row[Any]) -> DueClinic:
    return DueClinic(
        sender_name=row.sender_name,
        phone=row.phone,
        opens=row.opens,
        closes=row.closes,
        zone=row.clinic_zone,
        crisis_en=row.crisis_en,
        crisis_es=row.crisis_es,
    )


def _session(row: Row[Any]) -> DueSession:
    return DueSession(
        id=row.about,
        state=row.session_state,
        wall=row.session_wall,
        zone=row.session_zone,
        starts_at=row.session_starts,
        minutes=row.session_minutes,
        version=row.session_version,
    )


async def mark_sending(tx: Transaction, ids: list[UUID], masked: list[str], fingerprints: list[str]) -> None:
    """Write that messages are being sent, and to whom."""
    await tx.execute(_SENDING.bindparams(now=tx.now, ids=ids, masked=masked, fingerprints=fingerprints))


async def mark_held(tx: Transaction, ids: list[UUID], untils: list[datetime], reasons: list[str]) -> None:
    """Write until when messages wait, and for what."""
    await tx.execute(_HELD.bindparams(now=tx.now, ids=ids, untils=untils, reasons=reasons))


async def next_due(reader: Reader, channels: Sequence[str]) -> datetime | None:
    """Return when the next planned message of these channels is to be looked at."""
    found: datetime | None = await reader.scalar(_NEXT.bindparams(channels=list(channels)))
    return found


async def used_until(reader: Reader, sender: str) -> datetime | None:
    """Return up to when a sender's rate is spent."""
    found: datetime | None = await reader.scalar(select(SENDERS.c.used_until).where(SENDERS.c.sender == sender))
    return found


async def lock_rate(tx: Transaction, sender: str) -> datetime | None:
    """Lock a sender's rate, shared by all processes, and return up to when it is spent."""
    # A row that is not there yet cannot be locked, and two processes would both think the whole rate theirs.
    await tx.execute(insert(SENDERS).values(sender=sender).on_conflict_do_nothing())
    mine = select(SENDERS.c.used_until).where(SENDERS.c.sender == sender).with_for_update()
    found: datetime | None = await tx.scalar(mine)
    return found


async def spend_rate(tx: Transaction, sender: str, rate: Rate, before: datetime | None, count: int) -> None:
    """Write that `count` messages go out now; the caller has locked the rate."""
    spent = update(SENDERS).where(SENDERS.c.sender == sender)
    await tx.execute(spent.values(used_until=rate.after(before, tx.now, count)))
