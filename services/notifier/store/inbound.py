"""Texts from patients: kept once, acted on and answered in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert

from services.notifier.desk import Desk
from services.notifier.metrics import INBOUND as COUNTED
from services.notifier.model.answering import (
    ANSWER_EVERY,
    CLARIFY_WITHIN,
    Answer,
    Effect,
    Reminded,
    Sender,
    effect_of,
)
from services.notifier.model.inbound import Intent, read
from services.notifier.model.purposes import Channel, Purpose
from services.notifier.store import people
from services.notifier.store.messages import Plan
from services.notifier.store.opting import opt_in, opt_out
from services.notifier.store.reading import reminded_sessions
from services.notifier.tables import INBOUND, MESSAGES
from shared.bus import publish
from shared.database import Transaction
from shared.events import ReplyReceived
from shared.ids import ClinicId, PatientId, derived_id


@dataclass(frozen=True)
class Text:
    """A text as the provider handed it over."""

    sid: str
    number: str
    body: str


async def receive(tx: Transaction, text: Text, desk: Desk) -> None:
    """Act on a text and answer it; one that came before changes nothing."""
    if (acted := await _act(tx, text, desk)) is None:
        return
    users, effect = acted
    COUNTED.labels(effect.intent).inc()
    await _answer(tx, text, users, effect, desk)


async def recover(tx: Transaction, text: Text, desk: Desk) -> None:
    """Act on a text that came before a restore and was forgotten with it, and answer nothing: it was answered then."""
    await _act(tx, text, desk)


async def _act(tx: Transaction, text: Text, desk: Desk) -> tuple[Sequence[Row[Any]], Effect] | None:
    """Keep a text, do what it asks for, tell the clinic; return whose it was and what it meant, None for a repeat."""
    fingerprint = people.print_of(desk.keyring, text.number)
    reading = read(text.body)
    if not await _keep(tx, text, fingerprint, reading.intent, desk):
        return None
    users = await people.lock_patients_at(tx, fingerprint)
    effect = effect_of(reading, await _sender(tx, fingerprint, users))
    await _heed(tx, fingerprint, effect)
    await _tell_clinic(tx, text, users, effect, desk)
    return users, effect


async def _keep(tx: Transaction, text: Text, fingerprint: str, intent: Intent, desk: Desk) -> bool:
    values = {
        "sid": text.sid,
        "fingerprint": fingerprint,
        "intent": intent,
        "body": desk.keyring.seal(text.body, context="reply"),
        "received_at": tx.now,
    }
    kept = await tx.execute(insert(INBOUND).values(values).on_conflict_do_nothing())
    return int(kept.rowcount) > 0


async def _heed(tx: Transaction, fingerprint: str, effect: Effect) -> None:
    """Stop or start texts, where a number asks for it."""
    if effect.intent == Intent.STOP:
        await opt_out(tx, fingerprint, how="text")
    elif effect.intent == Intent.START:
        await opt_in(tx, fingerprint, how="text")


async def _sender(tx: Transaction, fingerprint: str, users: Sequence[Row[Any]]) -> Sender:
    patients = list(dict.fromkeys(user.patient for user in users))
    rows = await reminded_sessions(tx, patients, tx.now)
    lately = select(func.count()).where(
        MESSAGES.c.to_fingerprint == fingerprint,
        MESSAGES.c.purpose == Purpose.REPLY,
        MESSAGES.c.occurrence == Answer.OTHER,
        MESSAGES.c.created_at > tx.now - ANSWER_EVERY,
    )
    return Sender(
        patients=patients,
        stopped=await people.stopped(tx, fingerprint),
        reminded=[Reminded(row.patient, row.session, row.version) for row in rows],
        answered_lately=bool(await tx.scalar(lately)),
    )


async def _tell_clinic(tx: Transaction, text: Text, users: Sequence[Row[Any]], effect: Effect, desk: Desk) -> None:
    told: set[UUID] = set()
    for user in users:
        confirms = effect.confirms
        if user.patient in told or (confirms is not None and confirms.patient != user.patient):
            continue
        told.add(user.patient)
        reply = derived_id("reply", text.sid, str(user.patient))
        event = ReplyReceived(
            clinic=user.clinic,
            patient=user.patient,
            version=1,
            reply=reply,
            intent=effect.intent.value if effect.intent != Intent.AGREE else "other",
            session=confirms.session if confirms else None,
            session_version=confirms.version if confirms else None,
            text=desk.keyring.seal(text.body, context="reply"),
            at=tx.now,
        )
        await publish(tx, event, event_id=reply)


async def _answer(tx: Transaction, text: Text, users: Sequence[Row[Any]], effect: Effect, desk: Desk) -> None:
    if effect.answer is None:
        return
    confirms = effect.confirms
    to = next((user for user in users if confirms is None or user.patient == confirms.patient), None)
    clinic = await people.only_clinic(tx) if to is None else ClinicId(to.clinic)
    # A number that is nobody's gets help where it is clear whose, and nothing else.
    if clinic is None or (to is None and effect.answer != Answer.HELP):
        return
    sealed = desk.keyring.seal(text.number, context="contact")
    await desk.plan(
        tx,
        Plan(
            clinic=clinic,
            patient=PatientId(to.patient) if to is not None else None,
            purpose=Purpose.REPLY,
            channel=Channel.SMS,
            occurrence=effect.answer,
            about=confirms.session if confirms else None,
            turn=text.sid,
            due_at=tx.now,
            useful_until=tx.now + (CLARIFY_WITHIN if effect.answer == Answer.STOPPED else ANSWER_EVERY),
            recipient=people.recipient_of(desk.keyring, sealed),
            not_before=tx.now,
        ),
    )
