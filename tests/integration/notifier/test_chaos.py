"""What a provider can do to a text, kind by kind: each once with what protects from it, and once without.

Without its protection each of them must show: as a second text, as none, or as a message whose state is not true.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from services.notifier.commands import call_outcomes, changes, settling
from services.notifier.model import states
from services.notifier.model.call_outcomes import CallOutcome, Found, Later, Refused
from services.notifier.model.settling import Free, LookAgain, settle
from services.notifier.model.states import PROVIDER_STATUS, Standing, State
from services.notifier.ports import twilio
from services.notifier.service import build
from services.notifier.settler import Settler
from services.notifier.store import attempts
from services.sandbox.model.profiles import Fault, Mark
from shared.events import MessageDelivered
from shared.settings import NotifierSettings, Settings
from tests.integration.notifier.fake_provider import Sent
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import eventually, running

PHONE = "+15550101234"
LONG = timedelta(minutes=30)
Seen = tuple[int, str]
"""How many copies the provider took, and where the message stands in the end."""


async def reminded(harness: NotifierHarness, *words: str) -> None:
    """Let a reminder fall due at a provider that behaves as the words say."""
    harness.fake_provider.script.extend(words)
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))


async def seen(harness: NotifierHarness) -> Seen:
    return len(harness.fake_provider.to(PHONE)), (await harness.only()).state


async def after(harness: NotifierHarness, *words: str) -> Seen:
    """Return what became of a reminder half an hour after its first call."""
    async with running(harness.bench.service):
        await reminded(harness, *words)
        await harness.until(harness.clock.now() + LONG)
    return await seen(harness)


async def timeout_after_write(harness: NotifierHarness) -> Seen:
    async with running(harness.bench.service):
        await reminded(harness, "hold")
        await harness.in_state("unknown")
        harness.fake_provider.go_on.set()
        await harness.until(harness.clock.now() + LONG)
    return await seen(harness)


async def reset_before_write(harness: NotifierHarness) -> Seen:
    return await after(harness, "reset")


async def reset_after_write(harness: NotifierHarness) -> Seen:
    return await after(harness, "lose")


async def too_many(harness: NotifierHarness) -> Seen:
    """Return what was seen a second before the provider was to be asked again; a call before that is refused too."""
    async with running(harness.bench.service):
        await reminded(harness, "busy", "refuse 20429")
        await eventually(lambda: _told(harness, "later"))
        await harness.until(harness.clock.now() + timedelta(seconds=6))
    return harness.fake_provider.requests, (await harness.only()).state


async def _told(harness: NotifierHarness, word: str) -> bool:
    return word in " ".join(await harness.story((await harness.only()).id))


async def error_before_write(harness: NotifierHarness) -> Seen:
    return await after(harness, "broken")


async def error_after_write(harness: NotifierHarness) -> Seen:
    return await after(harness, "broken after")


async def slow_answer(harness: NotifierHarness) -> Seen:
    """Return what was seen of a call that was answered when hours had passed on the clock, and was never given up."""
    patient = NotifierSettings(provider_timeout=60, concurrency=8)
    service = build(replace(harness.bench.context, settings=Settings(notifier=patient)))
    rounds = _count_rounds(attempts)
    async with running(service):
        await reminded(harness, "slow")
        await harness.fake_provider.held.wait()
        for _ in range(6):
            await harness.clock.move_by(timedelta(minutes=10))
            await eventually(partial(_reached, rounds, rounds[0] + 2))
        harness.fake_provider.go_on.set()
        await harness.settled(service)
    return await seen(harness)


def _count_rounds(module: Any) -> list[int]:
    """Count the settler's rounds."""
    original, rounds = module.orphan_owners, [0]

    async def counted(reader: Any) -> Any:
        rounds[0] += 1
        return await original(reader)

    module.orphan_owners = counted
    return rounds


async def _reached(rounds: list[int], wanted: int) -> bool:
    return rounds[0] >= wanted


async def delivered(harness: NotifierHarness, *statuses: str) -> Seen:
    """Return how often a delivery was told to the other services, and where the message stands."""
    async with running(harness.bench.service):
        await reminded(harness)
        await harness.in_state("accepted")
        for status in statuses:
            await harness.fake_provider.report(harness.fake_provider.ledger[0], status)
    return len(await harness.bench.said(MessageDelivered)), (await harness.only()).state


async def callbacks_lost(harness: NotifierHarness) -> Seen:
    return await after(harness, "lose")


async def callbacks_twice(harness: NotifierHarness) -> Seen:
    return await delivered(harness, "delivered", "delivered", "delivered")


async def callbacks_reversed(harness: NotifierHarness) -> Seen:
    return await delivered(harness, "delivered", "sent")


async def callbacks_late(harness: NotifierHarness) -> Seen:
    """Return what was seen when the first report came after all looks had found nothing."""
    async with running(harness.bench.service):
        harness.fake_provider.hidden = True
        await reminded(harness, "lose", "busy")
        await harness.in_state("unknown")
        await _look_in_vain(harness)
        await harness.fake_provider.report(harness.fake_provider.ledger[0], "sent")
        await harness.until(harness.clock.now() + LONG)
    return await seen(harness)


async def _look_in_vain(harness: NotifierHarness) -> None:
    """Live until the settler believes that the provider has nothing, and the provider is busy."""
    while harness.fake_provider.requests < 2:
        async with harness.bench.database.reading() as reader:
            look = await harness.bench.service.next_due(reader)
        await harness.clock.move_to(max(look or harness.clock.now(), harness.clock.now()))
        await harness.settled()
    await harness.in_state("planned")


async def callbacks_forged(harness: NotifierHarness) -> Seen:
    async with running(harness.bench.service):
        await reminded(harness)
        await harness.in_state("accepted")
        sent: Sent = harness.fake_provider.ledger[0]
        await harness.fake_provider.post(
            sent.callback, {"MessageSid": sent.sid, "MessageStatus": "delivered"}, token="guess"
        )
    return await seen(harness)


async def list_that_lags(harness: NotifierHarness) -> Seen:
    """Return what was seen where the first look finds nothing and the second finds the text."""
    async with running(harness.bench.service):
        harness.fake_provider.hidden = True
        await reminded(harness, "lose")
        await harness.in_state("unknown")
        await harness.until(harness.clock.now() + timedelta(seconds=61))
        harness.fake_provider.hidden = False
        await harness.until(harness.clock.now() + LONG)
    return await seen(harness)


def nobody_looks(patch: pytest.MonkeyPatch) -> None:
    """Believe of every unknown call that the provider has nothing."""

    async def look(*_: Any) -> tuple[Found, ...]:
        return ()

    patch.setattr(Settler, "_look", look)


def never_free(patch: pytest.MonkeyPatch) -> None:
    """Look for ever."""

    def never(sight: Any, *, empty_looks: int, now: Any, patience: Any) -> Any:
        verdict = settle(sight, empty_looks=empty_looks, now=now, patience=patience)
        return LookAgain(now + LONG, empty_looks) if isinstance(verdict, Free) else verdict

    patch.setattr(settling, "settle", never)


def one_look(patch: pytest.MonkeyPatch) -> None:
    """Believe the first look that finds nothing."""

    def hasty(sight: Any, *, empty_looks: int, now: Any, patience: Any) -> Any:
        return settle(sight, empty_looks=empty_looks, now=now, patience=replace(patience, looks=1))

    patch.setattr(settling, "settle", hasty)


def no_settling(patch: pytest.MonkeyPatch) -> None:
    """Leave unknown what is unknown unless the provider reports."""

    async def nothing(*_: Any) -> list[Any]:
        return []

    async def never(_reader: Any) -> None:
        return None

    patch.setattr(attempts, "due_looks", nothing)
    patch.setattr(attempts, "next_look", never)

    async def idle(_reader: Any) -> bool:
        return False

    patch.setattr(attempts, "under_way", idle)


def _errors_are(outcome: CallOutcome) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(patch: pytest.MonkeyPatch) -> None:
        original = twilio._outcome

        def simple(status: int, retry_after: str, body: bytes) -> CallOutcome:
            return outcome if status >= 500 else original(status, retry_after, body)

        patch.setattr(twilio, "_outcome", simple)

    return plant


def no_pause(patch: pytest.MonkeyPatch) -> None:
    """Ask again at once, whatever the provider says."""
    patch.setattr(twilio, "_pause", lambda _: timedelta(0))


def all_thought_dead(patch: pytest.MonkeyPatch) -> None:
    """Take over attempts of senders that live."""

    async def dead(*_: Any) -> bool:
        return True

    patch.setattr(settling, "is_dead", dead)


def last_word_counts(patch: pytest.MonkeyPatch) -> None:
    """Believe each report as it comes."""

    def believe(standing: Standing, status: str, error: str | None) -> Standing:
        del standing
        return Standing(PROVIDER_STATUS[status], error)

    patch.setattr(call_outcomes, "report", believe)
    patch.setattr(changes, "move", lambda _before, after: after)


def every_report_is_news(patch: pytest.MonkeyPatch) -> None:
    """Say of each report what it says, known or not."""

    async def step(_tx: Any, row: Any, words: Any) -> changes.Change:
        return changes.Change(row, Standing(PROVIDER_STATUS[words[-1].status]), sid=words[-1].sid)

    def said(change: changes.Change) -> list[Any]:
        return [MessageDelivered] if change.after.state == State.DELIVERED else []

    patch.setattr("services.notifier.commands.reports.accepted", step)
    patch.setattr(changes.Change, "events", said)


def deaf_when_planned(patch: pytest.MonkeyPatch) -> None:
    """Ignore reports on what is planned again."""
    patch.setitem(states.NEXT, State.PLANNED, frozenset({State.SENDING, State.WITHHELD, State.EXPIRED}))


def any_signature(patch: pytest.MonkeyPatch) -> None:
    """Let in whoever knows the address."""
    patch.setattr(RequestValidator, "validate", lambda *_: True)


@dataclass(frozen=True)
class Kind:
    """Something that a provider does.

    Attributes:
        name: as the sandbox calls it.
        lived: lives it and returns what was seen.
        without: takes the protection out.
        kept, broken: what is seen with and without the protection.
    """

    name: str
    lived: Callable[[NotifierHarness], Awaitable[Seen]]
    without: Callable[[pytest.MonkeyPatch], None]
    kept: Seen
    broken: Seen

    def __str__(self) -> str:
        return self.name


LIST_LAGS = "list-lags"
KINDS = (
    Kind(Fault.TIMEOUT_AFTER, timeout_after_write, nobody_looks, (1, "accepted"), (2, "accepted")),
    Kind(Fault.RESET_BEFORE, reset_before_write, never_free, (1, "accepted"), (0, "unknown")),
    Kind(Fault.RESET_AFTER, reset_after_write, nobody_looks, (1, "accepted"), (2, "accepted")),
    Kind(Fault.TOO_MANY, too_many, no_pause, (1, "planned"), (3, "accepted")),
    Kind(Fault.ERROR_BEFORE, error_before_write, _errors_are(Refused("HTTP 503")), (1, "accepted"), (0, "failed")),
    Kind(
        Fault.ERROR_AFTER,
        error_after_write,
        _errors_are(Later(timedelta(seconds=5), "HTTP 502")),
        (1, "accepted"),
        (2, "accepted"),
    ),
    Kind(Fault.SLOW, slow_answer, all_thought_dead, (1, "accepted"), (2, "accepted")),
    Kind(Mark.LOST, callbacks_lost, no_settling, (1, "accepted"), (1, "unknown")),
    Kind(Mark.TWICE, callbacks_twice, every_report_is_news, (1, "delivered"), (3, "delivered")),
    Kind(Mark.REVERSED, callbacks_reversed, last_word_counts, (1, "delivered"), (1, "sent")),
    Kind(Mark.VERY_LATE, callbacks_late, deaf_when_planned, (1, "sent"), (2, "sending")),
    Kind(Mark.FORGED, callbacks_forged, any_signature, (1, "accepted"), (1, "delivered")),
    Kind(LIST_LAGS, list_that_lags, one_look, (1, "accepted"), (2, "accepted")),
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_a_text_goes_out_once_and_its_state_is_true(resting: NotifierHarness, kind: Kind) -> None:
    assert await kind.lived(resting) == kind.kept


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_without_its_protection_it_shows(
    resting: NotifierHarness, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.without(monkeypatch)
    assert await kind.lived(resting) == kind.broken


def test_every_kind_of_the_sandbox_is_here() -> None:
    # What a handset or a carrier does is no fault of a call; more states than usual are reports in a row.
    others = {Mark.UNREACHABLE, Mark.FAILED, Mark.LATE, Mark.EVERY_STATE}
    assert {*Fault, *Mark} - others == {kind.name for kind in KINDS} - {LIST_LAGS}
