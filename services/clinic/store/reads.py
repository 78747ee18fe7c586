"""Reading what was learnt: rows to the frozen types of the pages, sealed fields opened."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Table, func, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from services.clinic.model.chart import Scale
from services.clinic.model.reads import (
    Alert,
    AlertState,
    Checkin,
    CheckinState,
    Correction,
    Evidence,
    Message,
    MessageState,
    OnCall,
    Page,
    Plan,
    Proposal,
    ProposalState,
    Reply,
    Score,
    Session,
    SessionState,
    Step,
    TakenBack,
    Void,
)
from services.clinic.model.sent_words import CONTEXT, SentWords
from services.clinic.model.states import known
from services.clinic.model.stopped import Stop, Stopped
from services.clinic.tables import (
    ALERTS,
    CHECKINS,
    CONSENTS,
    MESSAGES,
    ONCALL,
    PLANS,
    PROPOSALS,
    REPLIES,
    SESSIONS,
)
from shared.database import Reader
from shared.ids import AlertId, CheckinId, ClinicId, MessageId, PatientId, PlanId, ProposalId, SessionId
from shared.protection import Keyring

Condition = ColumnElement[bool]
WHOLE = "*"
"""Stands for every purpose of a contact point: a number that says stop says it for all, also for what comes later."""
MOST = 500
"""Rows of one kind that a page reads at most."""


def of_clinic(table: Table, clinic: ClinicId) -> Condition:
    """Return the condition of a clinic's rows."""
    return table.c.clinic == clinic


def of_patient(table: Table, clinic: ClinicId, patient: PatientId) -> Condition:
    """Return the condition of a patient's rows in a clinic."""
    return of_clinic(table, clinic) & (table.c.patient == patient)


def of_records(table: Table, clinic: ClinicId, patients: Collection[PatientId]) -> Condition:
    """Return the condition of the rows of one person, who may have several records."""
    return of_clinic(table, clinic) & table.c.patient.in_(patients)


async def plan(reader: Reader, clinic: ClinicId, patient: PatientId) -> Plan | None:
    """Return a patient's newest plan."""
    found = await plans(reader, clinic, [patient])
    return found.get(patient)


async def plans(reader: Reader, clinic: ClinicId, patients: Iterable[PatientId]) -> dict[PatientId, Plan]:
    """Return the newest plan of each patient."""
    wanted = of_clinic(PLANS, clinic) & PLANS.c.patient.in_(set(patients))
    rows = await reader.all(select(PLANS).where(wanted).order_by(PLANS.c.id))
    return {PatientId(row.patient): _plan(row) for row in rows}


async def corrections(reader: Reader, where: Condition, keyring: Keyring) -> dict[UUID, Correction]:
    """Return the latest correction of each session that had one."""
    rows = await reader.all(select(SESSIONS).where(where, SESSIONS.c.corrected_at.is_not(None)))
    return {
        row.id: Correction(
            before=known(SessionState, row.corrected_from),
            by=row.corrected_by,
            at=row.corrected_at,
            why=keyring.open(row.corrected_why, context="correction"),
        )
        for row in rows
    }


async def sessions(reader: Reader, where: Condition, *, limit: int = MOST, skip: int = 0) -> list[Session]:
    """Return sessions in the order of their instants."""
    ordered = select(SESSIONS).where(where).order_by(SESSIONS.c.starts_at_utc, SESSIONS.c.id)
    rows = await reader.all(ordered.limit(limit).offset(skip))
    return [_session(row) for row in rows]


def between(clinic: ClinicId, start: datetime, end: datetime) -> Condition:
    """Return the condition of a clinic's sessions that start in a span of time."""
    return of_clinic(SESSIONS, clinic) & (SESSIONS.c.starts_at_utc >= start) & (SESSIONS.c.starts_at_utc < end)


async def next_sessions(
    reader: Reader, clinic: ClinicId, patients: Iterable[PatientId], since: datetime
) -> dict[PatientId, Session]:
    """Return each patient's next open session from an instant on."""
    states = [str(SessionState.BOOKED), str(SessionState.CONFIRMED)]
    wanted = of_clinic(SESSIONS, clinic) & SESSIONS.c.patient.in_(set(patients)) & SESSIONS.c.state.in_(states)
    ahead = wanted & (SESSIONS.c.starts_at_utc >= since)
    first = select(SESSIONS).where(ahead).ext(distinct_on(SESSIONS.c.patient))
    rows = await reader.all(first.order_by(SESSIONS.c.patient, SESSIONS.c.starts_at_utc))
    return {PatientId(row.patient): _session(row) for row in rows}


async def checkins(reader: Reader, where: Condition, *, limit: int = MOST) -> list[Checkin]:
    """Return check-ins, the newest first."""
    rows = await reader.all(select(CHECKINS).where(where).order_by(CHECKINS.c.asked_for.desc()).limit(limit))
    return [_checkin(row) for row in rows]


async def scores(reader: Reader, where: Condition, keyring: Keyring) -> list[Score]:
    """Return the scores that count, the oldest first."""
    done = where & CHECKINS.c.result.is_not(None)
    newest = select(CHECKINS).where(done).order_by(CHECKINS.c.asked_for.desc(), CHECKINS.c.id.desc()).limit(MOST)
    rows = await reader.all(newest)
    return [score for row in reversed(rows) for score in scores_of(row, keyring) if score.voided is None]


async def alerts(reader: Reader, where: Condition, keyring: Keyring) -> list[Alert]:
    """Return alerts, the newest first."""
    rows = await reader.all(select(ALERTS).where(where).order_by(ALERTS.c.raised_at.desc()).limit(MOST))
    about = (MESSAGES.c.purpose == "page", MESSAGES.c.about.in_([row.id for row in rows]))
    pages: dict[UUID, list[Page]] = {row.id: [] for row in rows}
    for row in await reader.all(select(MESSAGES).where(*about).order_by(MESSAGES.c.at, MESSAGES.c.id)):
        page = Page(row.channel, row.to, MessageState(row.state), row.reason, row.error, row.at, row.why)
        pages[row.about].append(page)
    return [_alert(row, keyring, pages[row.id]) for row in rows]


async def oncall(reader: Reader, clinic: ClinicId) -> list[OnCall]:
    """Return who is on call, as the notifier last found them; nothing where it has not said so yet."""
    contacts = await reader.scalar(select(ONCALL.c.contacts).where(ONCALL.c.clinic == clinic))
    return [OnCall(each["kind"], each["to"], each["trouble"]) for each in contacts or []]


async def proposals(reader: Reader, where: Condition, keyring: Keyring, *, limit: int = MOST) -> list[Proposal]:
    """Return proposals, the newest first."""
    rows = await reader.all(select(PROPOSALS).where(where).order_by(PROPOSALS.c.proposed_at.desc()).limit(limit))
    return [_proposal(row, keyring) for row in rows]


async def messages(reader: Reader, where: Condition, keyring: Keyring, *, limit: int = 100) -> list[Message]:
    """Return messages with their words, the newest first."""
    rows = await reader.all(select(MESSAGES).where(where).order_by(MESSAGES.c.at.desc()).limit(limit))
    return [replace(_message(row), words=_words(row.words, keyring)) for row in rows]


async def messages_in_order(reader: Reader, where: Condition, *, limit: int) -> list[Message]:
    """Return messages without their words, the oldest first."""
    rows = await reader.all(select(MESSAGES).where(where).order_by(MESSAGES.c.at, MESSAGES.c.id).limit(limit))
    return [_message(row) for row in rows]


async def replies(reader: Reader, where: Condition, keyring: Keyring, *, limit: int = 100) -> list[Reply]:
    """Return replies, the newest first."""
    rows = await reader.all(select(REPLIES).where(where).order_by(REPLIES.c.at.desc()).limit(limit))
    return [_reply(row, keyring) for row in rows]


async def unread(
    reader: Reader, where: Condition, keyring: Keyring, *, limit: int = MOST, skip: int = 0
) -> list[Reply]:
    """Return replies that a person must read and nobody has: the gravest first, and of those the oldest."""
    mine = where & REPLIES.c.read_by.is_(None)
    in_order = select(REPLIES).where(mine).order_by(REPLIES.c.gravity.desc(), REPLIES.c.at, REPLIES.c.id)
    return [_reply(row, keyring) for row in await reader.all(in_order.limit(limit).offset(skip))]


async def stopped(reader: Reader, patient: PatientId) -> Stopped:
    """Return what a patient has taken back, and which of their numbers said stop."""
    rows = await reader.all(select(CONSENTS).where(CONSENTS.c.patient == patient, ~CONSENTS.c.granted))
    return Stopped(
        frozenset((str(row.contact), row.purpose) for row in rows if row.purpose != WHOLE),
        {str(row.contact): Stop(row.how, row.at) for row in rows if row.purpose == WHOLE},
    )


async def counts(reader: Reader, table: Table, clinic: ClinicId, *states: str) -> int:
    """Return how many things of a clinic are in one of these states."""
    return int(await reader.scalar(select(func.count()).where(of_clinic(table, clinic), table.c.state.in_(states))))


async def waiting_by_patient(reader: Reader, table: Table, clinic: ClinicId, states: Sequence[str]) -> set[UUID]:
    """Return the patients who have something in one of these states."""
    wanted = select(table.c.patient).where(of_clinic(table, clinic), table.c.state.in_(states)).distinct()
    return {row.patient for row in await reader.all(wanted)}


def any_of(table: Table, states: Sequence[str]) -> Condition:
    """Return the condition of one of these states; all, where none is given."""
    return table.c.state.in_(states) if states else true()


def _plan(row: Row[Any]) -> Plan:
    return Plan(
        id=PlanId(row.id),
        patient=PatientId(row.patient),
        version=row.version,
        protocol=row.protocol,
        protocol_version=row.protocol_version,
        phase=row.phase,
        interval_days=row.interval_days,
        next_due_on=row.next_due_on,
        induction_complete=row.induction_complete,
        attended=row.attended,
        why=row.why,
        active=row.active,
    )


def _session(row: Row[Any]) -> Session:
    return Session(
        id=SessionId(row.id),
        patient=PatientId(row.patient),
        version=row.version,
        starts_at=row.starts_at,
        zone=row.zone,
        starts_at_utc=row.starts_at_utc,
        minutes=row.minutes,
        state=known(SessionState, row.state),
        number=row.number,
        kind=row.kind,
        not_asked=tuple(row.not_asked),
    )


def _checkin(row: Row[Any]) -> Checkin:
    return Checkin(
        id=CheckinId(row.id),
        patient=PatientId(row.patient),
        version=row.version,
        state=known(CheckinState, row.state),
        occurrence=row.occurrence,
        instruments=tuple(row.instruments),
        asked_for=row.asked_for,
        expires_at=row.expires_at,
        completed_at=row.completed_at,
    )


def scores_of(row: Row[Any], keyring: Keyring) -> list[Score]:
    """Return what a check-in's row holds of its scores, those that count no more after the others."""
    return [
        _score(row, one)
        for sealed in (row.result, row.voided)
        if sealed is not None
        for one in json.loads(keyring.open(sealed, context="result"))
    ]


def _score(row: Row[Any], one: Mapping[str, Any]) -> Score:
    void = one.get("void")
    return Score(
        checkin=CheckinId(row.id),
        patient=PatientId(row.patient),
        instrument=one["instrument"],
        total=one["total"],
        band=one["band"],
        asked_for=row.asked_for,
        at=datetime.fromisoformat(one["at"]) if one.get("at") else row.completed_at,
        flags=tuple(one["flags"]),
        id=UUID(one["id"]) if one.get("id") else None,
        answers=one.get("answers", {}),
        words=one.get("words"),
        entered_by=one.get("entered_by"),
        seconds=one.get("seconds"),
        quick=one.get("quick", False),
        scale=scale_of(one),
        voided=None
        if void is None
        else Void(void["by"], datetime.fromisoformat(void["at"]), void["reason"], void["replaced"]),
    )


def scale_of(one: Mapping[str, Any]) -> Scale | None:
    """Return what a score says of its instrument; None where it is from before scores said it."""
    about = one.get("about")
    if about is None:
        return None
    return Scale(
        name=about["name"],
        lowest=about["lowest"],
        highest=max(about["highest"], about["lowest"] + 1),
        bands=tuple((band["lowest"], band["name"]) for band in about["bands"]),
        marks=tuple(about["marks"]),
        higher_is_better=about["better"] == "higher",
        of=about["of"],
    )


def _alert(row: Row[Any], keyring: Keyring, pages: Sequence[Page]) -> Alert:
    return Alert(
        id=AlertId(row.id),
        patient=None if row.patient is None else PatientId(row.patient),
        paged=tuple(pages),
        version=row.version,
        level=row.level,
        cause=keyring.open(row.cause, context="cause"),
        raised_at=row.raised_at,
        pages=row.pages,
        state=AlertState(row.state),
        by=row.by,
        at=row.at,
        disposition=row.disposition and keyring.open(row.disposition, context="disposition"),
    )


def _proposal(row: Row[Any], keyring: Keyring) -> Proposal:
    detail = json.loads(keyring.open(row.detail, context="proposal"))
    overruled = json.loads(keyring.open(row.overruled, context="decision-overruled")) if row.overruled else {}
    return Proposal(
        id=ProposalId(row.id),
        patient=PatientId(row.patient),
        plan=PlanId(row.plan),
        version=row.version,
        state=known(ProposalState, row.state),
        direction=row.direction,
        review=bool(detail.get("review", False)),
        from_days=row.from_days,
        to_days=row.to_days,
        rule=row.rule,
        rule_version=row.rule_version,
        reasons=tuple(reason["text"] for reason in detail["reasons"]),
        evidence=tuple(Evidence(date.fromisoformat(one["asked_for"]), one["total"]) for one in detail["evidence"]),
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        decided_days=row.decided_days,
        by=row.by,
        at=row.at,
        reason=row.reason and keyring.open(row.reason, context="decision-reason"),
        overruled=tuple(overruled.get("against", ())),
        override_reason=overruled.get("reason"),
        ladder=tuple(detail.get("ladder") or ()),
        decision=row.decision,
        taken_back=row.taken_back_by
        and TakenBack(
            row.taken_back_by, row.taken_back_at, keyring.open(row.taken_back_why, context="decision-taken-back")
        ),
    )


def _message(row: Row[Any]) -> Message:
    return Message(
        id=MessageId(row.id),
        patient=row.patient and PatientId(row.patient),
        version=row.version,
        purpose=row.purpose,
        channel=row.channel,
        occurrence=row.occurrence,
        to=row.to,
        state=MessageState(row.state),
        reason=row.reason,
        error=row.error,
        at=row.at,
        story=tuple(Step(datetime.fromisoformat(one["at"]), one["what"], one["detail"]) for one in row.story),
        why=row.why,
    )


def _words(sealed: str | None, keyring: Keyring) -> SentWords | None:
    return None if sealed is None else SentWords.read(keyring.open(sealed, context=CONTEXT))


def _reply(row: Row[Any], keyring: Keyring) -> Reply:
    text = keyring.open(row.text, context="reply")
    whose = None if row.patient is None else PatientId(row.patient)
    sender = None if row.sender is None else keyring.open(row.sender, context="contact")
    return Reply(row.id, whose, row.intent, text, row.at, row.read_by, tuple(row.flags), sender)
