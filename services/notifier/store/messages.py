"""Messages: written before anything is sent, once for each business key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text, update
from sqlalchemy.dialects.postgresql import dialect, insert

from services.notifier.model.message import Message
from services.notifier.model.purposes import Channel, Purpose
from services.notifier.model.send_rules import Reason
from services.notifier.model.states import State
from services.notifier.store.message_filters import MessageFilter
from services.notifier.tables import MESSAGES, NOTES
from shared.database import Transaction
from shared.ids import ClinicId, MessageId, PatientId, new_id
from shared.telemetry import trace


@dataclass(frozen=True)
class Recipient:
    """An address that belongs to no contact point: staff on call, or a number that wrote to us.

    Attributes:
        address: sealed for the context `contact`.
    """

    address: str
    fingerprint: str
    masked: str


@dataclass(frozen=True)
class PlannedMessage:
    """A message to be.

    Attributes:
        turn: tells apart what would else be the same occurrence, such as a session that was moved.
        recipient: None where the patient's contact point decides, as it is when the message goes out.
        trace: traceparent of what plans it, where that is not the task's own.
        not_before: nothing of it can have gone out before this instant, where that is known: what a restore asks for.
        details: what else a reply names, `{"others": [wall times of sessions]}`; never in `plan_all`.
    """

    clinic: ClinicId
    patient: PatientId | None
    purpose: Purpose
    channel: Channel
    occurrence: str
    about: UUID | None
    due_at: datetime
    turn: str = ""
    useful_until: datetime | None = None
    starts_at: datetime | None = None
    link: str | None = None
    recipient: Recipient | None = None
    trace: str | None = None
    not_before: datetime | None = None
    details: dict[str, Any] | None = None

    def lane(self) -> str:
        """Return whom it goes to: one message of a lane is under way at a time, in the order they were due."""
        if self.recipient is not None:
            return self.recipient.fingerprint
        return str(self.patient or self.clinic)


async def plan(tx: Transaction, message: PlannedMessage) -> MessageId | None:
    """Write a planned message; return None where its business key is taken, which means that it was planned before."""
    planned: MessageId | None = (await tx.execute(_PLAN.returning(MESSAGES.c.id), [_row(tx, message)])).scalar()
    return planned


async def plan_all(tx: Transaction, messages: Sequence[PlannedMessage]) -> None:
    """Write planned messages in one go; those whose business key is taken were planned before."""
    rows = [_row(tx, message) for message in messages]
    await tx.execute(_PLAN_ALL.bindparams(**{name: [row[name] for row in rows] for name in _COLUMNS}))


_PLAN: Final = insert(MESSAGES).on_conflict_do_nothing(constraint="messages_business_key")

_GIVEN: Final = tuple(field.name for field in fields(PlannedMessage) if field.name != "recipient")
_MADE: Final = (
    "id",
    "state",
    "version",
    "next_at",
    "lane",
    "address",
    "to_masked",
    "to_fingerprint",
    "created_at",
    "updated_at",
)
_COLUMNS: Final = (*_GIVEN, *_MADE)


def _array_of(name: str) -> str:
    kind = MESSAGES.c[name].type.compile(dialect=dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy's
    return f"CAST(:{name} AS {kind}[])"


_PLAN_ALL: Final = text(
    f"""
    INSERT INTO messages ({", ".join(_COLUMNS)})
    SELECT * FROM unnest({", ".join(map(_array_of, _COLUMNS))})
    ON CONFLICT ON CONSTRAINT messages_business_key DO NOTHING
    """  # noqa: S608 - names of our own columns
)
"""A parameter for each column and none for each row: one message to the server however many rows."""


def _row(tx: Transaction, message: PlannedMessage) -> dict[str, Any]:
    recipient = message.recipient
    return {
        **{name: getattr(message, name) for name in _GIVEN},
        "trace": message.trace or trace.current(),
        "id": new_id(),
        "state": State.PLANNED,
        "version": 1,
        "next_at": message.due_at,
        "lane": message.lane(),
        "address": recipient.address if recipient else None,
        "to_masked": recipient.masked if recipient else "",
        "to_fingerprint": recipient.fingerprint if recipient else None,
        "created_at": tx.now,
        "updated_at": tx.now,
    }


def message_of(row: Row[Any]) -> Message:
    """Return the message of a row that has all columns of `messages`."""
    return Message(
        id=row.id,
        clinic=row.clinic,
        patient=row.patient,
        purpose=row.purpose,
        channel=row.channel,
        occurrence=row.occurrence,
        about=row.about,
        turn=row.turn,
        state=State(row.state),
        version=row.version,
        due_at=row.due_at,
        next_at=row.next_at,
        useful_until=row.useful_until,
        starts_at=row.starts_at,
        not_before=row.not_before,
        link=row.link,
        to_masked=row.to_masked,
        to_fingerprint=row.to_fingerprint,
        reason=row.reason,
        error=row.error,
        sid=row.sid,
        created_at=row.created_at,
        updated_at=row.updated_at,
        trace=row.trace,
    )


_NAMES: Final = tuple(field.name for field in fields(Message) if field.name != "words")
_STATE: Final = _NAMES.index("state")
_OF_MESSAGE: Final = ", ".join(f"m.{name}" for name in _NAMES)


def _in_order(row: Row[Any]) -> Message:
    """Return the message of a row of `_OF_MESSAGE`, with the words where they follow.

    Each message that is sent is read so twice; to ask a row for one column after the other costs four times as much.
    """
    values = list(row)
    values[_STATE] = State(values[_STATE])
    return Message(*values)


_STEPS: Final = text(
    f"""
    UPDATE messages AS m
    SET state = c.state, error = c.error, reason = c.reason, version = m.version + c.steps, updated_at = :now,
        sid = coalesce(m.sid, c.sid), next_at = coalesce(c.next_at, m.next_at),
        sent_at = CASE WHEN c.state IN ('accepted', 'sent', 'delivered') THEN coalesce(m.sent_at, :now)
                       ELSE m.sent_at END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:errors AS text[]), CAST(:reasons AS text[]),
                CAST(:sids AS text[]), CAST(:nexts AS timestamptz[]), CAST(:steps AS int[]))
         AS c (id, state, error, reason, sid, next_at, steps)
    WHERE m.id = c.id
    RETURNING {_OF_MESSAGE},
              (SELECT a.words FROM attempts AS a WHERE a.message = m.id ORDER BY a.id DESC LIMIT 1) AS words
    """  # noqa: S608 - names of our own columns
)
"""Returned with each row: the words of its latest attempt, which its event carries."""


_LOCK: Final = text(
    f"SELECT {_OF_MESSAGE} FROM messages AS m WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE"  # noqa: S608 - the same
)


async def lock(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Message]:
    """Lock messages in the order of their ids and return them by id."""
    # One parameter however many ids: a statement with one for each is prepared anew for every batch.
    locked = map(_in_order, await tx.all(_LOCK.bindparams(ids=list(ids))))
    return {message.id: message for message in locked}


async def write_steps(
    tx: Transaction,
    ids: Sequence[UUID],
    *,
    states: Sequence[State],
    errors: Sequence[str | None],
    reasons: Sequence[str | None],
    sids: Sequence[str | None],
    nexts: Sequence[datetime | None],
    steps: Sequence[int],
) -> dict[UUID, Message]:
    """Write where messages stand now and return each as it then is, with the words of its latest attempt.

    Args:
        tx: in which they were locked.
        ids: of the messages; the other lists are as long and in the same order.
        states: their new ones.
        errors: that belong to those.
        reasons: why a message was withheld or expired.
        sids: the provider's ids; the first one of a message stays.
        nexts: when a planned message is looked at next; None leaves it as it is.
        steps: by how much their versions rise.
    """
    written = await tx.execute(
        _STEPS.bindparams(
            now=tx.now,
            ids=list(ids),
            states=list(map(str, states)),
            errors=list(errors),
            reasons=list(reasons),
            sids=list(sids),
            nexts=list(nexts),
            steps=list(steps),
        )
    )
    return {message.id: message for message in map(_in_order, written)}


async def close_pending(tx: Transaction, which: MessageFilter, reason: Reason) -> list[Message]:
    """Write that the messages which match and have not gone out are withheld, and return them."""
    closed_now: list[Message] = []
    # One statement for each state, so that each goes by its own index.
    for state in (State.PLANNED, State.HELD):
        closed = (
            update(MESSAGES)
            .where(MESSAGES.c.state == state, which)
            .values(state=State.WITHHELD, reason=reason, version=MESSAGES.c.version + 1, updated_at=tx.now)
        )
        closed_now += map(message_of, await tx.execute(closed.returning(*MESSAGES.c)))
    return closed_now


async def look_again(tx: Transaction, which: MessageFilter) -> None:
    """Have held messages judged anew: what they were held for may have changed."""
    held = (MESSAGES.c.state == State.PLANNED, MESSAGES.c.reason.is_not(None), which)
    await tx.execute(update(MESSAGES).where(*held).values(next_at=MESSAGES.c.due_at, updated_at=tx.now))


async def note(tx: Transaction, message: UUID, what: str, detail: str) -> None:
    """Add a line to a message's story."""
    await note_all(tx, [(message, what, detail)])


async def note_all(tx: Transaction, lines: Sequence[tuple[UUID, str, str]]) -> None:
    """Add lines to messages' stories, each with its message, what happened and the detail."""
    if lines:
        rows = [{"message": message, "at": tx.now, "what": what, "detail": detail} for message, what, detail in lines]
        await tx.execute(insert(NOTES), rows)
