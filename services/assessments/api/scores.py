"""Scores: list them, void one, correct one, and read what was kept beside them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from services.assessments.api.access import Access, Words, as_problems
from services.assessments.api.checkins import own_checkin
from services.assessments.api.shapes import AnswerList, Difficulty, optional_of, refuse_strangers
from services.assessments.commands import corrections
from services.assessments.model.scoring import from_list
from services.assessments.store import checkins, uncounted_answers
from services.assessments.store.checkins import Checkin, KeptScore
from services.assessments.store.read_models import Patient
from services.assessments.views import ChangedView, CheckinView, FurtherView, ScoreView
from shared.database import Reader, Transaction
from shared.ids import ClinicId
from shared.web.api import Body, CommandCall, Listing, Paging, Reads, WriteCommand, listing
from shared.web.problems import NotFound


class Voiding(Body):
    """Why a score counts no more; who says so is the token's name."""

    reason: Words


class Correction(Body):
    """What a score's answers should have been, all of them, and why they were otherwise."""

    answers: AnswerList
    difficulty: Difficulty = None
    words: Annotated[str | None, Field(min_length=1, max_length=4000)] = None
    reason: Words


def add(routes: APIRouter, access: Access) -> None:
    """Add the routes of scores."""

    @routes.get("/patients/{patient_id}/scores")
    async def list_scores(patient_id: UUID, principal: Reads, page: Paging) -> Listing[ScoreView]:
        """Return a patient's scores, newest first; those that were voided or corrected stay, and say so."""
        patient = await access.known(principal.clinic, patient_id)
        async with access.database.reading() as reader:
            found = await checkins.scores_of_patient(
                reader, access.deps.keyring, patient.id, limit=page.limit, after=page.after
            )
        return listing([ScoreView.of(one, access.deps.packs) for one in found], page, cursor=lambda view: str(view.id))

    @routes.get("/checkins/{checkin_id}/further-answers")
    async def list_further(checkin_id: UUID, principal: Reads) -> Listing[FurtherView]:
        """Return what was answered and counts as no score: too late, once more, or changed before all was sent."""
        async with access.database.reading() as reader:
            checkin = await own_checkin(reader, principal.clinic, checkin_id)
            kept = await uncounted_answers.of_checkin(reader, access.deps.keyring, checkin.id)
        return Listing(items=[FurtherView.of(one) for one in kept], next=None)

    @routes.post("/scores/{score}/void", response_model=ChangedView)
    async def void(score: UUID, body: Voiding, command: WriteCommand) -> Response:
        """Let a score count no more, and ask the patient again by a new link."""

        async def work(tx: Transaction) -> ChangedView:
            kept, checkin, patient = await _locked(tx, access, command, score)
            by = command.principal.name
            with as_problems():
                asked = await corrections.void(tx, access.deps, patient, checkin, kept, by=by, reason=body.reason)
            return await _changed(tx, access, asked)

        return await command.run(access.database, work)

    @routes.post("/scores/{score}/correct", response_model=ChangedView)
    async def correct(score: UUID, body: Correction, command: WriteCommand) -> Response:
        """Put other answers in place of those that a score was made of; both stay on record."""

        async def work(tx: Transaction) -> ChangedView:
            kept, checkin, patient = await _locked(tx, access, command, score)
            instrument = access.deps.packs.get(kept.score.instrument, kept.score.version)
            refuse_strangers(instrument, difficulty=body.difficulty, words=body.words)
            with as_problems():
                given = from_list(instrument, body.answers, optional_of(body.difficulty))
                changed = await corrections.correct(
                    tx,
                    access.deps,
                    patient,
                    checkin,
                    kept,
                    given=given,
                    words=body.words,
                    by=command.principal.name,
                    reason=body.reason,
                )
            return await _changed(tx, access, changed)

        return await command.run(access.database, work)


async def _own(reader: Reader, access: Access, clinic: ClinicId, score_id: UUID) -> tuple[KeptScore, Checkin]:
    kept = await checkins.score(reader, access.deps.keyring, score_id)
    checkin = None if kept is None else await checkins.get(reader, kept.checkin)
    if kept is None or checkin is None or checkin.clinic != clinic:
        raise NotFound("There is no such score in this clinic.")
    return kept, checkin


async def _locked(
    tx: Transaction, access: Access, command: CommandCall, score_id: UUID
) -> tuple[KeptScore, Checkin, Patient]:
    clinic = command.principal.clinic
    _, checkin = await _own(tx, access, clinic, score_id)
    patient = await access.lock(tx, clinic, checkin.patient)
    kept, checkin = await _own(tx, access, clinic, score_id)
    command.if_match(checkin.version)
    return kept, checkin, patient


async def _changed(reader: Reader, access: Access, checkin: Checkin) -> ChangedView:
    kept = await checkins.scores_of_checkin(reader, access.deps.keyring, checkin.id)
    return ChangedView(
        id=checkin.id,
        version=checkin.version,
        state=checkin.state,
        checkin=CheckinView.of(checkin),
        scores=tuple(ScoreView.of(one, access.deps.packs) for one in kept),
    )
