"""Events as the other services would send them, for one patient."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared import events
from shared.ids import ClinicId
from tests.support.bench import KEYRING

NOON = datetime(2026, 12, 1, 17, tzinfo=UTC)


class SampleEvents:
    """Makes events about a patient of a clinic."""

    def __init__(self, clinic: ClinicId, patient: UUID) -> None:
        self.whose: dict[str, Any] = {"clinic": clinic, "patient": patient}
        self.session_id, self.plan_id, self.checkin_id = uuid4(), uuid4(), uuid4()
        self.alert_id, self.proposal_id, self.message_id = uuid4(), uuid4(), uuid4()

    def session(
        self, kind: type[events.SessionEvent] = events.SessionBooked, version: int = 1, **changes: Any
    ) -> events.SessionEvent:
        said = {
            "session": self.session_id,
            "plan": self.plan_id,
            "version": version,
            "starts_at": "2026-12-01T14:00",
            "zone": "America/New_York",
            "starts_at_utc": datetime(2026, 12, 1, 19, tzinfo=UTC),
            "minutes": 60,
            "state": "booked",
            "number": 1,
        }
        return kind(**self.whose, **{**said, **changes})

    def plan(self, version: int = 1, **changes: Any) -> events.PlanStarted:
        said = {
            "plan": self.plan_id,
            "version": version,
            "protocol": "iv-ketamine",
            "protocol_version": 1,
            "phase": "induction",
            "interval_days": 28,
            "next_due_on": date(2026, 12, 4),
            "induction_complete": False,
            "attended": 1,
            "why": "Induction: session 2 of 6 is due on day 3.",
        }
        return events.PlanStarted(**self.whose, **{**said, **changes})

    def _checkin(self, version: int) -> dict[str, Any]:
        about = {"checkin": self.checkin_id, "occurrence": "day-7", "instruments": ("phq-9",)}
        return {**self.whose, **about, "version": version, "asked_for": date(2026, 12, 1)}

    def opened(self) -> events.CheckinOpened:
        link = KEYRING.seal("https://clinic.example.org/c/x", context="link")
        return events.CheckinOpened(**self._checkin(1), expires_at=NOON + timedelta(days=3), link=link)

    def completed(self, total: int, version: int = 2) -> events.CheckinCompleted:
        result = [
            {
                "instrument": "phq-9",
                "version": 1,
                "total": total,
                "band": "moderate",
                "flags": ["item9"],
                "answers": {"9": 1},
            }
        ]
        sealed = KEYRING.seal(json.dumps(result), context="result")
        return events.CheckinCompleted(**self._checkin(version), completed_at=NOON, result=sealed)

    def expired(self, version: int = 2) -> events.CheckinExpired:
        return events.CheckinExpired(**self._checkin(version))

    def raised(
        self, kind: type[events.AlertRaised] = events.AlertRaised, version: int = 1, page_number: int = 1
    ) -> events.AlertRaised:
        return kind(
            **self.whose,
            alert=self.alert_id,
            version=version,
            level="elevated",
            cause=KEYRING.seal("PHQ-9 item 9 was answered 1 of 3.", context="cause"),
            raised_at=NOON,
            page_number=page_number,
        )

    def acknowledged(self, **changes: Any) -> events.AlertAcknowledged:
        said = {"alert": self.alert_id, "version": 2, "by": "Alma Reid", "at": NOON}
        return events.AlertAcknowledged(**self.whose, **{**said, **changes})

    def closed(self) -> events.AlertClosed:
        told = KEYRING.seal("Called, safe at home.", context="disposition")
        return events.AlertClosed(
            **self.whose, alert=self.alert_id, version=3, by="Alma Reid", at=NOON, disposition=told
        )

    def proposed(self) -> events.IntervalProposed:
        detail = {
            "review": False,
            "reasons": [{"code": "stable", "text": "Two cycles in a row stayed at 9 or below.", "values": {}}],
            "evidence": [
                {"checkin": str(uuid4()), "asked_for": "2026-12-01", "at": NOON.isoformat(), "total": 4},
            ],
        }
        return events.IntervalProposed(
            **self.whose,
            proposal=self.proposal_id,
            plan=self.plan_id,
            version=1,
            direction="lengthen",
            from_days=14,
            to_days=21,
            rule="interval-ladder",
            rule_version=1,
            detail=KEYRING.seal(json.dumps(detail), context="proposal"),
            expires_at=NOON + timedelta(days=14),
        )

    def decided(self, version: int = 2) -> events.IntervalDecided:
        about = {"proposal": self.proposal_id, "plan": self.plan_id, "version": version}
        return events.IntervalDecided(
            **self.whose, **about, decision="approve", interval_days=21, by="Alma Reid", at=NOON
        )

    def taken_back(self, version: int = 3, **changes: Any) -> events.IntervalTakenBack:
        said = {
            "proposal": self.proposal_id,
            "plan": self.plan_id,
            "version": version,
            "decision": "approve",
            "interval_days": 21,
            "decided_by": "Alma Reid",
            "decided_at": NOON,
            "by": "Ben Cho",
            "at": NOON + timedelta(minutes=5),
            "reason": KEYRING.seal("The wrong patient's row.", context="decision-taken-back"),
        }
        return events.IntervalTakenBack(**self.whose, **{**said, **changes})

    def message(self, kind: type[events.MessageEvent], version: int, **changes: Any) -> events.MessageEvent:
        said = {
            "message": self.message_id,
            "version": version,
            "purpose": "reminder",
            "channel": "sms",
            "occurrence": "1d",
            "about": self.session_id,
            "to": "+1•••••••0123",
            "at": NOON + timedelta(minutes=version),
        }
        return kind(**self.whose, **{**said, **changes})

    def reply(self, text: str, **changes: Any) -> events.ReplyReceived:
        said = {
            "reply": uuid4(),
            "version": 1,
            "intent": "other",
            "session": None,
            "session_version": None,
            "text": KEYRING.seal(text, context="reply"),
            "at": NOON,
        }
        return events.ReplyReceived(**self.whose, **{**said, **changes})
