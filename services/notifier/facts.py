"""What the decision over a message needs, from the row that a claim gathers."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from services.notifier.model.judging import Draft, Facts, SessionFacts
from services.notifier.model.purposes import Channel, Purpose
from services.notifier.model.quiet import WakingHours
from shared.walltime import to_wall


def draft_of(row: Row[Any]) -> Draft:
    """Return what the decision needs of a message's row."""
    return Draft(Purpose(row.purpose), Channel(row.channel), row.occurrence, row.starts_at, row.useful_until)


def facts_of(row: Row[Any], now: datetime, *, daily_limit: int) -> Facts:
    """Return what is true of a message's recipient and session; `daily_limit` in texts."""
    zone = row.patient_zone or row.clinic_zone or "UTC"
    today = to_wall(now, zone).date()
    known = row.session_starts is not None
    return Facts(
        zone=zone,
        hours=WakingHours.parse(row.opens, row.closes) if row.opens else WakingHours(),
        discharged=row.discharged,
        address=row.address is not None,
        consent=row.consented,
        opted_out=row.stopped,
        asked=row.asked,
        bad_address=row.bad_address,
        session=SessionFacts(row.session_starts, row.session_state in {"booked", "confirmed"}) if known else None,
        booked=row.booked,
        sent_today=sum(to_wall(at, zone).date() == today for at in row.sent),
        daily_limit=daily_limit,
    )
