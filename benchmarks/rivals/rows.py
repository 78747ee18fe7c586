"""The rivals' tables and statements: small ones, so that nothing but the queue is slow."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from shared.events import SessionBooked
from shared.ids import new_id

TABLES = """
    CREATE SCHEMA rival;
    CREATE TABLE rival.messages (
        id uuid PRIMARY KEY, patient uuid NOT NULL, session uuid NOT NULL, starts_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL, queued_at timestamptz, state text NOT NULL, sid text, sent_at timestamptz);
    CREATE INDEX ON rival.messages (due_at) WHERE queued_at IS NULL;
    CREATE TABLE rival.attempts (
        id uuid PRIMARY KEY, message uuid NOT NULL, state text NOT NULL, started_at timestamptz NOT NULL,
        ended_at timestamptz);
    CREATE INDEX ON rival.attempts (message);
"""

FACTS = """
    SELECT m.id, m.starts_at = s.starts_at_utc AND s.state IN ('booked', 'confirmed') AS stands, s.starts_at AS wall,
           c.sender_name, c.phone, c.opens, c.closes, p.zone, p.language, p.discharged, k.value,
           'reminders' = ANY (k.purposes) AS consented,
           EXISTS (SELECT FROM notifier.stops AS t WHERE t.fingerprint = k.fingerprint) AS stopped
    FROM rival.messages AS m
    JOIN notifier.sessions AS s ON s.session = m.session
    JOIN notifier.patients AS p ON p.patient = m.patient
    JOIN notifier.clinics AS c ON c.clinic = p.clinic
    JOIN notifier.contact_points AS k ON k.patient = m.patient AND k.kind = 'sms' AND NOT k.retired
    WHERE m.id = %s AND m.state = 'planned'
    FOR UPDATE OF m
"""
"""What the decision needs, as it is now; no row where another worker had the message before."""

BEGIN = """
    WITH attempt AS (INSERT INTO rival.attempts (id, message, state, started_at) VALUES (%s, %s, 'calling', now()))
    UPDATE rival.messages SET state = 'sending' WHERE id = %s
"""

END = """
    WITH attempt AS (UPDATE rival.attempts SET state = 'accepted', ended_at = now() WHERE id = %s)
    UPDATE rival.messages SET state = 'accepted', sid = %s, sent_at = now() WHERE id = %s
"""

CLOSE = "UPDATE rival.messages SET state = 'withheld' WHERE id = %s"

QUEUE = """
    UPDATE rival.messages SET queued_at = now() WHERE id IN (
        SELECT id FROM rival.messages WHERE queued_at IS NULL AND due_at <= now() ORDER BY due_at LIMIT 500
        FOR UPDATE SKIP LOCKED) RETURNING id
"""


TAKE = """
    WITH taken AS (UPDATE rival.messages SET queued_at = now() WHERE queued_at IS NULL RETURNING id, due_at)
    SELECT due_at, array_agg(id) FROM taken GROUP BY due_at
"""


async def plan(sql: asyncpg.Connection, sessions: Sequence[SessionBooked], at: datetime) -> None:
    """Write a planned message for each session."""
    rows = [(new_id(), each.patient, each.session, each.starts_at_utc, at, "planned") for each in sessions]
    columns = ["id", "patient", "session", "starts_at", "due_at", "state"]
    await sql.copy_records_to_table("messages", schema_name="rival", columns=columns, records=rows)
    await sql.execute("VACUUM (ANALYZE) rival.messages, rival.attempts")
