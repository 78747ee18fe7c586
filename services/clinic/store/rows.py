"""Rows of the read models as the frozen types of the pages, sealed fields opened."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.clinic.model.chart import Scale
from services.clinic.model.reads import (
    Alert,
    AlertState,
    Checkin,
    CheckinState,
    Evidence,
    Message,
    MessageState,
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
from shared.database import from_row
from shared.ids import AlertId, CheckinId, MessageId, PatientId, PlanId, ProposalId
from shared.protection import Keyring


def plan_of(row: Row[Any]) -> Plan:
    return from_row(Plan, row)


def session_of(row: Row[Any]) -> Session:
    return from_row(Session, row, state=known(SessionState, row.state), not_asked=tuple(row.not_asked))


def checkin_of(row: Row[Any]) -> Checkin:
    return from_row(Checkin, row, state=known(CheckinState, row.state), instruments=tuple(row.instruments))


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


def alert_of(row: Row[Any], keyring: Keyring, pages: Sequence[Page]) -> Alert:
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
        next_page_at=row.next_page_at,
    )


def proposal_of(row: Row[Any], keyring: Keyring) -> Proposal:
    """Return a proposal with what it keeps sealed."""
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


def message_of(row: Row[Any]) -> Message:
    """Return a message without its words."""
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


def words_of(sealed: str | None, keyring: Keyring) -> SentWords | None:
    """Return the words of a message, None where none were kept."""
    return None if sealed is None else SentWords.read(keyring.open(sealed, context=CONTEXT))


def reply_of(row: Row[Any], keyring: Keyring) -> Reply:
    text = keyring.open(row.text, context="reply")
    about = None if row.patient is None else PatientId(row.patient)
    sender = None if row.sender is None else keyring.open(row.sender, context="contact")
    return Reply(row.id, about, row.intent, text, row.at, row.read_by, tuple(row.flags), sender)
