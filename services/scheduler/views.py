"""What programs send to the scheduler and what they get."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from services.scheduler.model.plans import Plan
from services.scheduler.model.protocols import Maintenance, PhaseKind, Protocol, Provenance, Series, Window
from services.scheduler.model.sessions import (
    SESSION_NOTE,
    SESSION_REASON,
    Booking,
    Session,
    SessionKind,
    SessionState,
    slot,
)
from shared.evidence import Grade
from shared.protection import Keyring
from shared.walltime import parse_wall, wall_text
from shared.web.api import Body, Day, View
from shared.zones import check_zone

SHORTEST, LONGEST = 5, 600
"""Minutes that a session may take."""
YEARS = range(1970, 2200)
"""Years in which every zone's wall time is an instant that a computer can count."""


def _wall(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("Give a wall time as text, such as '2026-12-01T10:00'.")  # noqa: TRY004 - pydantic's protocol
    wall = parse_wall(value)
    if wall.year not in YEARS:
        raise ValueError(f"The year of {value!r} cannot be right. Check it.")
    return wall


WallTime = Annotated[
    datetime,
    BeforeValidator(_wall),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$", "examples": ["2026-12-01T10:00"]}),
]
Zone = Annotated[str, AfterValidator(check_zone), Field(examples=["America/New_York"])]
Words = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
"""What staff write; PostgreSQL keeps every character but NUL."""


class NewPlan(Body):
    """A plan to start."""

    protocol: Annotated[str, Field(examples=["iv-ketamine"])]
    start_on: Day


class ContinuedPlan(Body):
    """Why a plan goes on that had ended."""

    reason: Annotated[
        str,
        Field(
            min_length=3,
            max_length=500,
            pattern=r"\S",
            examples=["Discharged by mistake; maintenance goes on."],
            description="kept sealed",
        ),
    ]


OddHour = Annotated[bool, Field(strict=True, description="the hour is meant, though it is before 6:00 or from 22:00")]


class NewSession(Body):
    """A session to book; where no zone is given, the time is that of the clinic's own clock."""

    patient: UUID
    starts_at: WallTime
    zone: Zone | None = None
    minutes: Annotated[int, Field(ge=SHORTEST, le=LONGEST, strict=True)]
    kind: Annotated[
        SessionKind, Field(description="a consultation belongs to no plan, and no question follows from it")
    ] = SessionKind.TREATMENT
    entered_afterwards: Annotated[
        bool, Field(strict=True, description="it took place already, in the last 30 days; nobody is reminded of it")
    ] = False
    odd_hour: OddHour = False

    def booking(self, zone: str) -> Booking:
        """Return what is to be booked, at the wall time of a zone."""
        return Booking(slot=slot(self.starts_at, zone, self.minutes), kind=self.kind)


class MovedSession(Body):
    """A session's new time; where no zone is given, it keeps its own."""

    starts_at: WallTime
    zone: Zone | None = None
    odd_hour: OddHour = False


class Corrected(Body):
    """What holds of a session instead of what was recorded, and why."""

    state: Literal["booked", "attended", "missed", "cancelled"]
    reason: Annotated[
        str,
        Field(min_length=3, max_length=500, examples=["Recorded for the wrong patient."], description="kept sealed"),
    ]


class CorrectionView(View):
    """A correction: what was recorded of a session before, what holds since, who said so and why."""

    id: UUID
    session: UUID
    before: SessionState
    after: SessionState
    by: str
    at: datetime
    reason: str


class SessionEnd(Body):
    """What staff note with a session's end."""

    reason: Words | None = None
    note: Words | None = None


class RuleView(View):
    """A rule of a protocol, and where it comes from."""

    id: str
    text: str
    source_url: str
    grade: Grade
    verified_on: date
    applies_to: str

    @classmethod
    def of(cls, rule: Provenance) -> "RuleView":
        return cls(
            id=rule.id,
            text=rule.text,
            source_url=rule.source_url,
            grade=rule.grade,
            verified_on=rule.verified_on,
            applies_to=rule.applies_to,
        )


class WindowView(View):
    """How many days before and after the day on which it is due a session may be booked."""

    earlier_days: int
    later_days: int

    @classmethod
    def of(cls, window: Window) -> "WindowView":
        return cls(earlier_days=window.earlier_days, later_days=window.later_days)


class PhaseView(View):
    """A phase: fixed days in a series; an interval and its ladder, in days, in maintenance."""

    phase: Annotated[str, Field(description="its name, as plans tell it", examples=["induction"])]
    kind: PhaseKind
    days: Annotated[list[int] | None, Field(description="of each session, counted from the phase's first")] = None
    after_days: Annotated[int | None, Field(description="from the last session of the phase before to its first")] = (
        None
    )
    interval_days: int | None = None
    ladder: list[int] | None = None
    opt_in_above: int | None = None
    window: Annotated[WindowView | None, Field(description="null: the protocol states none")] = None
    rules: list[RuleView]

    @classmethod
    def of(cls, phase: Series | Maintenance, *, first: bool) -> "PhaseView":
        rules = [RuleView.of(one) for one in (phase.provenance, phase.window and phase.window.provenance) if one]
        window = None if phase.window is None else WindowView.of(phase.window)
        if isinstance(phase, Series):
            return cls(
                phase=phase.name,
                kind=phase.kind,
                days=list(phase.days),
                after_days=None if first else phase.after_days,
                window=window,
                rules=rules,
            )
        return cls(
            phase=phase.name,
            kind=phase.kind,
            interval_days=phase.interval_days,
            ladder=list(phase.ladder),
            opt_in_above=phase.opt_in_above,
            window=window,
            rules=[*rules, RuleView.of(phase.ladder_provenance)],
        )


class ProtocolView(View):
    """A protocol."""

    id: str
    version: int
    name: str
    phases: list[PhaseView]
    cadence: list[RuleView]

    @classmethod
    def of(cls, protocol: Protocol) -> "ProtocolView":
        return cls(
            id=protocol.id,
            version=protocol.version,
            name=protocol.name,
            phases=[PhaseView.of(phase, first=place == 0) for place, phase in enumerate(protocol.phases)],
            cadence=[RuleView.of(rule) for rule in protocol.cadence.provenance],
        )


class PlanView(View):
    """A patient's plan."""

    id: UUID
    patient: UUID
    version: int
    protocol: str
    protocol_version: int
    start_on: date
    phase: Annotated[str, Field(description="the name of the next session's phase", examples=["induction"])]
    attended: int
    induction_complete: bool
    interval_days: int
    next_due_on: date
    decided_days: Annotated[int | None, Field(description="what a clinician decided; it holds in maintenance")]
    window: Annotated[WindowView | None, Field(description="of the next session's booking; null: none is stated")]
    why: str

    @classmethod
    def of(cls, plan: Plan) -> "PlanView":
        window = plan.protocol.position(plan.attended).phase.window
        return cls(
            id=plan.id,
            patient=plan.patient,
            version=plan.version,
            protocol=plan.protocol.id,
            protocol_version=plan.protocol.version,
            start_on=plan.start_on,
            phase=plan.phase,
            attended=plan.attended,
            induction_complete=plan.induction_complete,
            interval_days=plan.interval_days,
            next_due_on=plan.next_due_on,
            decided_days=plan.decided_days,
            window=None if window is None else WindowView.of(window),
            why=plan.why,
        )


class SessionView(View):
    """A session."""

    id: UUID
    patient: UUID
    plan: UUID | None
    version: int
    state: SessionState
    starts_at: Annotated[str, Field(examples=["2026-12-01T10:00"])]
    zone: str
    starts_at_utc: datetime
    minutes: int
    number: int | None
    attended_at: datetime | None
    reason: str | None
    note: str | None
    kind: SessionKind
    not_asked: Annotated[
        list[str],
        Field(description="questions, such as day-1, whose day was over before the session was recorded as attended"),
    ]

    @classmethod
    def of(cls, session: Session, keyring: Keyring) -> "SessionView":
        opened = {
            "reason": _words(session.sealed_reason, keyring, SESSION_REASON) or session.reason,
            "note": _words(session.sealed_note, keyring, SESSION_NOTE) or session.note,
        }
        return cls.model_validate({**session.flat(), **opened, "starts_at": wall_text(session.slot.starts_at)})


def _words(sealed: str | None, keyring: Keyring, context: str) -> str | None:
    return None if sealed is None else keyring.open(sealed, context=context)
