"""The contract as Twilio's own package sees it."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response as TwilioResponse
from twilio.rest import Client

from services.sandbox.service import SandboxService
from shared.clock import SteppedClock
from tests.integration.sandbox.conftest import ACCOUNT, TOKEN, Listener

TO, SENDER = "+12125550123", "+15005550006"


class OverOurSession(AsyncHttpClient):  # type: ignore[misc] # the package is not typed
    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__(logging.getLogger("twilio"), is_async=True)
        self._session = session

    async def request(self, method: str, url: str, **rest: Any) -> TwilioResponse:
        login, password = rest["auth"]
        headers = {**rest["headers"], "Authorization": aiohttp.encode_basic_auth(login, password)}
        async with self._session.request(
            method, url, params=rest.get("params"), data=rest.get("data"), headers=headers
        ) as response:
            return TwilioResponse(response.status, await response.text(), response.headers)


@pytest.fixture
async def client(base: str) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        client = Client(ACCOUNT, TOKEN, http_client=OverOurSession(session))
        client.api.base_url = base
        yield client


async def test_the_package_creates_a_message_and_reads_it_back(
    client: Client, clock: SteppedClock, sandbox: SandboxService
) -> None:
    made = await client.messages.create_async(to=TO, from_=SENDER, body="Visit on Friday. Reply C to confirm.")

    assert made.status == "queued"
    assert made.sid.startswith("SM")
    assert len(made.sid) == 34
    assert made.date_created == clock.now()
    assert made.date_sent is None
    assert made.num_segments == "1"
    assert made.error_code is None
    assert made.uri == f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{made.sid}.json"
    read = await client.messages(made.sid).fetch_async()
    assert (read.status, read.body, read.from_) == ("delivered", made.body, SENDER)
    assert list(sandbox.ledger.texts) == [made.sid]


async def test_the_package_lists_by_recipient_sender_and_time_over_several_pages(
    client: Client, clock: SteppedClock
) -> None:
    early = clock.now()
    for number in range(5):
        await client.messages.create_async(to=TO, from_=SENDER, body=f"text {number}")
        await clock.move_by(timedelta(days=1))
    await client.messages.create_async(to="+12125550124", from_=SENDER, body="somebody else's")

    mine = [message.body async for message in await client.messages.stream_async(to=TO, page_size=2)]
    late = await client.messages.list_async(to=TO, date_sent_after=early + timedelta(days=2))
    one_day = await client.messages.list_async(date_sent=early + timedelta(days=1), from_=SENDER)

    assert mine == ["text 4", "text 3", "text 2", "text 1", "text 0"]
    assert [message.body for message in late] == ["text 4", "text 3", "text 2"]
    assert [message.body for message in one_day] == ["text 1"]


@pytest.mark.parametrize(
    ("to", "sender", "body", "code"),
    [
        ("12125550123", SENDER, "hello", 21211),
        ("+15005550001", SENDER, "hello", 21211),
        ("+15005550009", SENDER, "hello", 21614),
        (TO, "clinic", "hello", 21212),
        (TO, SENDER, "x" * 1601, 21617),
    ],
)
async def test_what_the_provider_refuses_is_refused_with_its_code(
    client: Client, to: str, sender: str, body: str, code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(to=to, from_=sender, body=body)
    assert (refused.value.status, refused.value.code) == (400, code)


async def test_a_wrong_secret_is_refused(base: str) -> None:
    async with aiohttp.ClientSession() as session:
        client = Client(ACCOUNT, "wrong", http_client=OverOurSession(session))
        client.api.base_url = base
        with pytest.raises(TwilioRestException) as refused:
            await client.messages.create_async(to=TO, from_=SENDER, body="hello")
    assert (refused.value.status, refused.value.code) == (401, 20003)


async def test_after_stop_the_pair_is_closed_until_start(
    client: Client, sandbox: SandboxService, listener: Listener
) -> None:
    await client.messages.create_async(to=TO, from_=SENDER, body="hello")
    await sandbox.send_from(TO, " stop ")

    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(to=TO, from_=SENDER, body="still there?")
    other = await client.messages.create_async(to=TO, from_="+15005550007", body="another clinic")
    await sandbox.send_from(TO, "Start", to=SENDER)
    again = await client.messages.create_async(to=TO, from_=SENDER, body="welcome back")

    assert refused.value.code == 21610
    assert other.sid
    assert again.sid
    assert [told.params["OptOutType"] for told in listener.told] == ["STOP", "START"]


async def test_a_stop_to_a_messaging_service_covers_the_service(client: Client, sandbox: SandboxService) -> None:
    service = "MG" + "1" * 32
    made = await client.messages.create_async(to=TO, messaging_service_sid=service, body="hello")
    await sandbox.send_from(TO, "STOP")
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(to=TO, messaging_service_sid=service, body="hello")
    assert made.messaging_service_sid == service
    assert refused.value.code == 21610


async def test_a_callback_to_another_machine_is_refused(client: Client) -> None:
    with pytest.raises(TwilioRestException, match="only addresses of this machine") as refused:
        await client.messages.create_async(
            to=TO, from_=SENDER, body="hello", status_callback="https://example.org/status"
        )
    assert refused.value.code == 21609


async def test_an_unknown_message_and_a_date_that_is_none_are_refused(base: str, http: aiohttp.ClientSession) -> None:
    messages = f"{base}/2010-04-01/Accounts/{ACCOUNT}/Messages"
    async with http.get(f"{messages}/SM{'0' * 32}.json") as unknown:
        assert (unknown.status, (await unknown.json())["code"]) == (404, 20404)
    async with http.get(f"{messages}.json", params={"DateSent>": "soon"}) as flawed:
        assert flawed.status == 400
        assert "neither a day" in (await flawed.json())["message"]
    async with http.get(f"{messages}.json?DateSent>={datetime(2026, 12, 1, tzinfo=UTC).date()}") as fine:
        assert (await fine.json())["messages"] == []
