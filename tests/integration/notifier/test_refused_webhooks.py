"""The provider signs with another token, or calls by another address: what is written meanwhile is not lost."""

from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from services.notifier.history import HISTORY
from services.notifier.listener import Listener
from services.notifier.planner import Planner
from services.notifier.ports.twilio import TwilioAccount, TwilioPort
from services.notifier.service import build
from services.notifier.store import webhook_health
from services.notifier.tables import STOPS
from services.notifier.wake_up import WakeUp
from services.notifier.webhooks import INBOUND_PATH
from shared.clock import SteppedClock
from shared.events import FindingChanged, ReplyReceived
from tests.integration.notifier.conftest import SETTINGS
from tests.integration.notifier.fake_provider import ACCOUNT, OUR_NUMBER, TOKEN, FakeProvider
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import KEYRING, bench_of, eventually, running
from tests.support.databases import Databases
from tests.support.figures import figure

PAT, ANA = "+12025550123", "+12025550124"
OTHER = "the token of tomorrow"


def written(harness: NotifierHarness, number: str, body: str) -> dict[str, str]:
    """Note a text in the provider's list; return the call that hands it over."""
    sid = f"SM{uuid4().hex}"
    listed: dict[str, Any] = {
        "sid": sid,
        "to": OUR_NUMBER,
        "from": number,
        "body": body,
        "status": "received",
        "error_code": None,
        "direction": "inbound",
        "date_sent": format_datetime(harness.clock.now()),
    }
    harness.fake_provider.inbound.insert(0, listed)
    return {"MessageSid": sid, "From": number, "To": OUR_NUMBER, "Body": body, "AccountSid": ACCOUNT, "NumMedia": "0"}


async def hand_over(harness: NotifierHarness, form: dict[str, str], token: str = TOKEN) -> int:
    return await harness.fake_provider.post(harness.bench.base_url + INBOUND_PATH, form, token=token)


async def stopped(harness: NotifierHarness) -> int:
    async with harness.bench.database.reading() as reader:
        return len(await reader.all(select(STOPS)))


async def notes(harness: NotifierHarness) -> list[str]:
    async with harness.bench.database.reading() as reader:
        said = await harness.bench.service.notes(reader)
    return [note for note in said if "texting provider" in note]


async def test_a_stop_that_was_refused_at_the_door_is_obeyed_before_anything_goes_out(resting: NotifierHarness) -> None:
    pat, ana = [await resting.enrol(contact_of("sms", number)) for number in (PAT, ANA)]
    visits = [await resting.book(patient, "2026-12-04T10:00") for patient in (pat, ana)]
    assert await hand_over(resting, written(resting, ANA, "hello")) == 200
    for number, body in ((ANA, "C"), (PAT, "STOP"), (ANA, "what time?")):
        await resting.clock.move_by(timedelta(minutes=10))
        assert await hand_over(resting, written(resting, number, body), OTHER) == 403
    assert await stopped(resting) == 0
    (note,) = await notes(resting)
    assert "3 calls of the texting provider were refused since 2026-12-01 17:10 UTC" in note
    assert "KEEPWELL_TWILIO_AUTH_TOKEN_OTHER" in note
    assert "KEEPWELL_PUBLIC_URL" in note
    for visit in visits:
        await resting.due(visit)
    async with running(resting.bench.service):
        await resting.settled()

        async def fetched() -> bool:
            return len(await resting.bench.said(ReplyReceived)) == 4

        await eventually(fetched)
        await resting.settled()
    assert await stopped(resting) == 1
    assert [reply.intent for reply in await resting.bench.said(ReplyReceived)][1] == "stop", "stops come first"
    reminded = [sent.to for sent in resting.fake_provider.ledger if "your visit is on" in sent.body]
    assert reminded == [ANA]


async def test_staff_and_operator_hear_of_it_and_hear_that_it_is_over(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PAT))

    async def told(count: int) -> bool:
        return len(await harness.bench.said(FindingChanged)) == count

    for _ in range(3):
        assert await hand_over(harness, written(harness, PAT, "hi"), OTHER) == 403
    await eventually(lambda: told(2))
    assert "were refused" in ((await harness.bench.said(FindingChanged))[-1].what or "")
    await harness.clock.move_by(timedelta(seconds=2))
    assert await hand_over(harness, written(harness, PAT, "hi")) == 200
    await eventually(lambda: told(3))
    assert (await harness.bench.said(FindingChanged))[-1].what is None
    assert await notes(harness) == []


async def test_a_strangers_forged_call_alarms_nobody(harness: NotifierHarness) -> None:
    for _ in range(5):
        form = written(harness, PAT, "STOP") | {"AccountSid": "AC" + "9" * 32}
        assert await hand_over(harness, form, OTHER) == 403
    async with harness.bench.http.post(harness.bench.base_url + INBOUND_PATH, data={"MessageSid": "SM1"}) as answer:
        assert answer.status == 403
    assert await notes(harness) == []
    assert await stopped(harness) == 0


async def test_one_refused_call_is_a_finding_after_two_minutes(resting: NotifierHarness) -> None:
    assert await hand_over(resting, written(resting, PAT, "hi"), OTHER) == 403
    assert await notes(resting) == []
    await resting.clock.move_by(timedelta(minutes=2))
    assert len(await notes(resting)) == 1


async def test_a_call_refused_now_and_then_is_not_forgotten_each_time_the_list_is_read(
    resting: NotifierHarness,
) -> None:
    await resting.enrol(contact_of("sms", PAT))
    machine = SteppedClock(resting.clock.now())
    account = TwilioAccount(resting.fake_provider.url, ACCOUNT, TOKEN, OUR_NUMBER, resting.bench.base_url)
    port = TwilioPort(lambda: resting.bench.http, account, timeout=2, same_clock=False)
    listener = Listener(resting.bench.database, port, Planner(KEYRING, WakeUp()), stamp=machine)
    for body in ("hi", "STOP"):
        assert await hand_over(resting, written(resting, PAT, body), OTHER) == 403
        for _ in range(3):
            for clock in (machine, resting.clock):
                await clock.move_by(timedelta(minutes=1))
            await listener.round()
    assert await stopped(resting) == 1, "the list is read meanwhile"
    async with resting.bench.database.reading() as reader:
        (said,) = await listener.alarms(reader)
    assert "2 calls of the texting provider were refused since 2026-12-01 17:00 UTC" in said
    assert figure("keepwell_webhooks_refused_seconds") >= timedelta(minutes=5).total_seconds()


async def test_two_tokens_hold_at_once(databases: Databases, clock: SteppedClock, phones: FakeProvider) -> None:
    database = await databases.fresh(HISTORY, clock)
    provider = phones.provider(twilio_auth_token_other=OTHER)
    async with bench_of(build, database, clock, provider=provider, settings=SETTINGS) as bench:
        harness = NotifierHarness(bench, phones)
        await harness.opens()
        await harness.enrol(contact_of("sms", PAT))
        for token in (TOKEN, OTHER):
            assert await hand_over(harness, written(harness, PAT, "hi"), token) == 200
        assert await hand_over(harness, written(harness, PAT, "hi"), "neither") == 403
    await database.close()


async def test_what_came_while_nobody_ran_is_fetched_at_the_start(resting: NotifierHarness) -> None:
    patient = await resting.enrol(contact_of("sms", PAT))
    assert await hand_over(resting, written(resting, PAT, "hello")) == 200
    await resting.clock.move_by(timedelta(hours=1))
    written(resting, PAT, "please stop texting me")
    await resting.due(await resting.book(patient))
    async with running(resting.bench.service):
        await resting.settled()

        async def withheld() -> bool:
            return any(row.reason == "opted_out" for row in await resting.messages())

        await eventually(withheld)
    assert not [sent for sent in resting.fake_provider.ledger if "your visit is on" in sent.body]


async def test_a_list_that_cannot_be_read_holds_reminders_up_for_a_while_and_is_said(resting: NotifierHarness) -> None:
    await resting.enrol(contact_of("sms", PAT))
    assert await hand_over(resting, written(resting, PAT, "hello")) == 200
    resting.fake_provider.away = True
    machine = SteppedClock(resting.clock.now())
    account = TwilioAccount(resting.fake_provider.url, ACCOUNT, TOKEN, OUR_NUMBER, resting.bench.base_url)
    port = TwilioPort(lambda: resting.bench.http, account, timeout=2, same_clock=False)
    listener = Listener(resting.bench.database, port, Planner(KEYRING, WakeUp()), stamp=machine)
    await listener.begin()
    for minutes in (0, 5, 6):
        await machine.move_by(timedelta(minutes=minutes))
        await listener.round()
        async with resting.bench.database.reading() as reader:
            row = await webhook_health.now_known(reader)
            assert row is not None
            assert (row.refused_since is None) == (minutes == 6)
            assert len(await listener.alarms(reader)) == (minutes == 6)
