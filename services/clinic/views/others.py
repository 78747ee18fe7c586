"""Login, enrolment, proposals and rules."""

from dataclasses import dataclass, field

from services.clinic.model.reads import Source
from services.clinic.views.components import Chip, FormState, Moment
from services.clinic.views.duplicates import DuplicateRow
from services.clinic.views.patient import Choice, ProposalView


@dataclass(frozen=True)
class LoginPage:
    """The way in."""

    csrf: str
    login: str = ""
    trouble: str | None = None
    ended: bool = False


@dataclass(frozen=True)
class EnrolPage:
    """The form for a new patient, or for changes of one; `duplicates` are to be looked at before it is saved."""

    form: FormState
    zones: tuple[Choice, ...]
    today: str
    patient: str | None = None
    version: int | None = None
    name: str = ""
    born: str = ""
    duplicates: tuple[DuplicateRow, ...] = ()

    @property
    def confirmed(self) -> str:
        """Return the ids of whom the next sending says that they are other people."""
        return " ".join(str(duplicate.person.id) for duplicate in self.duplicates)


@dataclass(frozen=True)
class ProposalsPage:
    """Proposals: those to decide with all their reasons, those that hold, the last decisions, and the rule once.

    `unsigned` names the rules that propose nothing until somebody signs them.
    """

    waiting: tuple[ProposalView, ...]
    held: tuple[ProposalView, ...]
    decided: tuple[ProposalView, ...]
    rules: tuple[Source, ...]
    unsigned: tuple[str, ...]
    may_decide: bool


@dataclass(frozen=True)
class RuleView:
    """A rule with where it comes from, and who signed it."""

    id: str
    name: str
    points: tuple[str, ...]
    version: int
    grade: Chip
    sources: tuple[Source, ...]
    state: Chip
    signed: str | None
    can_sign: bool
    settings: tuple[str, ...] = ()
    can_withdraw: bool = False
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True)
class RulesPage:
    """Every rule that proposes something."""

    rules: tuple[RuleView, ...]
    trouble: str | None = None
    form: FormState = field(default_factory=FormState)


@dataclass(frozen=True)
class ErrorPage:
    """A page that says what is the matter and what to do."""

    title: str
    text: str
    link: str
    link_text: str
    at: Moment | None = None
