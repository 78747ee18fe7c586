"""One patient: plan, sessions, scores, messages, alerts, and the proposal to decide."""

from dataclasses import dataclass, field
from uuid import UUID

from services.clinic.model.chart import Chart
from services.clinic.model.reads import Session, Source
from services.clinic.views.answer_rows import AnswerRow
from services.clinic.views.components import Chip, FormState, Moment, Person, Shelf
from services.clinic.views.picture import Fact
from services.clinic.views.record import RecordFile
from services.clinic.views.today import AlertRow, CheckinRow, OffWindowRow, ReplyRow


@dataclass(frozen=True)
class Spark:
    """A line of the last scores, with its last point."""

    line: str
    x: float
    y: float


@dataclass(frozen=True)
class PatientRow:
    """A patient in the list."""

    person: Person
    under: str
    state: Chip
    interval: str
    next_session: Moment | None
    next_state: Chip | None
    due: str
    score: Chip | None
    spark: Spark | None
    marks: tuple[Chip, ...]


@dataclass(frozen=True)
class PatientsPage:
    """The clinic's patients, or those that a search found."""

    query: str
    rows: tuple[PatientRow, ...]
    following: int | None
    total: int


@dataclass(frozen=True)
class DoubtView:
    """That a number was asked whether it wants texts, when, and what it had written; None where that is not known."""

    asked: Moment
    wrote: str | None


@dataclass(frozen=True)
class ContactView:
    """A contact point with its consents; `works` unless messages were found not to arrive there."""

    id: UUID
    works: bool
    kind: str
    value: str
    consents: tuple[Chip, ...]
    notes: tuple[str, ...]
    doubt: DoubtView | None = None


@dataclass(frozen=True)
class PlanView:
    """The plan and why it is so."""

    protocol: str
    late: bool
    phase: Chip
    interval: str
    next_due: Moment
    why: str
    attended: int
    ended: bool


@dataclass(frozen=True)
class Choice:
    """An entry of a select."""

    value: str
    text: str


@dataclass(frozen=True)
class SessionRow:
    """A session, with what has to be said of it in words and what can be done about it."""

    session: Session
    at: Moment
    wall: str
    detail: str
    state: Chip
    open: bool
    may_attend: bool
    may_miss: bool
    others: tuple[Choice, ...] = ()
    corrected: str | None = None
    not_asked: str = ""
    joined: bool = False


@dataclass(frozen=True)
class ScoreRow:
    """A score in the table behind the chart."""

    day: Moment
    total: Chip
    instrument: str
    flags: str
    joined: bool = False


@dataclass(frozen=True)
class ScoresView:
    """The scores of one instrument."""

    instrument: str
    chart: Chart | None
    summary: str
    rows: tuple[ScoreRow, ...]


@dataclass(frozen=True)
class StepView:
    """A step of a message's story."""

    at: Moment
    text: str


@dataclass(frozen=True)
class MessageRow:
    """A message with its story, or a text from the patient; `hint` is what there is to say of its words."""

    what: str
    to: str | None
    at: Moment
    state: Chip
    why: str | None
    story: tuple[StepView, ...]
    words: str | None = None
    subject: str = ""
    hint: str = ""
    joined: bool = False


@dataclass(frozen=True)
class ProposalView:
    """A proposal with all that its decision needs.

    `held` is information; `blocked` waits for a safety alert to be closed; `off` says that the clinic's signature under
    its rule does not hold; `said` is what staff typed at the decision and as it was taken back.
    """

    id: UUID
    version: int
    person: Person
    state: Chip
    open: bool
    held: bool
    blocked: bool
    change: str
    direction: str
    holds: bool
    from_days: str
    to_days: str
    to_number: int
    reasons: tuple[str, ...]
    evidence: tuple[str, ...]
    rule: str
    sources: tuple[Source, ...]
    expires: Moment
    decided: str | None
    said: tuple[str, ...]
    ladder: tuple[int, ...]
    off: bool = False
    can_take_back: bool = False


@dataclass(frozen=True)
class Able:
    """What this member of staff may do here."""

    enrol: bool
    sessions: bool
    checkins: bool
    alerts: bool
    plans: bool
    decide: bool
    discharge: bool


@dataclass(frozen=True)
class PatientPage:
    """One patient; `picture` is how they are and what comes next, in a few facts; `measure` what may be asked now.

    `joined` are the person's records that were closed as duplicates: their rows stand among the others, marked.
    """

    id: UUID
    version: int
    name: str
    state: Chip
    heading: tuple[str, ...]
    contacts: tuple[ContactView, ...]
    picture: tuple[Fact, ...]
    enrolled: bool
    zone: str
    able: Able
    plan: PlanView | None
    protocols: tuple[Choice, ...]
    start_on: str
    book_at: str
    off_window: tuple[OffWindowRow, ...]
    upcoming: tuple[SessionRow, ...]
    past: tuple[SessionRow, ...]
    proposal: ProposalView | None
    decided: tuple[ProposalView, ...]
    alerts: tuple[AlertRow, ...]
    old_alerts: tuple[AlertRow, ...]
    crisis: str
    language: str
    answers: Shelf[AnswerRow]
    checkins: Shelf[CheckinRow]
    measure: Choice
    scores: tuple[ScoresView, ...]
    messages: Shelf[MessageRow]
    replies: tuple[ReplyRow, ...]
    form: FormState
    file: RecordFile = field(default_factory=RecordFile)
    born: str = ""
    mailed: bool = False
    patient_zone: str | None = None
    joined: frozenset[UUID] = frozenset()
    other_plans: tuple[str, ...] = ()
