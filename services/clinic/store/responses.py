"""What an owner answered to a request, as the read models hold it; for the moment until its event has arrived."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Table

from services.clinic.store import event_rows
from services.clinic.tables import ALERTS, CHECKINS, PLANS, PROPOSALS, SESSIONS
from shared.events import PlanStarted, SessionEvent
from shared.protection import Keyring


@dataclass(frozen=True)
class Kind:
    """A kind of thing that others own: its table, and how an answer becomes a row (or changes one).

    An answer says whose clinic's the thing is, beside what its owner answered.
    """

    table: Table
    row: Callable[[Mapping[str, Any], Keyring], dict[str, Any]]
    whole: bool
    """Whether an answer says all that a row holds; else it changes a row that is there."""


def _session(answer: Mapping[str, Any], _keyring: Keyring) -> dict[str, Any]:
    return event_rows.session_row(SessionEvent.model_validate({**answer, "session": answer["id"]}))


def _plan(answer: Mapping[str, Any], _keyring: Keyring) -> dict[str, Any]:
    window = {f"window_{name}": days for name, days in (answer.get("window") or {}).items()}
    return event_rows.plan_row(PlanStarted.model_validate({**answer, **window, "plan": answer["id"]}))


def _checkin(answer: Mapping[str, Any], _keyring: Keyring) -> dict[str, Any]:
    return {
        "state": answer["state"],
        "occurrence": answer["occurrence"],
        "instruments": list(answer["instruments"]),
        "asked_for": date.fromisoformat(answer["asked_for"]),
        "expires_at": datetime.fromisoformat(answer["expires_at"]),
    }


def _taken(answer: Mapping[str, Any], keyring: Keyring) -> dict[str, Any]:
    """Return a completed check-in with its scores, as its event would bring them; who took them has seen them."""
    completed_at = datetime.fromisoformat(answer["completed_at"])
    return {
        **_checkin(answer, keyring),
        "completed_at": completed_at,
        "result": _result(answer["scores"], keyring),
        "seen_by": answer.get("taken_by"),
        "seen_at": completed_at,
    }


def _changed(answer: Mapping[str, Any], keyring: Keyring) -> dict[str, Any]:
    """Return a check-in after staff changed a score of it, as its events would bring it."""
    checkin, scores = answer["checkin"], answer["scores"]
    completed = checkin["completed_at"]
    return {
        **_checkin(checkin, keyring),
        "completed_at": completed and datetime.fromisoformat(completed),
        "result": _result([one for one in scores if one["voided"] is None], keyring),
        "voided": _result([one for one in scores if one["voided"] is not None], keyring),
    }


def _result(scores: Sequence[Mapping[str, Any]], keyring: Keyring) -> str:
    names = ("id", "instrument", "total", "band", "flags", "answers", "words", "at", "entered_by", "quick", "about")
    said = []
    for score in scores:
        one = {name: score.get(name) for name in names}
        one |= {"version": score["instrument_version"], "seconds": score.get("seconds_after_delivery")}
        if void := score.get("voided"):
            replaced = void["replaced_by"] is not None
            one["void"] = {"by": void["by"], "at": void["at"], "reason": void["reason"], "replaced": replaced}
        said.append(one)
    return keyring.seal(json.dumps(said), context="result")


def _raised(answer: Mapping[str, Any], keyring: Keyring) -> dict[str, Any]:
    return {
        "level": answer["level"],
        "cause": keyring.seal(answer["cause"], context="cause"),
        "raised_at": datetime.fromisoformat(answer["raised_at"]),
        "pages": answer["pages"],
        "state": answer["state"],
    }


def _alert(answer: Mapping[str, Any], keyring: Keyring) -> dict[str, Any]:
    verb = "closed" if answer["state"] == "closed" else "acknowledged"
    disposition = answer["disposition"]
    return {
        "state": answer["state"],
        "by": answer[f"{verb}_by"],
        "at": datetime.fromisoformat(answer[f"{verb}_at"]),
        "disposition": keyring.seal(disposition, context="disposition") if disposition else None,
    }


def _proposal(answer: Mapping[str, Any], keyring: Keyring) -> dict[str, Any]:
    reason, why = answer.get("reason"), answer.get("override_reason")
    overruled = json.dumps({"against": answer["overruled"], "reason": why}) if why else None
    return {
        "state": answer["state"],
        "decided_days": answer["interval_days"],
        "by": answer["decided_by"],
        "at": datetime.fromisoformat(answer["decided_at"]),
        "reason": keyring.seal(reason, context="decision-reason") if reason else None,
        "overruled": keyring.seal(overruled, context="decision-overruled") if overruled else None,
        **_taken_back(answer, keyring),
    }


def _taken_back(answer: Mapping[str, Any], keyring: Keyring) -> dict[str, Any]:
    said = answer.get("taken_back")
    if said is None:
        return {}
    return {
        "decision": answer["decision"],
        "taken_back_by": said["by"],
        "taken_back_at": datetime.fromisoformat(said["at"]),
        "taken_back_why": keyring.seal(said["reason"], context="decision-taken-back"),
    }


SESSION: Final = Kind(SESSIONS, _session, whole=True)
PLAN: Final = Kind(PLANS, _plan, whole=True)
CHECKIN: Final = Kind(CHECKINS, _checkin, whole=True)
TAKEN: Final = Kind(CHECKINS, _taken, whole=True)
CHANGED: Final = Kind(CHECKINS, _changed, whole=False)
RAISED: Final = Kind(ALERTS, _raised, whole=True)
ALERT: Final = Kind(ALERTS, _alert, whole=False)
PROPOSAL: Final = Kind(PROPOSALS, _proposal, whole=False)
