"""From due messages to letters: judged, worded, written down as attempts; all before any call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Final

from sqlalchemy import Row

from services.notifier.calendar_entry import Visit, calendar_entry, method_of
from services.notifier.facts import draft_of, facts_of
from services.notifier.kept_words import seal_words, words_to_keep
from services.notifier.metrics import HELD
from services.notifier.model.explaining import WHY
from services.notifier.model.judging import Expire, Hold, Send, Verdict, Withhold, judge
from services.notifier.model.purposes import Channel, Occurrence, Purpose
from services.notifier.model.reckoning import AskPerson, AskProvider, detain
from services.notifier.model.states import Standing, State
from services.notifier.ports import CalendarPart, Letter
from services.notifier.store import claims, holds
from services.notifier.store.changes import Change, apply
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

    async def prepare(self, tx: Transaction, rows: Sequence[Row[Any]], owner: int) -> list[Ready]:
        """Judge claimed messages; write attempts for those that go out, and why for those that do not."""
        verdicts: list[tuple[Row[Any], Verdict]] = []
        going: list[tuple[Row[Any], Ready]] = []
        broken: list[Change] = []
        detained: list[holds.Detained] = []
        for row in rows:
            # One message that cannot be made must not keep its neighbours from going out.
            try:
                verdict = judge(draft_of(row), facts_of(row, tx.now, daily_limit=self._house.daily_limit), tx.now)
                if not isinstance(verdict, Send):
                    verdicts.append((row, verdict))
                elif (held := self._detained(row, tx.now)) is not None:
                    detained.append(held)
                else:
                    going.append((row, self._ready(row, tx.now)))
            except (SealedError, TextsError, ValueError, LookupError) as error:
                log.exception("message.unsendable", message=str(row.id))
                broken.append(Change(row, Standing(State.FAILED, UNSENDABLE)))
                await note(tx, row.id, "cannot be made", type(error).__name__)
        await apply(tx, broken)
        await self._close(tx, verdicts)
        await self._hold(tx, verdicts)
        await holds.detain(tx, detained)
        if going:
            await self._write_attempts(tx, going, owner)
        return [ready for _, ready in going]

    async def _write_attempts(self, tx: Transaction, going: Sequence[tuple[Row[Any], Ready]], owner: int) -> None:
        await claims.mark_sending(
            tx,
            [row.id for row, _ in going],
            [mask(ready.letter.to) for _, ready in going],
            [row.fingerprint for row, _ in going],
        )
        printed = body_print(self._keyring)
        attempts = [
            claims.Attempt(
                ready.letter.attempt,
                row.id,
                row.channel,
                row.address,
                printed(ready.letter.body),
                seal_words(self._keyring, ready.kept),
            )
            for row, ready in going
        ]
        await claims.write_attempts(tx, attempts, owner)

    async def _close(self, tx: Transaction, verdicts: Sequence[tuple[Row[Any], Verdict]]) -> None:
        changes = []
        for row, verdict in verdicts:
            match verdict:
                case Withhold(reason):
                    changes.append(Change(row, Standing(State.WITHHELD), reason=reason))
                case Expire(reason):
                    changes.append(Change(row, Standing(State.EXPIRED), reason=reason))
        await apply(tx, changes)

    async def _hold(self, tx: Transaction, verdicts: Sequence[tuple[Row[Any], Verdict]]) -> None:
        held = [(row, verdict) for row, verdict in verdicts if isinstance(verdict, Hold)]
        if not held:
            return
        ids = [row.id for row, _ in held]
        untils = [verdict.until for _, verdict in held]
        await claims.mark_held(tx, ids, untils, [str(verdict.reason) for _, verdict in held])
        await note_all(
            tx,
            [(row.id, "held", f"until {verdict.until.isoformat()}: {WHY[verdict.reason]}") for row, verdict in held],
        )
        for _, verdict in held:
            HELD.labels(verdict.reason).inc()

    def _ready(self, row: Row[Any], now: datetime) -> Ready:
        channel, purpose = Channel(row.channel), Purpose(row.purpose)
        content = self._content(row)
        wording = compose(purpose, channel, row.occurrence, content)
        with_calendar = channel == Channel.EMAIL and purpose == Purpose.REMINDER
        letter = Letter(
            message=row.id,
            attempt=new_id(),
            to=self._keyring.open(row.address, context="contact"),
            body=wording.body,
            subject=wording.subject,
            calendar=self._calendar(row, content, now) if with_calendar else None,
        )
        kept = words_to_keep(purpose, channel, row.occurrence, content, wording)
        return Ready(channel, letter, kept, row.purpose, row.trace)

    def _detained(self, row: Row[Any], now: datetime) -> holds.Detained | None:
        """Return how a message is held where a restore is open and it may have gone out before; else None."""
        if row.restore is None or row.cleared_at is not None:
            return None
        match detain(holds.candidate_of(row), holds.gap_of(row)):
            case AskProvider():
                look_at, why = max(now, row.restored_at + self._house.settle_after), None
            case AskPerson(reason):
                look_at, why = None, str(reason)
            case None:
                return None
        return holds.Detained(row, row.address, self._prints(row), look_at, why)

    def _prints(self, row: Row[Any]) -> list[str]:
        """Return fingerprints of the words that a message has, and of those that it could have had before."""
        channel, purpose, content = Channel(row.channel), Purpose(row.purpose), self._content(row)
        could = [replace(content, first=first, confirmed=said) for first, said in product((True, False), repeat=2)]
        printed = body_print(self._keyring)
        bodies = [compose(purpose, channel, row.occurrence, each).body for each in (content, *could)]
        return list(dict.fromkeys(map(printed, bodies)))

    def _content(self, row: Row[Any]) -> Content:
        language = STAFF_LANGUAGE if row.purpose == Purpose.PAGE else row.language or STAFF_LANGUAGE
        return Content(
            language=language,
            sender=row.sender_name or "",
            phone=row.phone or "",
            crisis=(row.crisis_es if language == "es" else row.crisis_en) or "",
            url=self._house.url,
            link=self._keyring.open(row.link, context="link") if row.link else "",
            starts_at=(start := _named_start(row)),
            elsewhere=_elsewhere(row, start),
            confirmed=row.session_state == "confirmed",
            first=row.first,
            others=tuple(map(parse_wall, (row.details or {}).get("others", ()))),
        )

    def _calendar(self, row: Row[Any], content: Content, now: datetime) -> CalendarPart:
        cancelled = row.occurrence == Occurrence.CANCELLED
        visit = Visit(
            session=row.about,
            version=row.session_version,
            starts_at=row.starts_at if cancelled else row.session_starts,
            minutes=row.session_minutes,
            summary=calendar_summary(content),
            organizer=self._house.mailbox,
            organizer_name=content.sender,
            attendee=self._keyring.open(row.address, context="contact"),
            cancelled=cancelled,
            said_at=now,
        )
        return CalendarPart(calendar_entry(visit), method_of(cancelled=cancelled))


def _named_start(row: Row[Any]) -> datetime | None:
    """Return the wall time that a message names: a session's, or of one that was cancelled the time that was told."""
    if row.occurrence == Occurrence.CANCELLED:
        return to_wall(row.starts_at, row.session_zone)
    return parse_wall(row.session_wall) if row.session_wall else None


def _elsewhere(row: Row[Any], start: datetime | None) -> str:
    """Return a session's zone where the patient's own clock shows another time; else nothing."""
    if start is None or not row.patient_zone or row.patient_zone == row.session_zone:
        return ""
    instant = row.starts_at if row.occurrence == Occurrence.CANCELLED else row.session_starts
    return "" if to_wall(instant, row.patient_zone) == start else str(row.session_zone)


def body_print(keyring: Keyring) -> Callable[[str], str]:
    """Return the fingerprint of texts: enough to know one again, not enough to read it."""
    return lambda body: keyring.fingerprint(body, context="body")
