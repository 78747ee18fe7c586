"""From due messages to letters: judged, worded, written down as attempts; all before any call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Final

from services.notifier.calendar_entry import Visit, calendar_entry, method_of
from services.notifier.commands import holds
from services.notifier.commands.changes import Change, apply
from services.notifier.kept_words import seal_words, words_to_keep
from services.notifier.metrics import HELD
from services.notifier.model.due import DueMessage
from services.notifier.model.explaining import WHY
from services.notifier.model.judging import Expire, Hold, Send, Verdict, Withhold, judge
from services.notifier.model.purposes import Channel, Occurrence, Purpose
from services.notifier.model.reckoning import AskPerson, AskProvider, detain
from services.notifier.model.states import Standing, State
from services.notifier.ports import CalendarPart, Letter
from services.notifier.store import attempts, claims
from services.notifier.store.holds import Detained
from services.notifier.store.messages import note, note_all
from services.notifier.wording import Content, Wording, calendar_summary, compose
from shared.database import Transaction
from shared.ids import new_id
from shared.languages import TextsError
from shared.protection import Keyring, SealedError, mask
from shared.telemetry.log import get_logger
from shared.walltime import parse_wall, to_wall

log = get_logger(__name__)

STAFF_LANGUAGE: Final = "en"
UNSENDABLE: Final = "unsendable"
"""Error of a message that could not be made: an address that cannot be opened, a clinic that is not known."""


@dataclass(frozen=True)
class Ready:
    """A letter whose attempt is on record once the transaction has committed.

    Attributes:
        kept: its words as staff may read them.
        trace: its message's traceparent.
    """

    channel: Channel
    letter: Letter
    kept: Wording
    purpose: str
    trace: str | None


@dataclass(frozen=True)
class House:
    """What a letter says of the house that sends it.

    Attributes:
        url: where staff sign in.
        mailbox: who organises a visit in a calendar.
        daily_limit: texts to one patient a day.
        settle_after: until what the provider took stands in its list.
    """

    url: str
    mailbox: str
    daily_limit: int
    settle_after: timedelta = timedelta(seconds=60)


class Dispatch:
    """Turns claimed rows into letters.

    Args:
        keyring: opens addresses and links.
        house: see there.
    """

    def __init__(self, keyring: Keyring, house: House) -> None:
        self._keyring = keyring
        self._house = house

    async def prepare(self, tx: Transaction, due: Sequence[DueMessage], owner: int) -> list[Ready]:
        """Judge claimed messages; write attempts for those that go out, and why for those that do not."""
        verdicts: list[tuple[DueMessage, Verdict]] = []
        going: list[tuple[DueMessage, Ready]] = []
        broken: list[Change] = []
        detained: list[Detained] = []
        for message in due:
            # One message that cannot be made must not keep its neighbours from going out.
            try:
                verdict = judge(message.draft(), message.facts(tx.now, daily_limit=self._house.daily_limit), tx.now)
                if not isinstance(verdict, Send):
                    verdicts.append((message, verdict))
                elif (held := self._detained(message, tx.now)) is not None:
                    detained.append(held)
                else:
                    going.append((message, self._ready(message, tx.now)))
            except (SealedError, TextsError, ValueError, LookupError) as error:
                log.exception("message.unsendable", message=str(message.id))
                broken.append(Change(message, Standing(State.FAILED, UNSENDABLE)))
                await note(tx, message.id, "cannot be made", type(error).__name__)
        await apply(tx, broken)
        await self._close(tx, verdicts)
        await self._hold(tx, verdicts)
        await holds.detain(tx, detained)
        if going:
            await self._write_attempts(tx, going, owner)
        return [ready for _, ready in going]

    async def _write_attempts(self, tx: Transaction, going: Sequence[tuple[DueMessage, Ready]], owner: int) -> None:
        await claims.mark_sending(
            tx,
            [message.id for message, _ in going],
            [mask(ready.letter.to) for _, ready in going],
            [message.destination().fingerprint for message, _ in going],
        )
        printed = body_print(self._keyring)
        calls = [
            attempts.Attempt(
                ready.letter.attempt,
                message.id,
                message.channel,
                message.destination().sealed,
                printed(ready.letter.body),
                seal_words(self._keyring, ready.kept),
            )
            for message, ready in going
        ]
        await attempts.write_attempts(tx, calls, owner)

    async def _close(self, tx: Transaction, verdicts: Sequence[tuple[DueMessage, Verdict]]) -> None:
        changes = []
        for message, verdict in verdicts:
            match verdict:
                case Withhold(reason):
                    changes.append(Change(message, Standing(State.WITHHELD), reason=reason))
                case Expire(reason):
                    changes.append(Change(message, Standing(State.EXPIRED), reason=reason))
        await apply(tx, changes)

    async def _hold(self, tx: Transaction, verdicts: Sequence[tuple[DueMessage, Verdict]]) -> None:
        held = [(message, verdict) for message, verdict in verdicts if isinstance(verdict, Hold)]
        if not held:
            return
        ids = [message.id for message, _ in held]
        untils = [verdict.until for _, verdict in held]
        await claims.mark_held(tx, ids, untils, [str(verdict.reason) for _, verdict in held])
        await note_all(
            tx,
            [
                (message.id, "held", f"until {verdict.until.isoformat()}: {WHY[verdict.reason]}")
                for message, verdict in held
            ],
        )
        for _, verdict in held:
            HELD.labels(verdict.reason).inc()

    def _ready(self, message: DueMessage, now: datetime) -> Ready:
        channel, purpose = Channel(message.channel), Purpose(message.purpose)
        content = self._content(message)
        wording = compose(purpose, channel, message.occurrence, content)
        with_calendar = channel == Channel.EMAIL and purpose == Purpose.REMINDER
        letter = Letter(
            message=message.id,
            attempt=new_id(),
            to=self._keyring.open(message.destination().sealed, context="contact"),
            body=wording.body,
            subject=wording.subject,
            calendar=self._calendar(message, content, now) if with_calendar else None,
        )
        kept = words_to_keep(purpose, channel, message.occurrence, content, wording)
        return Ready(channel, letter, kept, message.purpose, message.trace)

    def _detained(self, message: DueMessage, now: datetime) -> Detained | None:
        """Return how a message is held where a restore is open and it may have gone out before; else None."""
        restore = message.restore
        if restore is None or restore.cleared:
            return None
        look_at: datetime | None = None
        why: str | None = None
        match detain(message.candidate(), restore.gap):
            case AskProvider():
                look_at = max(now, restore.gap.until + self._house.settle_after)
            case AskPerson(reason):
                why = str(reason)
            case None:
                return None
        address = message.destination().sealed
        return Detained(message, restore.id, address, self._prints(message), look_at, why)

    def _prints(self, message: DueMessage) -> list[str]:
        """Return fingerprints of the words that a message has, and of those that it could have had before."""
        channel, purpose, content = Channel(message.channel), Purpose(message.purpose), self._content(message)
        could = [replace(content, first=first, confirmed=said) for first, said in product((True, False), repeat=2)]
        printed = body_print(self._keyring)
        bodies = [compose(purpose, channel, message.occurrence, each).body for each in (content, *could)]
        return list(dict.fromkeys(map(printed, bodies)))

    def _content(self, message: DueMessage) -> Content:
        language = STAFF_LANGUAGE if message.purpose == Purpose.PAGE else message.language or STAFF_LANGUAGE
        clinic, session = message.clinic_now, message.session
        crisis = "" if clinic is None else clinic.crisis_es if language == "es" else clinic.crisis_en
        return Content(
            language=language,
            sender=clinic.sender_name if clinic is not None else "",
            phone=clinic.phone if clinic is not None else "",
            crisis=crisis,
            url=self._house.url,
            link=self._keyring.open(message.link, context="link") if message.link else "",
            starts_at=(start := _named_start(message)),
            elsewhere=_elsewhere(message, start),
            confirmed=session is not None and session.state == "confirmed",
            first=message.first,
            others=tuple(map(parse_wall, message.others)),
        )

    def _calendar(self, message: DueMessage, content: Content, now: datetime) -> CalendarPart:
        cancelled = message.occurrence == Occurrence.CANCELLED
        session = message.named_session()
        visit = Visit(
            session=session.id,
            version=session.version,
            starts_at=(message.starts_at if cancelled else None) or session.starts_at,
            minutes=session.minutes,
            summary=calendar_summary(content),
            organizer=self._house.mailbox,
            organizer_name=content.sender,
            attendee=self._keyring.open(message.destination().sealed, context="contact"),
            cancelled=cancelled,
            said_at=now,
        )
        return CalendarPart(calendar_entry(visit), method_of(cancelled=cancelled))


def _named_start(message: DueMessage) -> datetime | None:
    """Return the wall time that a message names: a session's, or of one that was cancelled the time that was told."""
    session = message.session
    if session is None:
        return None
    if message.occurrence == Occurrence.CANCELLED and message.starts_at is not None:
        return to_wall(message.starts_at, session.zone)
    return parse_wall(session.wall)


def _elsewhere(message: DueMessage, start: datetime | None) -> str:
    """Return a session's zone where the patient's own clock shows another time; else nothing."""
    session, zone = message.session, message.zone
    if start is None or session is None or not zone or zone == session.zone:
        return ""
    instant = message.starts_at if message.occurrence == Occurrence.CANCELLED else session.starts_at
    return "" if instant is None or to_wall(instant, zone) == start else session.zone


def body_print(keyring: Keyring) -> Callable[[str], str]:
    """Return the fingerprint of texts: enough to know one again, not enough to read it."""
    return lambda body: keyring.fingerprint(body, context="body")
