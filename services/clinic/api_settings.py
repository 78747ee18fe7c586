"""The clinic's part of the interface for programs: its settings."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from services.clinic.commands.clinics import ClinicCommands
from services.clinic.model.clinic import Clinic
from services.clinic.model.contacts import ContactKind
from services.clinic.model.settings import GivenClinic
from shared.database import Database, Transaction
from shared.ids import ClinicId
from shared.languages import Language
from shared.protection import mask
from shared.web.api import Body, DecideCommand, Reads, View, versioned
from shared.web.problems import Invalid

Words = Annotated[str, Field(max_length=2000)]


class OnCallContact(Body):
    """Where the person on call is paged."""

    kind: ContactKind
    value: Words


class Crisis(Body):
    """What a person in crisis is told, in each language."""

    en: Words
    es: Words


class ClinicChanges(Body):
    """What to change of the clinic; `oncall` and `crisis` stand for all of them."""

    name: Words | None = None
    sender_name: Words | None = None
    zone: Words | None = None
    phone: Words | None = None
    quiet_from: Words | None = None
    quiet_until: Words | None = None
    hours_reason: Annotated[
        str, Field(max_length=200, description="Why texts go out before 08:00 or after 21:00, which is refused else.")
    ] = ""
    crisis: Crisis | None = None
    oncall: tuple[OnCallContact, ...] | None = None


class OnCallView(View):
    """Where the person on call is paged, masked."""

    kind: ContactKind
    to: str


class ClinicView(View):
    """A clinic's settings."""

    id: ClinicId
    version: int
    name: str
    sender_name: str
    zone: str
    phone: str
    quiet_from: str
    quiet_until: str
    hours_reason: str | None
    crisis: dict[Language, str]
    oncall: tuple[OnCallView, ...]

    @classmethod
    def of(cls, clinic: Clinic) -> "ClinicView":
        """Show a clinic."""
        return cls(
            id=clinic.id,
            version=clinic.version,
            name=clinic.name,
            sender_name=clinic.sender_name,
            zone=clinic.zone,
            phone=clinic.phone,
            quiet_from=clinic.texts_from,
            quiet_until=clinic.texts_until,
            hours_reason=clinic.hours_reason,
            crisis=clinic.crisis,
            oncall=tuple(OnCallView(kind=one.kind, to=mask(one.value)) for one in clinic.oncall),
        )


def router(database: Database, commands: ClinicCommands) -> APIRouter:
    """Return the routes below /api/v1."""
    routes = APIRouter(prefix="/api/v1", tags=["clinic"])

    @routes.get("/clinic", response_model=ClinicView)
    async def read(principal: Reads) -> Response:
        """Return the clinic of the token."""
        async with database.reading() as reader:
            return versioned(ClinicView.of(await commands.read(reader, principal.clinic)))

    @routes.patch("/clinic", response_model=ClinicView)
    async def change(body: ClinicChanges, command: DecideCommand) -> Response:
        """Change the clinic's settings: hours of texts, the person on call, what a person in crisis is told."""

        async def work(tx: Transaction) -> ClinicView:
            present = await commands.held(tx, command.principal.clinic)
            command.if_match(present.version)
            return ClinicView.of(await commands.change(tx, command.principal, present, _merged(present, body)))

        return await command.run(database, work)

    return routes


def _merged(present: Clinic, body: ClinicChanges) -> GivenClinic:
    for name in body.model_fields_set:
        if getattr(body, name) is None:
            raise Invalid.at(f"/{name}", "This cannot be emptied. Give a value or leave it out.")
    oncall = (
        tuple((one.kind, one.value) for one in present.oncall)
        if body.oncall is None
        else tuple((one.kind, one.value) for one in body.oncall)
    )
    return GivenClinic(
        name=present.name if body.name is None else body.name,
        sender_name=present.sender_name if body.sender_name is None else body.sender_name,
        zone=present.zone if body.zone is None else body.zone,
        phone=present.phone if body.phone is None else body.phone,
        texts_from=present.texts_from if body.quiet_from is None else body.quiet_from,
        texts_until=present.texts_until if body.quiet_until is None else body.quiet_until,
        hours_reason=body.hours_reason or _reason_that_holds(present, body),
        crisis=present.crisis if body.crisis is None else {Language.EN: body.crisis.en, Language.ES: body.crisis.es},
        oncall=oncall,
    )


def _reason_that_holds(present: Clinic, body: ClinicChanges) -> str:
    """Return the reason of hours that are left as they are; for others somebody says it anew."""
    same = body.quiet_from in {None, present.texts_from} and body.quiet_until in {None, present.texts_until}
    return (present.hours_reason or "") if same else ""
