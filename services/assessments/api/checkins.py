"""Check-ins, answers taken by phone, scores."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from services.assessments.api.access import Access, as_problems
from services.assessments.api.shapes import AnswerList, Difficulty, optional_of, refuse_strangers
from services.assessments.commands import checkins as commands
from services.assessments.model.lifecycles import AlertState
from services.assessments.model.scoring import from_list
from services.assessments.packs import UnknownInstrumentError
from services.assessments.store import alerts, checkins, read_models
from services.assessments.store.checkins import Checkin
from services.assessments.store.read_models import Patient
from services.assessments.views import AnsweredView, CheckinView, ScoreView
from shared.database import Reader, Transaction
from shared.ids import ClinicId, new_id
from shared.instruments import PHQ_9
from shared.walltime import to_wall
from shared.web.api import Body, Listing, Paging, Reads, WriteCommand, listing, versioned
from shared.web.problems import Conflict, Invalid, NotFound, Unavailable


class NewCheckin(Body):
    """Ask a patient now."""

    patient: UUID
    instruments: Annotated[tuple[str, ...], Field(min_length=1, max_length=5)]


class NewAnswers(Body):
    """Answers of one instrument that staff took by phone."""

    instrument: Annotated[str, Field(examples=[PHQ_9])]
    answers: AnswerList
    difficulty: Difficulty = None
    words: Annotated[
        str | None, Field(min_length=1, max_length=4000, description="what the patient wants the clinic to know")
    ] = None
    entered_by: Annotated[str, StringConstraints(min_length=1, max_length=200)]


def add(routes: APIRouter, access: Access) -> None:
    """Add the routes of check-ins and scores."""

    @routes.get("/patients/{patient_id}/checkins")
    async def list_checkins(patient_id: UUID, principal: Reads, page: Paging) -> Listing[CheckinView]:
        """Return a patient's check-ins, newest first."""
        patient = await access.known(principal.clinic, patient_id)
        async with access.database.reading() as reader:
            found = await checkins.of_patient(reader, patient.id, limit=page.limit, after=page.after)
        return listing([CheckinView.of(one) for one in found], page, cursor=lambda view: str(view.id))

    @routes.get("/checkins/{checkin_id}", response_model=CheckinView)
    async def read_checkin(checkin_id: UUID, principal: Reads) -> Response:
        """Return a check-in."""
        async with access.database.reading() as reader:
            return versioned(CheckinView.of(await own_checkin(reader, principal.clinic, checkin_id)))

    @routes.post("/checkins", status_code=201, response_model=CheckinView)
    async def open_checkin(body: NewCheckin, command: WriteCommand) -> Response:
        """Open a check-in now; the patient gets its link by text where there is consent."""
        await access.known(command.principal.clinic, body.patient)

        async def work(tx: Transaction) -> CheckinView:
            return await _open(tx, access, command.principal.clinic, body)

        return await command.run(access.database, work, status=201)

    @routes.post("/checkins/{checkin_id}/answers", response_model=AnsweredView)
    async def enter_answers(checkin_id: UUID, body: NewAnswers, command: WriteCommand) -> Response:
        """Enter the answers of one instrument, taken by phone."""

        async def work(tx: Transaction) -> AnsweredView:
            checkin = await own_checkin(tx, command.principal.clinic, checkin_id)
            patient = await access.lock(tx, command.principal.clinic, checkin.patient)
            checkin = await own_checkin(tx, command.principal.clinic, checkin_id)
            command.if_match(checkin.version)
            return await _enter(tx, access, checkin, patient, body)

        return await command.run(access.database, work)


async def own_checkin(reader: Reader, clinic: ClinicId, checkin_id: UUID) -> Checkin:
    """Return a check-in of the clinic.

    Raises:
        NotFound: there is none, or it is another clinic's.
    """
    found = await checkins.get(reader, checkin_id)
    if found is None or found.clinic != clinic:
        raise NotFound("There is no such check-in in this clinic.")
    return found


async def _open(tx: Transaction, access: Access, clinic: ClinicId, body: NewCheckin) -> CheckinView:
    patient = await access.lock(tx, clinic, body.patient)
    if patient.discharged:
        raise Conflict("This patient was discharged; nothing more is asked.")
    if await read_models.clinic(tx, clinic) is None:
        raise Unavailable("The clinic is not known to this service yet. Please try again.")
    _check_instruments(access, body.instruments)
    opened = await commands.open_for(
        tx,
        access.deps,
        patient,
        occurrence=f"manual-{new_id().hex[-12:]}",
        asked_for=to_wall(tx.now, patient.zone).date(),
        instruments=body.instruments,
    )
    if opened is None:
        raise Conflict("This check-in was opened already.")
    return CheckinView.of(opened)


def _check_instruments(access: Access, instruments: tuple[str, ...]) -> None:
    for index, instrument in enumerate(instruments):
        try:
            access.deps.packs.get(instrument)
        except UnknownInstrumentError as error:
            raise Invalid.at(f"/instruments/{index}", str(error)) from error
        if instrument in instruments[:index]:
            raise Invalid.at(f"/instruments/{index}", f"{instrument} is asked for twice; name it once.")


async def _enter(tx: Transaction, access: Access, checkin: Checkin, patient: Patient, body: NewAnswers) -> AnsweredView:
    if body.instrument not in checkin.instruments:
        asked = ", ".join(checkin.instruments)
        raise Invalid.at("/instrument", f"This check-in asks {asked}, not {body.instrument!r}.")
    with as_problems():
        instrument = access.deps.packs.get(body.instrument)
        refuse_strangers(instrument, difficulty=body.difficulty, words=body.words)
        given = from_list(instrument, body.answers, optional_of(body.difficulty))
        outcome = await commands.answer(
            tx,
            access.deps,
            checkin,
            patient,
            instrument_id=body.instrument,
            given=given,
            words=body.words,
            entered_by=body.entered_by,
        )
    kept = await checkins.scores_of_checkin(tx, access.deps.keyring, checkin.id)
    raised = await alerts.of_checkin(tx, checkin.id)
    alert = next((each for each in raised if each.level.pages and each.state is not AlertState.CLOSED), None)
    views = tuple(ScoreView.of(one, access.deps.packs) for one in kept if one.voided is None)
    entered = next(view for view in views if view.instrument == body.instrument)
    return AnsweredView(
        **dict(entered),
        version=outcome.checkin.version,
        state=outcome.checkin.state,
        alert=None if alert is None else alert.id,
        scores=views,
    )
