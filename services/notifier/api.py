"""Messages over the interface for programs: what was sent, what became of it, and why."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy import Row

from services.notifier.store import reading
from services.notifier.store.reading import Line
from shared.database import Database
from shared.web.api import Listing, Paging, Reads, View, listing, versioned
from shared.web.problems import NotFound


class StoryLine(View):
    """One line of what happened to a message, and why."""

    at: datetime
    what: str
    detail: str


class MessageView(View):
    """A message; `due_at` is its new time where it is held, and `reason` says why it waits or did not go out."""

    id: UUID
    version: int
    patient: UUID | None
    purpose: str
    channel: str
    state: str
    occurrence: str
    about: UUID | None
    due_at: datetime
    to: str
    reason: str | None
    error: str | None
    story: list[StoryLine]


def api(database: Database) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/v1", tags=["messages"])

    @router.get("/patients/{patient}/messages")
    async def messages(patient: UUID, principal: Reads, page: Paging) -> Listing[MessageView]:
        """List a patient's messages, oldest first."""
        async with database.reading() as reader:
            if not await reading.patient_is_of(reader, patient, principal.clinic):
                raise NotFound("There is no such patient in this clinic.")
            rows = await reading.messages_of(reader, patient, page)
            told = await reading.stories(reader, rows)
        return listing([_view(row, told[row.id]) for row in rows], page, cursor=lambda view: str(view.id))

    @router.get("/messages/{message}", response_model=MessageView)
    async def message(message: UUID, principal: Reads) -> Response:
        """Return one message with its story: why it was or was not sent."""
        async with database.reading() as reader:
            row = await reading.message(reader, message, principal.clinic)
            if row is None:
                raise NotFound("There is no such message in this clinic.")
            told = await reading.stories(reader, [row])
        return versioned(_view(row, told[row.id]))

    return router


def _view(row: Row[Any], told: list[Line]) -> MessageView:
    return MessageView(
        id=row.id,
        version=row.version,
        patient=row.patient,
        purpose=row.purpose,
        channel=row.channel,
        state=row.state,
        occurrence=row.occurrence,
        about=row.about,
        due_at=row.next_at if row.state == "planned" else row.due_at,
        to=row.to_masked,
        reason=row.reason,
        error=row.error,
        story=[StoryLine(at=line.at, what=line.what, detail=line.detail) for line in told],
    )
