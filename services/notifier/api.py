"""Messages over the interface for programs: what was sent, what became of it, and why."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import StringConstraints

from services.notifier.commands import addresses, stop_and_start
from services.notifier.kept_words import open_words
from services.notifier.model.message import Message
from services.notifier.model.people import ContactPoint
from services.notifier.model.states import State
from services.notifier.store import people, queries
from services.notifier.store.addresses import contact as contact_in_use
from services.notifier.store.queries import Line, Said
from shared.bus import publish
from shared.database import Database, Reader, Transaction
from shared.events import MessagesRead
from shared.ids import ClinicId
from shared.protection import Keyring
from shared.web.api import Body, CommandCall, Listing, Paging, Reads, View, WriteCommand, listing, versioned
from shared.web.awaited import awaited
from shared.web.problems import Conflict, NotFound
from shared.web.tokens import Principal


class StoryLine(View):
    """One line of what happened to a message, and why."""

    at: datetime
    what: str
    detail: str


class WordsView(View):
    """What one attempt to send a message said; `state` tells what became of the attempt.

    `body` is null where the words were not kept, `subject` where it is no mail. A link's secret part is left out.
    """

    at: datetime
    state: str
    subject: str | None
    body: str | None


class MessageView(View):
    """A message; `due_at` is its new time where it is held, and `reason` says why it waits or did not go out.

    `words` is what it said, once for each attempt to send it, oldest first; empty where there was none.
    """

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
    words: list[WordsView]
    story: list[StoryLine]


class CheckedContact(View):
    """A contact point and whether messages arrive there, as far as is known."""

    id: UUID
    version: int
    patient: UUID
    kind: str
    works: bool


class DoubtEnded(View):
    """A contact point that is not in doubt any more; `were_held` is false where no text waited for an answer."""

    id: UUID
    version: int
    patient: UUID
    kind: str
    were_held: bool


class EndOfDoubt(Body):
    """How you know whether the number wants texts, although it has not answered: such as `Said so by phone today`."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=500)]


def api(database: Database, keyring: Keyring) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/api/v1", tags=["messages"])

    async def shown(tx: Transaction, found: Sequence[Message]) -> list[MessageView]:
        told, said = await queries.stories(tx, found), await queries.said(tx, found)
        return [_view(one, told[one.id], [_words(each, keyring) for each in said[one.id]]) for one in found]

    @router.get("/patients/{patient}/messages")
    async def messages(patient: UUID, principal: Reads, page: Paging) -> Listing[MessageView]:
        """List a patient's messages with their words, oldest first; who was shown them is kept."""
        await _known(database, patient, principal.clinic)
        async with database.transaction() as tx:
            views = await shown(tx, await queries.messages_of(tx, patient, page))
            await publish(tx, _read(tx, principal, patient=patient))
        return listing(views, page, cursor=lambda view: str(view.id))

    @router.get("/messages/{message}", response_model=MessageView)
    async def message(message: UUID, principal: Reads) -> Response:
        """Return one message with its words and its story: why it was or was not sent. Who was shown it is kept."""
        async with database.transaction() as tx:
            found = await queries.message(tx, message, principal.clinic)
            if found is None:
                raise NotFound("There is no such message in this clinic.")
            (view,) = await shown(tx, [found])
            await publish(tx, _read(tx, principal, patient=found.patient, message=found.id))
        return versioned(view)

    @router.post("/contacts/{contact}/bad", response_model=CheckedContact)
    async def bad(contact: UUID, command: WriteCommand) -> Response:
        """Say that nothing arrives at a contact point, as after a mail that bounced: nothing more goes there."""
        return await command.run(database, _check(contact, command, works=False))

    @router.post("/contacts/{contact}/works", response_model=CheckedContact)
    async def works(contact: UUID, command: WriteCommand) -> Response:
        """Say that a contact point works after all; what the provider says later still counts."""
        return await command.run(database, _check(contact, command, works=True))

    @router.post("/contacts/{contact}/wants-texts", response_model=DoubtEnded)
    async def wants_texts(contact: UUID, body: EndOfDoubt, command: WriteCommand) -> Response:
        """Say why texts go on to a number that was asked whether it wants them and has not answered.

        Who, when and why (sealed) are kept beside the number's own words. A number that said stop stays stopped: only
        a START from the number itself brings its texts back.
        """
        return await command.run(database, _end_doubt(contact, command, body, keyring, wanted=True))

    @router.post("/contacts/{contact}/wants-no-texts", response_model=DoubtEnded)
    async def wants_no_texts(contact: UUID, body: EndOfDoubt, command: WriteCommand) -> Response:
        """Say why no more texts go to a number that was asked whether it wants them and has not answered.

        It then counts as a number that said stop, for all who use it: only a START from the number itself brings its
        texts back. Where it has answered meanwhile, its own word holds, and this is refused.
        """
        return await command.run(database, _end_doubt(contact, command, body, keyring, wanted=False))

    return router


async def _known(database: Database, patient: UUID, clinic: ClinicId) -> None:
    """Return once a clinic has a patient, waiting a moment for one who was enrolled just now."""

    async def mine(reader: Reader) -> bool | None:
        return await queries.patient_is_of(reader, patient, clinic) or None

    if await awaited(database, mine) is None:
        raise NotFound("There is no such patient in this clinic.")


Work = Callable[[Transaction], Awaitable[CheckedContact]]


async def _own(tx: Transaction, contact_id: UUID, command: CommandCall) -> ContactPoint:
    found = await contact_in_use(tx, contact_id)
    if found is None or found.clinic != command.principal.clinic:
        raise NotFound("There is no such contact point in this clinic.")
    return found


def _end_doubt(
    contact_id: UUID, command: CommandCall, body: EndOfDoubt, keyring: Keyring, *, wanted: bool
) -> Callable[[Transaction], Awaitable[DoubtEnded]]:
    async def work(tx: Transaction) -> DoubtEnded:
        found, by = await _own(tx, contact_id, command), command.principal.name
        how = f"staff, {by}: {keyring.seal(body.reason, context='doubt-reason')}"
        held = await stop_and_start.end_doubt(tx, found.fingerprint, wanted=wanted, by=by, how=how)
        if not held and not wanted:
            raise Conflict("It is not in doubt any more whether this number wants texts. Read what it wrote since.")
        version = await people.consent_version(tx, found.patient)
        return DoubtEnded(id=found.contact, version=version, patient=found.patient, kind=found.kind, were_held=held)

    return work


def _check(contact_id: UUID, command: CommandCall, *, works: bool) -> Work:
    async def work(tx: Transaction) -> CheckedContact:
        found = await _own(tx, contact_id, command)
        if works:
            await addresses.mark_good(tx, found.fingerprint, by=command.principal.name)
        else:
            await addresses.mark_bad(tx, found.fingerprint, why="staff", by=command.principal.name)
        version = await people.consent_version(tx, found.patient)
        return CheckedContact(id=found.contact, version=version, patient=found.patient, kind=found.kind, works=works)

    return work


def _read(tx: Transaction, principal: Principal, *, patient: UUID | None, message: UUID | None = None) -> MessagesRead:
    return MessagesRead(
        clinic=principal.clinic,
        version=1,
        patient=patient,
        message=message,
        by=principal.name,
        staff=principal.staff,
        at=tx.now,
    )


def _words(said: Said, keyring: Keyring) -> WordsView:
    words = None if said.words is None else open_words(keyring, said.words)
    return WordsView(at=said.at, state=said.state, subject=words and (words.subject or None), body=words and words.body)


def _view(message: Message, told: list[Line], said: list[WordsView]) -> MessageView:
    return MessageView(
        id=message.id,
        version=message.version,
        patient=message.patient,
        purpose=message.purpose,
        channel=message.channel,
        state=message.state,
        occurrence=message.occurrence,
        about=message.about,
        due_at=message.next_at if message.state == State.PLANNED else message.due_at,
        to=message.to_masked,
        reason=message.reason,
        error=message.error,
        words=said,
        story=[StoryLine(at=line.at, what=line.what, detail=line.detail) for line in told],
    )
