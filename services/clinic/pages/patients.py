"""The list of patients, and its search."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.clinic.model.clinic import Clinic
from services.clinic.model.patient import Patient
from services.clinic.model.reads import NOT_CLOSED, ProposalState, Score
from services.clinic.model.searching import Entry
from services.clinic.pages.console import Console
from services.clinic.pages.page_request import PageRequest, PageRoute
from services.clinic.store import patients, reads
from services.clinic.views.compose_list import patient_row
from services.clinic.views.patient import PatientRow, PatientsPage
from shared.database import Reader
from shared.ids import PatientId
from shared.instruments import MEASURE

_PAGE = 50
_FOUND = 100


def router(console: Console) -> APIRouter:
    """Return the routes. A search is a form that is posted: a name has no place in an address."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)

    @routes.get("/console/patients")
    async def listed(request: Request, page: Annotated[int, Query(ge=1, le=10_000)] = 1) -> Response:
        here = await console.authorize(request)
        await console.note(here, "patients.listed")
        async with console.database.reading() as reader:
            clinic = await console.clinic(reader, here.principal.clinic)
            skip = (page - 1) * _PAGE
            entries = await console.patient_commands.directory.entries(reader, clinic.id)
            following = page + 1 if len(entries) > skip + _PAGE else None
            return await _show(
                console, here, reader, clinic, entries[skip : skip + _PAGE], query="", following=following
            )

    @routes.post("/console/patients")
    async def search(request: Request) -> Response:
        here = await console.authorize(request)
        query = (await here.form()).get("q", "").strip()[:200]
        if not query:
            return await listed(request)
        await console.note(here, "patients.searched")
        async with console.database.reading() as reader:
            clinic = await console.clinic(reader, here.principal.clinic)
            found = await console.patient_commands.found(reader, clinic.id, query)
            return await _show(
                console, here, reader, clinic, found[:_FOUND], query=query, following=None, total=len(found)
            )

    return routes


async def _show(
    console: Console,
    here: PageRequest,
    reader: Reader,
    clinic: Clinic,
    entries: Sequence[Entry],
    *,
    query: str,
    following: int | None,
    total: int | None = None,
) -> Response:
    found = await patients.some(reader, clinic.id, [entry.id for entry in entries], console.keyring)
    rows = await _rows(console, reader, clinic, found)
    view = PatientsPage(query, rows, following, len(rows) if total is None else total)
    return await console.show(here, reader, clinic, view, template="patients")


async def _rows(console: Console, reader: Reader, clinic: Clinic, found: list[Patient]) -> tuple[PatientRow, ...]:
    ids = [patient.id for patient in found]
    plans = {patient: plan for patient, plan in (await reads.plans(reader, clinic.id, ids)).items() if plan.active}
    ahead = await reads.next_sessions(reader, clinic.id, ids, reader.now)
    upcoming = {patient: session.by_clock_of(clinic.zone) for patient, session in ahead.items()}
    alerts = await reads.with_alerts(reader, reads.Wanted(clinic.id, states=NOT_CLOSED))
    proposals = await reads.with_proposals(reader, reads.Wanted(clinic.id, states=[ProposalState.OPEN]))
    scores: dict[PatientId, list[Score]] = {}
    for score in await reads.scores(reader, reads.Wanted(clinic.id, ids), console.keyring):
        if score.instrument == MEASURE:
            scores.setdefault(score.patient, []).append(score)
    return tuple(
        patient_row(
            patient,
            plan=plans.get(patient.id),
            upcoming=upcoming.get(patient.id),
            scores=scores.get(patient.id, []),
            alerts=patient.id in alerts,
            proposals=patient.id in proposals,
            now=reader.now,
        )
        for patient in found
    )
