"""The clinical rules with their provenance, and the clinic's sign-off."""

from fastapi import APIRouter, Response

from services.assessments.acts import proposals as acts
from services.assessments.api.desk import Desk, Words
from services.assessments.model.rules import RULES, find
from services.assessments.store import proposals
from services.assessments.views import RuleView
from shared.database import Transaction
from shared.web.api import Body, DecideCommand, Listing, Reads
from shared.web.problems import Conflict, NotFound


class NewSignature(Body):
    """A clinic's sign-off; who signs is the token's name."""

    note: Words | None = None


def add(routes: APIRouter, desk: Desk) -> None:
    """Add the routes of rules."""

    @routes.get("/rules")
    async def list_rules(principal: Reads) -> Listing[RuleView]:
        """Return every rule with its source and grade, and whether it runs at this clinic."""
        async with desk.database.reading() as reader:
            signed = await acts.signatures(reader, desk.kit, principal.clinic)
        return Listing(items=[RuleView.of(rule, signed) for rule in RULES], next=None)

    @routes.post("/rules/{rule_id}/sign", response_model=RuleView)
    async def sign(rule_id: str, command: DecideCommand, body: NewSignature | None = None) -> Response:
        """Sign a rule in its present version, so that it runs at this clinic."""
        rule = find(rule_id)
        if rule is None:
            raise NotFound("There is no such rule.")
        if not rule.needs_signature:
            raise Conflict(f"{rule.id} is graded {rule.grade} and runs without a signature.")

        async def work(tx: Transaction) -> RuleView:
            clinic, by = command.principal.clinic, command.principal.name
            note = None if body is None else body.note
            await proposals.sign(tx, clinic=clinic, rule=rule.id, rule_version=rule.version, by=by, note=note)
            signed = await proposals.signed(tx, clinic)
            return RuleView.of(rule, signed)

        return await command.run(desk.database, work)
