"""The day out of the read models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from services.clinic.model.reads import Alert, AlertState, Checkin, Message, Proposal, Reply, Session, SessionState
from services.clinic.views.parts import Moment, session_chip
from services.clinic.views.rows import (
    Names,
    alert_row,
    checkin_row,
    person,
    proposal_row,
    reply_row,
    trouble_row,
)
from services.clinic.views.today import AlertsPage, Hour, Tile, TodayPage, Visit
from shared.languages import Language, say_day, say_time
from shared.walltime import to_wall

EARLY: Final = timedelta(hours=1)
"""How long before its start a session can be marked as attended: people come early."""


@dataclass(frozen=True)
class Day:
    """What the read models hold for a day."""

    sessions: Sequence[Session]
    alerts: Sequence[Alert]
    checkins: Sequence[Checkin]
    proposals: Sequence[Proposal]
    replies: Sequence[Reply]
    troubles: Sequence[Message]


def today_page(day: date, held: Day, names: Names, *, now: datetime, zone: str) -> TodayPage:
    """Return the page of a day as the clinic's wall clock divides it."""
    today = to_wall(now, zone).date()
    words = say_day(Language.EN, day)
    held_sessions = sorted(held.sessions, key=lambda session: (session.starts_at_utc, str(session.id)))
    visits = [(to_wall(session.starts_at_utc, zone), session) for session in held_sessions]
    hours = tuple(
        Hour(
            say_time(Language.EN, hour.time()).replace(":00", ""), tuple(_visit(s, names, now, zone) for _, s in group)
        )
        for hour, group in groupby(visits, key=lambda pair: pair[0].replace(minute=0))
    )
    waiting = [alert for alert in held.alerts if alert.state is AlertState.OPEN]
    return TodayPage(
        title=f"Today, {words}" if day == today else words,
        day=day.isoformat(),
        is_today=day == today,
        before=(day - timedelta(days=1)).isoformat(),
        after=(day + timedelta(days=1)).isoformat(),
        tiles=_tiles(held, waiting),
        hours=hours,
        alerts=tuple(alert_row(alert, names, zone) for alert in waiting),
        checkins=tuple(checkin_row(checkin, names) for checkin in held.checkins),
        proposals=tuple(proposal_row(proposal, names, zone) for proposal in held.proposals),
        replies=tuple(reply_row(reply, names, zone) for reply in held.replies),
        troubles=tuple(trouble_row(message, names, zone) for message in held.troubles),
    )


def alerts_page(alerts: Sequence[Alert], names: Names, zone: str) -> AlertsPage:
    """Return all alerts, those to act on first."""
    by_state = {state: tuple(alert_row(a, names, zone) for a in alerts if a.state is state) for state in AlertState}
    return AlertsPage(by_state[AlertState.OPEN], by_state[AlertState.ACKNOWLEDGED], by_state[AlertState.CLOSED])


def may_attend(session: Session, now: datetime) -> bool:
    """Tell whether a session can be marked as attended or missed by now."""
    return session.state in {SessionState.BOOKED, SessionState.CONFIRMED} and session.starts_at_utc - EARLY <= now


def session_detail(session: Session) -> str:
    """Return `60 min, session 4`."""
    number = f", session {session.number}" if session.number else ""
    return f"{session.minutes} min{number}"


def _visit(session: Session, names: Names, now: datetime, zone: str) -> Visit:
    wall = to_wall(session.starts_at_utc, zone)
    return Visit(
        id=session.id,
        version=session.version,
        at=Moment(session.starts_at_utc.isoformat(timespec="minutes"), say_time(Language.EN, wall.time())),
        time=say_time(Language.EN, wall.time()),
        person=person(session.patient, names),
        minutes=session.minutes,
        state=session_chip(session.state),
        detail=session_detail(session),
        over=session.state not in {SessionState.BOOKED, SessionState.CONFIRMED},
        can_attend=may_attend(session, now),
    )


def _tiles(held: Day, waiting: Sequence[Alert]) -> tuple[Tile, ...]:
    states = [session.state for session in held.sessions if session.state is not SessionState.CANCELLED]
    unconfirmed = states.count(SessionState.BOOKED)
    return (
        Tile(len(waiting), "alerts nobody has", "danger" if waiting else ""),
        Tile(len(states), "sessions"),
        Tile(unconfirmed, "not confirmed", "warn" if unconfirmed else ""),
        Tile(states.count(SessionState.ATTENDED), "attended"),
        Tile(len(held.checkins), "check-ins waiting"),
        Tile(len(held.proposals), "to decide"),
    )
