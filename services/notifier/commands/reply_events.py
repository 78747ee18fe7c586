"""What is told of a text that came in: once when it comes, and again where records were lost, word for word."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from uuid import UUID

from services.notifier.model.answering import Ahead, Effect
from services.notifier.model.arriving import Arrival
from services.notifier.model.inbound import Flag, Intent, meaning_of
from services.notifier.model.people import NumberUser
from services.notifier.own_words import without_our_words
from services.notifier.store import people
from services.notifier.store.inbound import KeptText
from shared.bus import publish
from shared.crisis import find as danger_in
from shared.database import Transaction
from shared.events import ReplyReceived, UnknownNumberTexted
from shared.ids import ClinicId, derived_id
from shared.protection import Keyring, mask

_KINDS: Final[dict[str, type[ReplyReceived | UnknownNumberTexted]]] = {
    kind.TYPE: kind for kind in (ReplyReceived, UnknownNumberTexted)
}


@dataclass(frozen=True)
class Text:
    """A text as the provider handed it over, or lists it.

    Attributes:
        verdict: what the provider says that it took it for.
        media: pictures and files that came with it.
    """

    sid: str
    number: str
    body: str
    arrival: Arrival
    verdict: Intent | None = None
    media: int = 0


@dataclass(frozen=True)
class Heard:
    """A text whose turn has come; `words` is what its sender wrote of it, without quotes and reactions."""

    text: Text
    fingerprint: str
    number: str
    words: str
    users: Sequence[NumberUser] = field(default_factory=list)


async def tell(tx: Transaction, heard: Heard, effect: Effect, keyring: Keyring) -> list[Any]:
    """Tell of a text; return what was told, as it is kept with the text to be told again."""
    if heard.users:
        events: list[ReplyReceived | UnknownNumberTexted] = [*_of_patients(heard, effect, keyring)]
    else:
        events = [_of_stranger(heard, effect, clinic, keyring) for clinic in await people.clinics(tx)]
    for event in events:
        await publish(tx, event, event_id=event.reply)
    return [{"type": event.TYPE, "body": event.model_dump(mode="json")} for event in events]


async def tell_again(tx: Transaction, kept: KeptText, keyring: Keyring) -> int:
    """Tell of a text what was told when it came, under the ids of then: whoever knows it does nothing once more.

    Nothing is answered: that was done when it came.

    Args:
        tx: in which the number is locked.
        kept: the text. Of one that an older version kept, what was told is worked out anew.
        keyring: opens it.

    Returns:
        how many were told.
    """
    if kept.told is None:
        return await _work_out(tx, kept, keyring)
    events = [_KINDS[one["type"]].model_validate(one["body"]) for one in kept.told]
    await people.lock_patients(tx, [event.patient for event in events if isinstance(event, ReplyReceived)])
    for event in events:
        await publish(tx, event, event_id=event.reply)
    return len(kept.told)


async def _work_out(tx: Transaction, kept: KeptText, keyring: Keyring) -> int:
    if kept.number is None:
        return 0
    number = keyring.open(kept.number, context="contact")
    body = keyring.open(kept.body, context="reply")
    users = await people.lock_patients_at(tx, kept.fingerprint)
    clinic = await people.clinic(tx, ClinicId(users[0].clinic)) if users else None
    sender = clinic.sender_name if clinic is not None else ""
    meaning = meaning_of(body, without_ours=partial(without_our_words, sender=sender))
    heard = Heard(
        Text(kept.sid, number, body, Arrival(kept.received_at)), kept.fingerprint, number, meaning.words, users
    )
    danger = {Flag.CRISIS} if danger_in(meaning.words) is not None else frozenset[Flag]()
    # Which session a yes was for is not known: staff see that it confirmed none.
    return len(await tell(tx, heard, Effect(Intent(kept.intent), flags=meaning.flags | danger), keyring))


def _of_patients(heard: Heard, effect: Effect, keyring: Keyring) -> list[ReplyReceived]:
    named = {each.patient for each in effect.sessions}
    told: dict[UUID, list[ReplyReceived]] = {}
    for user in heard.users:
        if user.patient in told or (named and user.patient not in named):
            continue
        mine = [each for each in effect.sessions if each.patient == user.patient]
        first = _reply(heard, effect, user, mine[0] if mine else None, keyring)
        # Each further session that it says yes or no to is a reply of its own.
        more = [_reply(heard, effect, user, each, keyring, str(each.session)) for each in mine[1:]]
        told[user.patient] = [first, *more]
    return [event for events in told.values() for event in events]


def _reply(
    heard: Heard, effect: Effect, user: NumberUser, session: Ahead | None, keyring: Keyring, *of: str
) -> ReplyReceived:
    return ReplyReceived(
        clinic=user.clinic,
        patient=user.patient,
        version=1,
        reply=derived_id("reply", heard.text.sid, str(user.patient), *of),
        intent=effect.intent.value,
        session=session.session if session else None,
        session_version=session.version if session else None,
        text=keyring.seal(heard.text.body, context="reply"),
        wrote=keyring.seal(heard.words, context="reply"),
        at=heard.text.arrival.at,
        flags=tuple(sorted(effect.flags)),
    )


def _of_stranger(heard: Heard, effect: Effect, clinic: ClinicId, keyring: Keyring) -> UnknownNumberTexted:
    """Return what a clinic is told of a text from a number that is no patient's; each clinic is."""
    return UnknownNumberTexted(
        clinic=clinic,
        version=1,
        reply=derived_id("reply", heard.text.sid, str(clinic)),
        intent=effect.intent.value,
        number=keyring.seal(heard.number, context="contact"),
        masked=mask(heard.number),
        text=keyring.seal(heard.text.body, context="reply"),
        wrote=keyring.seal(heard.words, context="reply"),
        at=heard.text.arrival.at,
        flags=tuple(sorted(effect.flags)),
    )
