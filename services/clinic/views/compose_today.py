"""The day, and what waits, out of the read models."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from services.clinic.model.reads import Alert, AlertState, Checkin, Proposal, Session, SessionState
from services.clinic.model.worklist import Found, Worklist
from services.clinic.views.answers import answer_row, silent_row, unasked_row
from services.clinic.views.bookings import off_window_row
from services.clinic.views.calls import call_row
from services.clinic.views.components import Moment, Pile, session_chip
from services.clinic.views.contacts import unreached_row
from services.clinic.views.rows import (
    Names,
    alert_row,
    checkin_row,
    due_row,
    failure_row,
    person,
    proposal_row,
    reply_row,
    session_detail,
    unrecorded_row,
)
from services.clinic.views.today import AlertsPage, Hour, SessionOfDay, Tile, TodayPage
from shared.languages import Language, say_day, say_time
from shared.walltime import to_wall

EARLY: Final = timedelta(hours=1)
"""How long before its start a session can be marked as attended: people come early."""


@dataclass(frozen=True)
class Day:
    """What the read models hold for a day, and what waits on today's."""

    sessions: Sequence[Session]
    alerts: Sequence[Alert] = ()
    checkins: Found[Checkin] = field(default_factory=Found)
    proposals: Found[Proposal] = field(default_factory=Found)
    waiting: Worklist = field(default_factory=Worklist)
    findings: Sequence[str] = ()


def today_page(day: date, held: Day, names: Names, *, now: datetime, zone: str) -> TodayPage:
    """Return the page of a day as the clinic's wall clock divides it."""
    today = to_wall(now, zone).date()
    words = say_day(Language.EN, day)
    waiting, alerts = held.waiting, [alert_row(alert, names, zone, now) for alert in held.alerts]
    return TodayPage(
        title=f"Today, {words}" if day == today else words,
        day=day.isoformat(),
        is_today=day == today,
        before=(day - timedelta(days=1)).isoformat(),
        after=(day + timedelta(days=1)).isoformat(),
        tiles=_tiles(held, is_today=day == today),
        hours=_hours(held.sessions, names, now, zone),
        findings=tuple(held.findings),
        open_alerts=tuple(row for row in alerts if row.can_acknowledge),
        seen_alerts=tuple(row for row in alerts if not row.can_acknowledge),
        unrecorded=Pile(
            tuple(unrecorded_row(one, names, zone, now) for one in waiting.unrecorded.rows), waiting.unrecorded.total
        ),
        due=Pile(tuple(due_row(one, names, today) for one in waiting.due.rows), waiting.due.total),
        off_window=Pile(tuple(off_window_row(one, names) for one in waiting.off_window.rows), waiting.off_window.total),
        checkins=Pile(tuple(checkin_row(one, names) for one in held.checkins.rows), held.checkins.total),
        proposals=Pile(tuple(proposal_row(one, names, zone, now) for one in held.proposals.rows), held.proposals.total),
        replies=Pile(tuple(reply_row(one, names, zone, now) for one in waiting.replies.rows), waiting.replies.total),
        failures=Pile(tuple(failure_row(one, names, zone) for one in waiting.failures.rows), waiting.failures.total),
        calls=Pile(tuple(call_row(one, names, zone) for one in waiting.calls.rows), waiting.calls.total),
        answers=Pile(tuple(answer_row(one, names, zone) for one in waiting.answers.rows), waiting.answers.total),
        silent=Pile(tuple(silent_row(one, names, now, zone) for one in waiting.silent.rows), waiting.silent.total),
        unasked=Pile(tuple(unasked_row(one, names, now, zone) for one in waiting.unasked.rows), waiting.unasked.total),
        unreached=Pile(
            tuple(unreached_row(one, names, zone) for one in waiting.unreached.rows), waiting.unreached.total
        ),
        clear=_clear(held) if day == today else (),
    )


def alerts_page(alerts: Sequence[Alert], names: Names, zone: str, now: datetime) -> AlertsPage:
    """Return all alerts, those to act on first."""
    by_state = {
        state: tuple(alert_row(a, names, zone, now) for a in alerts if a.state is state) for state in AlertState
    }
    return AlertsPage(by_state[AlertState.OPEN], by_state[AlertState.ACKNOWLEDGED], by_state[AlertState.CLOSED])


def may_attend(session: Session, now: datetime) -> bool:
    """Tell whether a session can be marked as attended by now."""
    return session.state in {SessionState.BOOKED, SessionState.CONFIRMED} and session.starts_at_utc - EARLY <= now


def may_miss(session: Session, now: datetime) -> bool:
    """Tell whether a session can be marked as missed by now: not before its time has come."""
    return session.state in {SessionState.BOOKED, SessionState.CONFIRMED} and session.starts_at_utc <= now


def _hours(sessions: Sequence[Session], names: Names, now: datetime, zone: str) -> tuple[Hour, ...]:
    ordered = sorted(sessions, key=lambda session: (session.starts_at_utc, str(session.id)))
    visits = [(to_wall(session.starts_at_utc, zone), session) for session in ordered]
    return tuple(
        Hour(
            say_time(Language.EN, hour.time()).replace(":00", ""),
            tuple(_session_of_day(s, names, now, zone) for _, s in group),
        )
        for hour, group in groupby(visits, key=lambda pair: pair[0].replace(minute=0))
    )


def _session_of_day(session: Session, names: Names, now: datetime, zone: str) -> SessionOfDay:
    wall = to_wall(session.starts_at_utc, zone)
    return SessionOfDay(
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
        can_miss=may_miss(session, now),
    )


def _tiles(held: Day, *, is_today: bool) -> tuple[Tile, ...]:
    states = [session.state for session in held.sessions if session.state is not SessionState.CANCELLED]
    sessions = Tile(len(states), "sessions today" if is_today else "sessions", "#day")
    if not is_today:
        return sessions, Tile(states.count(SessionState.BOOKED), "not confirmed", "#day")
    waiting, alerts = held.waiting, len(held.alerts)
    untaken = any(alert.state is AlertState.OPEN for alert in held.alerts)
    late = waiting.unrecorded.total
    return (
        Tile(alerts, "open safety alert" if alerts == 1 else "open safety alerts", "#alarm", "danger" * untaken),
        sessions,
        Tile(late, "not recorded", "#unrecorded", "warn" if late else ""),
        Tile(waiting.due.total, "to book", "#due"),
        Tile(waiting.replies.total, "to read", "#replies"),
        Tile(held.proposals.total, "to decide", "#proposed"),
    )


def _clear(held: Day) -> tuple[str, ...]:
    waiting = held.waiting
    said = (
        (waiting.unrecorded.total, "Every session of the days before is recorded."),
        (waiting.due.total, "Everyone who is due within a week has a session."),
        (waiting.off_window.total, "Every next session is booked near the day on which it is due."),
        (waiting.replies.total, "Every text is read."),
        (held.proposals.total, "No proposal waits for a decision."),
        (waiting.failures.total, "Every message went out, or was seen to."),
        (waiting.unreached.total, "No number or address waits to be put right."),
        (waiting.answers.total, "All answers that came are seen."),
        (held.checkins.total, "No check-in waits for an answer."),
    )
    return tuple(words for count, words in said if not count)
