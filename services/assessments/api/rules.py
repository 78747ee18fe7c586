"""The clinical rules with their provenance, and the clinic's sign-off, which it may withdraw."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from services.assessments.api.access import Access, Why, Words
from services.assessments.commands import signing, taking_back
from services.assessments.model.rules import Rule, with_bands
from services.assessments.store import signatures
from services.assessments.store.signatures import Key, Signature, Withdrawal
from shared.database import Reader, Transaction
from shared.ids import ClinicId
from shared.web.api import Body, DecideCommand, Listing, Reads, View
from shared.web.problems import Conflict, NotFound


class NewSignature(Body):
    """A clinic's sign-off; who signs is the token's name."""

    note: Words | None = None


class NewWithdrawal(Body):
    """The end of a signature, and why; who withdraws it is the token's name."""

    reason: Annotated[Why, Field(examples=["Signed by mistake."], description="kept sealed")]


class WithdrawalView(View):
    """A signature that holds no more."""

    rule_version: int
    signed_by: str
    signed_at: datetime
    withdrawn_by: str
    withdrawn_at: datetime
    reason: str


class RuleView(View):
    """A clinical rule with its provenance; `runs` says whether it is in force at this clinic.

    `signed_version` is the version that was signed last: where it is not `rule_version`, that must be signed anew.
    `withdrawn` are the signatures that hold no more, the newest first.
    """

    id: str
    rule_version: int
    name: str
    text: str
    points: tuple[str, ...]
    source_url: str
    grade: str
    verified_on: date
    applies_to: str
    needs_signature: bool
    runs: bool
    signed_by: str | None
    signed_at: datetime | None
    signed_version: int | None
    note: str | None
    withdrawn: tuple[WithdrawalView, ...]

    @classmethod
    def of(cls, rule: Rule, signed: dict[Key, Signature], withdrawn: Sequence[Withdrawal]) -> "RuleView":
        """Show a rule as it stands at a clinic, by the clinic's signatures."""
        signature = signed.get((rule.id, rule.version))
        return cls(
            id=rule.id,
            rule_version=rule.version,
            name=rule.name,
            text=rule.text,
            points=rule.points,
            source_url=rule.source_url,
            grade=rule.grade,
            verified_on=rule.verified_on,
            applies_to=rule.applies_to,
            needs_signature=rule.needs_signature,
            runs=rule.runs(signed=signature is not None),
            signed_by=None if signature is None else signature.signed_by,
            signed_at=None if signature is None else signature.signed_at,
            signed_version=max((version for rule_id, version in signed if rule_id == rule.id), default=None),
            note=None if signature is None else signature.note,
            withdrawn=tuple(
                WithdrawalView(
                    rule_version=one.signature.rule_version,
                    signed_by=one.signature.signed_by,
                    signed_at=one.signature.signed_at,
                    withdrawn_by=one.by,
                    withdrawn_at=one.at,
                    reason=one.reason,
                )
                for one in withdrawn
                if one.signature.rule == rule.id
            ),
        )


def add(routes: APIRouter, access: Access) -> None:
    """Add the routes of rules."""

    @routes.get("/rules")
    async def list_rules(principal: Reads) -> Listing[RuleView]:
        """Return every rule with its source and grade, and whether it runs at this clinic."""
        async with access.database.reading() as reader:
            return Listing(items=await _views(access, reader, principal.clinic, _rules(access)), next=None)

    @routes.post("/rules/{rule_id}/sign", response_model=RuleView)
    async def sign_rule(rule_id: str, command: DecideCommand, body: NewSignature | None = None) -> Response:
        """Sign a rule in its present version, so that it runs at this clinic."""
        rule = _found(access, rule_id)

        async def work(tx: Transaction) -> RuleView:
            clinic, by = command.principal.clinic, command.principal.name
            note = None if body is None else body.note
            await signatures.sign(tx, clinic=clinic, rule=rule.id, rule_version=rule.version, by=by, note=note)
            return (await _views(access, tx, clinic, (rule,)))[0]

        return await command.run(access.database, work)

    @routes.post("/rules/{rule_id}/withdraw", response_model=RuleView)
    async def withdraw(rule_id: str, body: NewWithdrawal, command: DecideCommand) -> Response:
        """Withdraw the signature under a rule: it proposes nothing until it is signed again; both stay on record."""
        rule = _found(access, rule_id)

        async def work(tx: Transaction) -> RuleView:
            who = command.principal
            try:
                await taking_back.withdraw(
                    tx, access.deps, who.clinic, rule, by=who.name, staff=who.staff, reason=body.reason
                )
            except taking_back.NotSignedError as error:
                raise Conflict(str(error)) from error
            return (await _views(access, tx, who.clinic, (rule,)))[0]

        return await command.run(access.database, work)


def _rules(access: Access) -> tuple[Rule, ...]:
    return with_bands(access.deps.packs.newest)


def _found(access: Access, rule_id: str) -> Rule:
    """Return a rule that waits for signatures.

    Raises:
        NotFound: there is none of this id.
        Conflict: it runs without a signature.
    """
    rule = next((rule for rule in _rules(access) if rule.id == rule_id), None)
    if rule is None:
        raise NotFound("There is no such rule.")
    if not rule.needs_signature:
        raise Conflict(f"{rule.id} is graded {rule.grade} and runs without a signature.")
    return rule


async def _views(access: Access, reader: Reader, clinic: ClinicId, rules: Sequence[Rule]) -> list[RuleView]:
    signed = await signing.in_force(reader, access.deps, clinic)
    withdrawn = await signatures.withdrawn(reader, access.deps.keyring, clinic)
    return [RuleView.of(rule, signed, withdrawn) for rule in rules]
