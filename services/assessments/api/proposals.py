"""Interval proposals and decisions, and what else moved a patient's scores."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from services.assessments.api.access import Access, Why, as_problems
from services.assessments.commands import proposals as commands
from services.assessments.commands import taking_back
from services.assessments.store import proposals
from services.assessments.store.proposals import Proposal
from services.assessments.views import OutsideChangeView, ProposalView
from shared.database import Reader, Transaction
from shared.ids import ClinicId
from shared.walltime import to_wall
from shared.web.api import Body, Day, DecideCommand, Listing, Paging, Reads, WriteCommand, listing, versioned
from shared.web.problems import FieldError, Invalid, NotFound

LONGEST_DAYS = 365


class NewDecision(Body):
    """A clinician's decision: a change names `interval_days` and a `reason`, a refusal a `reason`.

    `override_reason` is needed where something stands against the interval: induction not complete, no response on
    record, more than one step, above 28 days unsigned. Nothing is decided while a safety alert is open (409).
    """

    decision: Literal["approve", "change", "refuse"]
    interval_days: Annotated[int, Field(ge=1, le=LONGEST_DAYS, strict=True)] | None = None
    reason: Why | None = None
    override_reason: Why | None = None


class NewTakingBack(Body):
    """Why a decision is taken back."""

    reason: Annotated[Why, Field(examples=["Approved for the wrong patient."], description="kept sealed")]


class NewOutsideChange(Body):
    """Something other than the interval that moved a patient's scores: the rule then holds for this cycle."""

    kind: Literal["shock", "dose", "medication", "other"]
    happened_on: Day


def add(routes: APIRouter, access: Access) -> None:
    """Add the routes of proposals."""

    @routes.get("/patients/{patient_id}/proposals")
    async def list_proposals(patient_id: UUID, principal: Reads, page: Paging) -> Listing[ProposalView]:
        """Return a patient's proposals, newest first."""
        patient = await access.known(principal.clinic, patient_id)
        async with access.database.reading() as reader:
            found = await proposals.of_patient(reader, patient.id, limit=page.limit, after=page.after)
        return listing([ProposalView.of(access.deps, one) for one in found], page, cursor=lambda view: str(view.id))

    @routes.get("/proposals/{proposal_id}", response_model=ProposalView)
    async def read_proposal(proposal_id: UUID, principal: Reads) -> Response:
        """Return a proposal."""
        async with access.database.reading() as reader:
            return versioned(ProposalView.of(access.deps, await _own(reader, principal.clinic, proposal_id)))

    @routes.post("/proposals/{proposal_id}/decision", response_model=ProposalView)
    async def decide(proposal_id: UUID, body: NewDecision, command: DecideCommand) -> Response:
        """Approve, change or refuse a proposal, once. One that holds the interval can be changed, and needs nothing."""

        async def work(tx: Transaction) -> ProposalView:
            clinic = command.principal.clinic
            patient = await access.lock(tx, clinic, (await _own(tx, clinic, proposal_id)).patient)
            proposal = await _own(tx, clinic, proposal_id)
            command.if_match(proposal.version)
            _check(body, proposal)
            choice = commands.Choice(body.decision, body.interval_days, body.reason, body.override_reason)
            with as_problems():
                decided = await commands.decide(tx, access.deps, patient, proposal, choice, by=command.principal.name)
            return ProposalView.of(access.deps, decided)

        return await command.run(access.database, work)

    @routes.post("/proposals/{proposal_id}/take-back", response_model=ProposalView)
    async def take_back(proposal_id: UUID, body: NewTakingBack, command: DecideCommand) -> Response:
        """Take a decision back: what held before holds. Refused once a later session or decision rests on it."""

        async def work(tx: Transaction) -> ProposalView:
            who = command.principal
            patient = await access.lock(tx, who.clinic, (await _own(tx, who.clinic, proposal_id)).patient)
            proposal = await _own(tx, who.clinic, proposal_id)
            command.if_match(proposal.version)
            with as_problems():
                changed = await taking_back.take_back(
                    tx, access.deps, patient, proposal, by=who.name, staff=who.staff, reason=body.reason
                )
            return ProposalView.of(access.deps, changed)

        return await command.run(access.database, work)

    @routes.post("/patients/{patient_id}/outside-changes", status_code=201, response_model=OutsideChangeView)
    async def note_outside_change(patient_id: UUID, body: NewOutsideChange, command: WriteCommand) -> Response:
        """Note a shock, or a change of dose or medication: the interval rule holds for the cycle it falls in."""
        await access.known(command.principal.clinic, patient_id)

        async def work(tx: Transaction) -> OutsideChangeView:
            patient = await access.lock(tx, command.principal.clinic, patient_id)
            if body.happened_on > to_wall(tx.now, patient.zone).date():
                raise Invalid.at("/happened_on", "This day has not come yet; give the day on which it happened.")
            change_id = await proposals.add_outside(
                tx,
                access.deps.keyring,
                clinic=patient.clinic,
                patient=patient.id,
                happened_on=body.happened_on,
                kind=body.kind,
                noted_by=command.principal.name,
            )
            return OutsideChangeView(id=change_id, patient=patient.id, kind=body.kind, happened_on=body.happened_on)

        return await command.run(access.database, work, status=201)


async def _own(reader: Reader, clinic: ClinicId, proposal_id: UUID) -> Proposal:
    found = await proposals.get(reader, proposal_id)
    if found is None or found.clinic != clinic:
        raise NotFound("There is no such proposal in this clinic.")
    return found


def _check(body: NewDecision, proposal: Proposal) -> None:
    """Refuse a decision that lacks what it needs, or that says two things at once."""
    flaws = []
    if body.decision == "change" and body.interval_days is None:
        flaws.append(FieldError("/interval_days", "A change needs the interval in days."))
    if body.decision in {"change", "refuse"} and body.reason is None:
        flaws.append(FieldError("/reason", "Please say why, for those who read this later."))
    if body.decision == "approve" and body.interval_days not in {None, proposal.to_days}:
        flaws.append(
            FieldError("/interval_days", f"The proposal is {proposal.to_days} days; another interval is a change.")
        )
    if body.decision == "refuse" and body.interval_days is not None:
        flaws.append(FieldError("/interval_days", "A refusal keeps the interval as it is; leave this out."))
    if flaws:
        raise Invalid("Some of what was sent cannot be used.", errors=flaws)
