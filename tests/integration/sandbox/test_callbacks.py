"""Status callbacks over real HTTP, in stepped time."""

from datetime import timedelta
from pathlib import Path

import aiohttp

from services.sandbox.model.profiles import Mark, Profile
from services.sandbox.network import FaultOrder
from services.sandbox.service import SandboxService, build
from services.sandbox.settings import SandboxSettings
from shared.clock import SteppedClock
from tests.integration.sandbox.conftest import ACCOUNT, Listener
from tests.support.bench import served

TO, SENDER = "+12125550123", "+15005550006"


async def send(http: aiohttp.ClientSession, base: str, listener: Listener, body: str = "hello", to: str = TO) -> str:
    form = {"To": to, "From": SENDER, "Body": body, "StatusCallback": listener.status_url}
    async with http.post(f"{base}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data=form) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["sid"])


async def live(sandbox: SandboxService, clock: SteppedClock) -> None:
    """Step from instant to instant until nothing is left to come."""
    await sandbox.run_due()
    while (due := sandbox.next_due()) is not None:
        await clock.move_to(max(due, clock.now()))
        await sandbox.run_due()


async def test_callbacks_are_signed_and_come_in_order_on_a_calm_network(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener
) -> None:
    sid = await send(http, base, listener)
    await sandbox.run_due()

    assert [(told.params["MessageStatus"], told.genuine) for told in listener.told] == [
        ("sent", True),
        ("delivered", True),
    ]
    assert {told.params["MessageSid"] for told in listener.told} == {sid}
    assert listener.told[0].params["AccountSid"] == ACCOUNT
    assert listener.told[0].params["To"] == TO
    assert not sandbox.busy()
    assert sandbox.next_due() is None


async def test_the_started_sandbox_sends_by_itself_when_the_clock_moves(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener, clock: SteppedClock
) -> None:
    sandbox.tune(Profile.LIVELY, 1)
    await send(http, base, listener)
    assert sandbox.next_due() == clock.now() + timedelta(seconds=1)
    await clock.move_by(timedelta(days=1))
    assert sandbox.busy()
    while sandbox.busy():
        await clock.pause(0.01)
    assert set(listener.states()) >= {"sent", "delivered"}


async def test_the_network_can_tell_late_twice_and_in_reverse(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener, clock: SteppedClock
) -> None:
    sandbox.tune(Profile.LIVELY, 1)
    sandbox.order(FaultOrder(TO, None, frozenset({Mark.REVERSED, Mark.TWICE, Mark.LATE}), 1))
    await send(http, base, listener)
    began = clock.now()
    await live(sandbox, clock)

    assert listener.states()[0] == "delivered"
    assert listener.states().count("delivered") + listener.states().count("sent") >= 3
    assert clock.now() - began >= timedelta(minutes=10)


async def test_callbacks_can_be_lost_and_forged(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener, clock: SteppedClock
) -> None:
    sandbox.order(FaultOrder(TO, None, frozenset({Mark.LOST, Mark.FORGED}), 1))
    await send(http, base, listener)
    await live(sandbox, clock)

    forged = [told for told in listener.told if not told.genuine]
    assert [told.params["MessageStatus"] for told in forged] == ["failed"]
    assert len(listener.states()) < 2


async def test_an_unreachable_handset_is_told_with_its_error(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener
) -> None:
    sandbox.order(FaultOrder(TO, None, frozenset({Mark.UNREACHABLE}), 1))
    await send(http, base, listener)
    await sandbox.run_due()
    assert listener.told[-1].params["MessageStatus"] == "undelivered"
    assert listener.told[-1].params["ErrorCode"] in {"30003", "30005"}


async def test_a_callback_that_meets_a_server_error_is_posted_once_more(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener
) -> None:
    listener.statuses = [503, 200, 500, 500]
    await send(http, base, listener)
    await sandbox.run_due()

    assert listener.states() == ["sent", "sent", "delivered", "delivered"]
    assert [(sent.tries, sent.answer) for sent in sandbox.read().messages[0].callbacks] == [(2, 200), (2, 500)]


async def test_what_was_not_told_before_a_restart_is_told_after_it(
    settings: SandboxSettings, http: aiohttp.ClientSession, listener: Listener, clock: SteppedClock, tmp_path: Path
) -> None:
    first = build(settings, clock)
    first.tune(Profile.LIVELY, 1)
    await first.start()
    async with served(first.app) as base:
        sid = await send(http, base, listener)
    await first.stop()
    first.close()
    journal = tmp_path / "sandbox" / "ledger.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"kind":"callback","sid":"SM')

    second = build(settings, clock)
    assert listener.told == []
    await second.start()
    await live(second, clock)
    await second.stop()
    second.close()

    assert set(listener.states()) >= {"sent", "delivered"}
    assert [message.sid for message in second.read().messages] == [sid]
    third = build(settings, clock)
    third.close()
    assert third.counts()["callbacks"] == len(listener.told)
