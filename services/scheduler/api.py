"""The scheduler's part of the interface for programs."""

from datetime import date, timedelta
from typing import Final, Protocol
from uuid import UUID

from fastapi import APIRouter, Response

from services.scheduler import store
from services.scheduler.access import Access, as_problems
from services.scheduler.commands import attendance, booking, plans
from services.scheduler.commands.attendance import Corrector
from services.scheduler.model.catalogue import PROTOCOLS
from services.scheduler.model.patients import Patient
from services.scheduler.model.refusals import Meant
from services.scheduler.model.sessions import SESSION_NOTE, SESSION_REASON, Session, SessionState, slot
from services.scheduler.views import (
    ContinuedPlan,
    Corrected,
    CorrectionView,
    MovedSession,
    NewPlan,
    NewSession,
    PlanView,
    ProtocolView,
    SessionEnd,
    SessionView,
)
from shared.database import Database, Transaction
from shared.events.scheduling import Continued
from shared.protection import Keyring
from shared.walltime import to_wall
from shared.web.api import Listing, Paging, Reads, WriteCommand, listing, versioned
from shared.web.problems import Invalid, NotFound

_FARTHEST_START: Final = timedelta(days=366)
CORRECTION: Final = "correction"
"""The context that the reason of a correction is sealed for."""
REASON: Final = "reason"
"""The same for why a plan goes on."""


class Ending(Protocol):
    """A command that ends a session."""

    async def __call__(
        self,
        tx: Transaction,
        patient: Patient,
        session: Session,
        *,
        sealed_reason: str | None,
        sealed_note: str | None,
    ) -> Session:
        """Return the session as it ended."""


def build(database: Database, keyring: Keyring) -> list[APIRouter]:
    """Return the routes over a database; the keyring seals why a record was corrected."""
    access = Access(database, keyring)
    return [_protocols(), _plans(access, keyring), _sessions(access), _corrections(access, keyring), _endings(access)]


def _router() -> APIRouter:
    return APIRouter(prefix="/api/v1", tags=["scheduler"])


def _protocols() -> APIRouter:
    router = _router()

    @router.get("/protocols")
    async def protocols(_principal: Reads) -> Listing[ProtocolView]:
        """List the protocols with their phases, and where each rule comes from."""
        return Listing[ProtocolView](items=[ProtocolView.of(protocol) for protocol in PROTOCOLS], next=None)

    return router


def _plans(access: Access, keyring: Keyring) -> APIRouter:
    router = _router()

    @router.post("/patients/{patient}/plans", status_code=201, response_model=PlanView)
    async def start_plan(patient: UUID, body: NewPlan, command: WriteCommand) -> Response:
        """Start a protocol for a patient who follows none."""
        found = await access.patient(command.principal.clinic, patient)
        _refuse_far(body.start_on, to_wall(access.database.clock.now(), found.zone).date())

        async def work(tx: Transaction) -> PlanView:
            held = await access.locked(tx, patient)
            with as_problems():
                return PlanView.of(await plans.start_plan(tx, held, body.protocol, body.start_on))

        return await command.run(access.database, work, status=201)

    @router.post("/patients/{patient}/plan/continue", response_model=PlanView)
    async def continue_plan(patient: UUID, body: ContinuedPlan, command: WriteCommand) -> Response:
        """Let the patient's last plan go on, which had ended; what took place under it counts."""
        who = command.principal
        await access.patient(who.clinic, patient)

        async def work(tx: Transaction) -> PlanView:
            held = await access.locked(tx, patient)
            reason = keyring.seal(body.reason.strip(), context=REASON)
            with as_problems():
                why = Continued(by=who.name, staff=who.staff, at=tx.now, reason=reason)
                return PlanView.of(await plans.continue_plan(tx, held, why))

        return await command.run(access.database, work)

    @router.get("/patients/{patient}/plan", response_model=PlanView)
    async def plan(patient: UUID, principal: Reads) -> Response:
        """Return the plan that a patient follows."""
        await access.patient(principal.clinic, patient)
        async with access.database.reading() as reader:
            found = await store.active_plan(reader, patient)
        if found is None:
            raise NotFound(
                "The patient follows no plan. Start one with POST /patients/{id}/plans, or let the last one go on with "
                "POST /patients/{id}/plan/continue."
            )
        return versioned(PlanView.of(found))

    return router


def _sessions(access: Access) -> APIRouter:
    router = _router()

    @router.post("/sessions", status_code=201, response_model=SessionView)
    async def book(body: NewSession, command: WriteCommand) -> Response:
        """Book a session."""
        await access.patient(command.principal.clinic, body.patient)
        zone = body.zone or await access.zone(command.principal.clinic)

        async def work(tx: Transaction) -> SessionView:
            patient = await access.locked(tx, body.patient)
            meant = Meant(afterwards=body.entered_afterwards, odd_hour=body.odd_hour)
            with as_problems():
                return access.view(await booking.book(tx, patient, body.booking(zone), meant=meant))

        return await command.run(access.database, work, status=201)

    @router.get("/sessions/{session}", response_model=SessionView)
    async def session(session: UUID, principal: Reads) -> Response:
        """Return a session."""
        async with access.database.reading() as reader:
            return versioned(access.view(await access.session(reader, principal.clinic, session)))

    @router.patch("/sessions/{session}", response_model=SessionView)
    async def move(session: UUID, body: MovedSession, command: WriteCommand) -> Response:
        """Move a session to another time."""

        async def session_command(tx: Transaction, patient: Patient, present: Session) -> Session:
            wanted = slot(body.starts_at, body.zone or present.slot.zone, present.slot.minutes)
            return await booking.move(tx, patient, present, wanted, odd_hour=body.odd_hour)

        return await access.change(session, command, session_command)

    @router.get("/patients/{patient}/sessions")
    async def sessions(patient: UUID, principal: Reads, page: Paging) -> Listing[SessionView]:
        """List a patient's sessions in the order in which they were booked."""
        await access.patient(principal.clinic, patient)
        async with access.database.reading() as reader:
            found = await store.sessions_of(reader, patient, limit=page.limit + 1, after=page.after)
        return listing([access.view(one) for one in found], page, cursor=lambda view: str(view.id))

    return router


def _endings(access: Access) -> APIRouter:
    router = _router()

    def ending(name: str, end: Ending, summary: str) -> None:
        @router.post(f"/sessions/{{session}}/{name}", response_model=SessionView, name=name, summary=summary)
        async def endpoint(session: UUID, command: WriteCommand, body: SessionEnd | None = None) -> Response:
            said = body or SessionEnd()
            reason = access.sealed(said.reason, SESSION_REASON)
            note = access.sealed(said.note, SESSION_NOTE)

            async def session_command(tx: Transaction, patient: Patient, present: Session) -> Session:
                return await end(tx, patient, present, sealed_reason=reason, sealed_note=note)

            return await access.change(session, command, session_command)

    ending("cancel", booking.cancel, "Cancel a session")
    ending("attend", attendance.attend, "Record that a session took place")
    ending("miss", booking.miss, "Record that the patient did not come")
    return router


def _corrections(access: Access, keyring: Keyring) -> APIRouter:
    router = _router()

    @router.post("/sessions/{session}/correct", response_model=SessionView)
    async def correct(session: UUID, body: Corrected, command: WriteCommand) -> Response:
        """Correct what was recorded of a session; what was stays on record, and all that follows from it follows."""
        who = command.principal

        async def session_command(tx: Transaction, patient: Patient, present: Session) -> Session:
            corrector = Corrector(who.name, who.staff, keyring.seal(body.reason, context=CORRECTION))
            return await attendance.correct(tx, patient, present, SessionState(body.state), corrector)

        return await access.change(session, command, session_command)

    @router.get("/sessions/{session}/corrections")
    async def corrections(session: UUID, principal: Reads) -> Listing[CorrectionView]:
        """List the corrections of a session, oldest first."""
        async with access.database.reading() as reader:
            found = await access.session(reader, principal.clinic, session)
            kept = await store.corrections_of(reader, found.id)
        views = [
            CorrectionView(
                id=one.id,
                session=one.session,
                before=one.before,
                after=one.after,
                by=one.by,
                at=one.at,
                reason=keyring.open(one.sealed, context=CORRECTION),
            )
            for one in kept
        ]
        return Listing[CorrectionView](items=views, next=None)

    return router


def _refuse_far(start_on: date, today: date) -> None:
    if abs(start_on - today) > _FARTHEST_START:
        raise Invalid.at("/start_on", f"{start_on} is more than a year from today, {today}. Check the year.")
