"""Texts from people: kept once, acted on and answered in one transaction, one number's texts one after the other."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from services.notifier.commands import crisis, doubts, reply_events
from services.notifier.commands.reply_events import Heard, Text
from services.notifier.commands.stop_and_start import opt_in, opt_out, retract
from services.notifier.metrics import INBOUND as COUNTED
from services.notifier.model.addresses import canonical
from services.notifier.model.answering import ANSWER_EVERY, CLARIFY_WITHIN, Answer, Effect, Kind, effect_of
from services.notifier.model.arriving import start_holds, stop_holds
from services.notifier.model.inbound import Flag, Intent, meaning_of
from services.notifier.model.purposes import Channel, Purpose
from services.notifier.own_words import without_our_words
from services.notifier.planner import Planner
from services.notifier.store import conversation, people
from services.notifier.store import inbound as store
from services.notifier.store.message_filters import of_patients
from services.notifier.store.messages import PlannedMessage, look_again
from shared.clock import Clock
from shared.crisis import find as danger_in
from shared.database import Transaction
from shared.ids import ClinicId, PatientId

_SAME_TIME: Final = timedelta(hours=1)
"""How far back, by the service's clock, texts are looked for that came together with this one."""
_SOON: Final = frozenset({Answer.STOPPED, Answer.DOUBT})


async def receive(tx: Transaction, text: Text, planner: Planner, stamp: Clock) -> None:
    """Act on a text and answer it; one that came before changes nothing.

    Args:
        tx: the caller's.
        text: what came.
        planner: plans the answer.
        stamp: the machine's own clock, which tells when its turn came.
    """
    if (acted := await _act(tx, text, planner, stamp)) is None:
        return
    heard, effect = acted
    COUNTED.labels(effect.intent).inc()
    said = {"sid": text.sid, "number": heard.number, "words": heard.words}
    if not await crisis.answer(tx, planner, users=heard.users, **said):
        await _answer(tx, heard, effect, planner)


async def recover(tx: Transaction, text: Text, planner: Planner, stamp: Clock) -> None:
    """Act on a text that came before a restore and was forgotten with it, and answer nothing: it was answered then."""
    await _act(tx, text, planner, stamp)


async def _act(tx: Transaction, text: Text, planner: Planner, stamp: Clock) -> tuple[Heard, Effect] | None:
    """Keep a text, do what it asks for, tell the clinic; return whose it was and what it meant, None for a repeat."""
    fingerprint = people.print_of(planner.keyring, text.number)
    await people.lock_number(tx, fingerprint)
    text = replace(text, arrival=replace(text.arrival, turn=stamp.now() if text.arrival.stamp else None))
    await people.respell(tx, planner.keyring, text.number)
    users = await people.lock_patients_at(tx, fingerprint)
    clinic = await people.clinic(tx, ClinicId(users[0].clinic)) if users else None
    sender_name = clinic.sender_name if clinic is not None else ""
    meaning = meaning_of(
        text.body,
        verdict=text.verdict,
        media=text.media,
        without_ours=partial(without_our_words, sender=sender_name),
    )
    heard = Heard(text, fingerprint, canonical(text.number), meaning.words, users)
    words = planner.keyring.fingerprint(" ".join(text.body.split()).casefold(), context="words")
    if not await store.keep(
        tx,
        text.sid,
        text.arrival,
        meaning.intent,
        fingerprint=fingerprint,
        number=planner.keyring.seal(heard.number, context="contact"),
        body=planner.keyring.seal(text.body, context="reply"),
        words=words,
    ):
        return None
    sender = await conversation.sender_of(tx, fingerprint, users, words)
    effect = effect_of(meaning, sender)
    if danger_in(meaning.words) is not None:
        # The crisis text is the answer, and nothing is asked back; a stop blocks it, and whoever reads this must know.
        found = {Flag.CRISIS, Flag.UNANSWERED} if sender.stopped or effect.ends_texts else {Flag.CRISIS}
        effect = replace(effect, asks=None, flags=effect.flags - {Flag.ASKED, Flag.ASKED_WHICH} | found)
    effect = await _heed(tx, heard, effect, planner)
    told = await reply_events.tell(tx, heard, effect, planner.keyring)
    said = {str(each.session): each.placed for each in effect.sessions}
    await store.keep_meaning(tx, text.sid, Intent.STOP if effect.ends_texts else effect.intent, said, told)
    return heard, effect


async def _heed(tx: Transaction, heard: Heard, effect: Effect, planner: Planner) -> Effect:
    """Do what a number asks for about its texts; return the effect as it is after that."""
    fingerprint = heard.fingerprint
    if effect.settles and await conversation.settle(tx, fingerprint):
        await doubts.tell(tx, heard.users, is_open=False)
        await look_again(tx, of_patients(user.patient for user in heard.users))
    asks = effect.asks
    if asks is not None and await conversation.ask(tx, fingerprint, asks) and asks.kind is Kind.STOP:
        wrote = planner.keyring.seal(heard.text.body, context="reply")
        await doubts.tell(tx, heard.users, is_open=True, wrote=wrote)
    if effect.intent == Intent.WRONG_NUMBER:
        await retract(tx, fingerprint, heard.users, how="wrong number")
    since = heard.text.arrival.at - _SAME_TIME
    if effect.ends_texts:
        starts = await conversation.arrivals(tx, fingerprint, Intent.START, since, heard.text.sid)
        if stop_holds(heard.text.arrival, starts):
            await opt_out(tx, fingerprint, how="text")
        else:
            return replace(effect, answer=None, flags=effect.flags | {Flag.OVERTAKEN})
    elif effect.intent == Intent.START:
        stops = await conversation.arrivals(tx, fingerprint, Intent.STOP, since, heard.text.sid)
        if start_holds(heard.text.arrival, stops):
            await opt_in(tx, fingerprint, how="text")
        else:
            return replace(effect, answer=None, flags=effect.flags | {Flag.OVERTAKEN})
    return effect


async def _answer(tx: Transaction, heard: Heard, effect: Effect, planner: Planner) -> None:
    if effect.answer is None:
        return
    about = effect.sessions[0] if len(effect.sessions) == 1 else None
    to = next((user for user in heard.users if about is None or user.patient == about.patient), None)
    clinic = await people.only_clinic(tx) if to is None else ClinicId(to.clinic)
    # A number that is nobody's gets help where it is clear whose, and nothing else.
    if clinic is None:
        return
    sealed = planner.keyring.seal(heard.number, context="contact")
    await planner.plan(
        tx,
        PlannedMessage(
            clinic=clinic,
            patient=PatientId(to.patient) if to is not None else None,
            purpose=Purpose.REPLY,
            channel=Channel.SMS,
            occurrence=effect.answer,
            about=about.session if about else None,
            turn=heard.text.sid,
            due_at=tx.now,
            useful_until=heard.text.arrival.at + (CLARIFY_WITHIN if effect.answer in _SOON else ANSWER_EVERY),
            recipient=people.recipient_of(planner.keyring, sealed),
            not_before=tx.now,
            details={"others": [each.wall.isoformat(timespec="minutes") for each in effect.others]}
            if effect.others
            else None,
        ),
    )
