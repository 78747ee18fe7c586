"""What programs see of this service's things."""

from datetime import date, datetime
from uuid import UUID

from services.assessments.commands import alerts as alert_commands
from services.assessments.commands import proposals as proposal_commands
from services.assessments.commands import taking_back
from services.assessments.dependencies import Dependencies
from services.assessments.described import InstrumentBrief
from services.assessments.model.haste import is_quick
from services.assessments.packs import Packs
from services.assessments.store.alerts import Alert, Page
from services.assessments.store.checkins import Checkin, KeptScore
from services.assessments.store.proposals import Proposal
from services.assessments.store.uncounted_answers import UncountedAnswers
from shared.web.api import View


class TextView(View):
    """What became of the text with a check-in's link: `sent`, `delivered`, `failed` or `withheld`."""

    state: str
    reason: str | None
    at: datetime | None


class CheckinView(View):
    """A check-in. `sent_at` and `delivered_at` are of the link that holds now."""

    id: UUID
    version: int
    patient: UUID
    session: UUID | None
    plan: UUID | None
    state: str
    occurrence: str
    asked_for: date
    instruments: tuple[str, ...]
    opened_at: datetime
    expires_at: datetime
    completed_at: datetime | None
    text: TextView | None
    sent_at: datetime | None
    delivered_at: datetime | None

    @classmethod
    def of(cls, checkin: Checkin) -> "CheckinView":
        """Show a check-in."""
        state = checkin.text_state
        text = None if state is None else TextView(state=state, reason=checkin.text_reason, at=checkin.text_at)
        return cls(
            id=checkin.id,
            version=checkin.version,
            patient=checkin.patient,
            session=checkin.session,
            plan=checkin.plan,
            state=checkin.state,
            occurrence=checkin.occurrence,
            asked_for=checkin.asked_for,
            instruments=checkin.instruments,
            opened_at=checkin.opened_at,
            expires_at=checkin.expires_at,
            completed_at=checkin.completed_at,
            text=text,
            sent_at=checkin.sent_at,
            delivered_at=checkin.delivered_at,
        )


class VoidView(View):
    """Why a score counts no more; `by` is null where the patient changed the answers before all was sent."""

    at: datetime
    by: str | None
    reason: str | None
    replaced_by: UUID | None


class ScoreView(View):
    """A score; `total` and `band` are null for our own questions, which are no validated instrument.

    `words` is what the patient wrote; `seconds_after_delivery` counts from the arrival of the link, and `quick` says
    that a program may have answered. A score that is `voided` counts no more.
    """

    id: UUID
    instrument: str
    instrument_version: int
    about: InstrumentBrief
    total: int | None
    band: str | None
    at: datetime
    asked_for: date
    checkin: UUID
    flags: tuple[str, ...]
    answers: dict[str, int]
    words: str | None
    entered_by: str | None
    seconds_after_delivery: int | None
    quick: bool
    voided: VoidView | None

    @classmethod
    def of(cls, kept: KeptScore, packs: Packs) -> "ScoreView":
        """Show a score with the instrument that it is of, as it was when it was answered."""
        return cls(
            id=kept.id,
            instrument=kept.score.instrument,
            instrument_version=kept.score.version,
            about=InstrumentBrief.of_instrument(packs.get(kept.score.instrument, kept.score.version)),
            total=kept.score.total,
            band=kept.score.band,
            at=kept.at,
            asked_for=kept.asked_for,
            checkin=kept.checkin,
            flags=kept.score.flags,
            answers=dict(kept.score.answers),
            words=kept.score.words,
            entered_by=kept.entered_by,
            seconds_after_delivery=kept.seconds_after,
            quick=is_quick(kept.seconds_after),
            voided=None if kept.voided is None else VoidView(**vars(kept.voided)),
        )


class FurtherView(View):
    """Answers that count as no score: `late`, `again`, `replaced` or `unfinished` says why."""

    id: UUID
    checkin: UUID
    instrument: str
    instrument_version: int
    why: str
    at: datetime
    answers: dict[str, int]
    words: str | None

    @classmethod
    def of(cls, kept: UncountedAnswers) -> "FurtherView":
        """Show answers that were kept beside a score."""
        return cls(**{**vars(kept), "why": str(kept.why), "answers": dict(kept.answers)})


class ChangedView(View):
    """A check-in after staff changed one of its scores, with all its scores, those that count no more too."""

    id: UUID
    version: int
    state: str
    checkin: CheckinView
    scores: tuple[ScoreView, ...]


class AnsweredView(ScoreView):
    """The score of the answers that were entered, with all scores of the check-in and how it now stands."""

    version: int
    state: str
    alert: UUID | None
    scores: tuple[ScoreView, ...]


class PageView(View):
    """A message to somebody on call.

    `to` is masked, `round` says which page of the alert it is part of, `state` what is known of its delivery: sent (the
    provider has it), delivered, failed, withheld. Only what was sent or delivered has reached somebody.
    """

    to: str
    channel: str
    round: int
    at: datetime
    state: str
    reason: str | None


class AlertView(View):
    """A safety alert.

    `kind` says what it is about; `checkin` or `reply` is what raised it; `patient` is null for a text from a number
    that is no patient's. `pages` counts what was tried, `reached` what the provider took or delivered.
    """

    id: UUID
    version: int
    patient: UUID | None
    checkin: UUID | None
    reply: UUID | None
    kind: str
    level: str
    cause: str
    state: str
    raised_at: datetime
    pages: int
    reached: int
    paged: tuple[PageView, ...]
    acknowledged_by: str | None
    acknowledged_staff: UUID | None
    acknowledged_at: datetime | None
    closed_by: str | None
    closed_staff: UUID | None
    closed_at: datetime | None
    disposition: str | None

    @classmethod
    def of(cls, deps: Dependencies, alert: Alert, paged: list[Page]) -> "AlertView":
        """Show an alert."""
        return cls(
            id=alert.id,
            version=alert.version,
            patient=alert.patient,
            checkin=alert.checkin,
            reply=alert.reply,
            kind=alert_commands.kind_of(deps, alert),
            level=alert.level,
            cause=alert_commands.cause_text(deps, alert),
            state=alert.state,
            raised_at=alert.raised_at,
            pages=alert.pages,
            reached=sum(page.reached for page in paged),
            paged=tuple(
                PageView(
                    to=page.to,
                    channel=page.channel,
                    round=page.round,
                    at=page.at,
                    state=page.state,
                    reason=page.reason,
                )
                for page in paged
            ),
            acknowledged_by=alert.acknowledged_by,
            acknowledged_staff=alert.acknowledged_staff,
            acknowledged_at=alert.acknowledged_at,
            closed_by=alert.closed_by,
            closed_staff=alert.closed_staff,
            closed_at=alert.closed_at,
            disposition=alert_commands.disposition_text(deps, alert),
        )


class ReasonView(View):
    """Why the rule proposes what it proposes: a code, a sentence, and its figures."""

    code: str
    text: str
    values: dict[str, float]


class EvidenceView(View):
    """A reading that the rule used."""

    checkin: UUID
    asked_for: date
    at: datetime
    total: int


class Detail(View):
    """What a proposal keeps sealed."""

    review: bool
    reasons: tuple[ReasonView, ...]
    evidence: tuple[EvidenceView, ...]
    ladder: tuple[int, ...] | None = None


class TakenBackView(View):
    """Who took a decision back, and why."""

    by: str
    at: datetime
    reason: str

    @classmethod
    def of(cls, deps: Dependencies, proposal: Proposal) -> "TakenBackView | None":
        """Show it; None of a decision that stands."""
        why = taking_back.why_taken_back(deps, proposal)
        if proposal.taken_back_by is None or proposal.taken_back_at is None or why is None:
            return None
        return cls(by=proposal.taken_back_by, at=proposal.taken_back_at, reason=why)


class ProposalView(View):
    """An interval proposal; `interval_days` is what now holds once it was approved or changed.

    `overruled` says what stood against the decision, `override_reason` why it was taken all the same. `ladder` holds
    the intervals that the protocol allows, in days; null where the plan had not said them. `taken_back` says who took
    the decision back: it then counts no more.
    """

    id: UUID
    version: int
    patient: UUID
    plan: UUID
    checkin: UUID
    direction: str
    review: bool
    from_days: int
    to_days: int
    rule: str
    rule_version: int
    reasons: tuple[ReasonView, ...]
    evidence: tuple[EvidenceView, ...]
    ladder: tuple[int, ...] | None
    state: str
    proposed_at: datetime
    expires_at: datetime
    decision: str | None
    interval_days: int | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    overruled: tuple[str, ...]
    override_reason: str | None
    taken_back: TakenBackView | None

    @classmethod
    def of(cls, deps: Dependencies, proposal: Proposal) -> "ProposalView":
        """Show a proposal."""
        overruled = proposal_commands.overruled(deps, proposal)
        detail = Detail.model_validate_json(proposal_commands.detail(deps, proposal))
        return cls(
            id=proposal.id,
            version=proposal.version,
            patient=proposal.patient,
            plan=proposal.plan,
            checkin=proposal.checkin,
            direction=proposal.direction,
            review=proposal.review,
            from_days=proposal.from_days,
            to_days=proposal.to_days,
            rule=proposal.rule,
            rule_version=proposal.rule_version,
            reasons=detail.reasons,
            evidence=detail.evidence,
            ladder=detail.ladder,
            state=proposal.state,
            proposed_at=proposal.proposed_at,
            expires_at=proposal.expires_at,
            decision=proposal.decision,
            interval_days=proposal.interval_days,
            decided_by=proposal.decided_by,
            decided_at=proposal.decided_at,
            reason=proposal_commands.reason_text(deps, proposal),
            overruled=() if overruled is None else overruled.against,
            override_reason=None if overruled is None else overruled.reason,
            taken_back=TakenBackView.of(deps, proposal),
        )


class OutsideChangeView(View):
    """Something other than the interval that moved the scores."""

    id: UUID
    patient: UUID
    kind: str
    happened_on: date
