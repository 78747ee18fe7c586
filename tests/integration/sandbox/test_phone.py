"""Handsets: texts from them over real HTTP, and the pages that a person reads."""

import re

import aiohttp

from services.sandbox.service import SandboxService
from tests.integration.sandbox.conftest import ACCOUNT, Listener

TO, SENDER = "+12125550123", "+15005550006"


async def text(http: aiohttp.ClientSession, base: str, body: str, to: str = TO) -> None:
    form = {"To": to, "From": SENDER, "Body": body}
    async with http.post(f"{base}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data=form) as answer:
        assert answer.status == 201


async def handset(http: aiohttp.ClientSession, base: str) -> str:
    async with http.get(f"{base}/sandbox/phone") as page:
        found = re.search(r'href="(/sandbox/phone/[0-9a-f]+)"', await page.text())
    assert found is not None
    return found[1]


async def test_a_text_from_a_handset_reaches_the_webhook_signed_and_its_answer_comes_back(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener
) -> None:
    listener.answer = "<Response><Message>Thank you, you are <b/>confirmed.</Message></Response>"
    await text(http, base, "Visit on Friday 10:00. Reply C to confirm. http://127.0.0.1/c/x")
    where = await handset(http, base)
    assert "2125550123" not in where

    async with http.post(f"{base}{where.replace('phone', 'phones')}/messages", data={"Body": " C "}) as page:
        shown = await page.text()

    [told] = listener.told
    assert told.genuine
    assert told.path == "inbound"
    assert {name: told.params[name] for name in ("From", "To", "Body", "NumMedia", "AccountSid")} == {
        "From": TO,
        "To": SENDER,
        "Body": "C",
        "NumMedia": "0",
        "AccountSid": ACCOUNT,
    }
    assert shown.index("Visit on Friday") < shown.index(">C<") < shown.index("Thank you, you are confirmed.")
    assert '<a href="http://127.0.0.1/c/x">' in shown
    assert sandbox.counts()["texts_answer"] == 1


async def test_an_answer_to_stop_does_not_reach_the_handset(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener
) -> None:
    listener.answer = "<Response><Message>You are off the list.</Message></Response>"
    await sandbox.send_from(TO, "STOP")
    async with http.get(f"{base}{await handset(http, base)}") as page:
        shown = await page.text()
    assert "successfully been unsubscribed" in shown
    assert "off the list" not in shown
    assert [refused.code for refused in sandbox.read().refused] == [21610]


async def test_a_webhook_that_is_away_is_said_on_the_phone(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession
) -> None:
    sandbox.point_to("http://127.0.0.1:9/webhooks/twilio/inbound")
    async with http.post(f"{base}/sandbox/inbound", data={"From": TO, "Body": "hello"}) as answer:
        assert answer.status == 201
        assert await answer.json() == {
            **(await answer.json()),
            "from": TO,
            "answer": None,
            "tries": 2,
        }
    async with http.get(f"{base}{await handset(http, base)}") as page:
        assert "Keepwell did not take it" in await page.text()


async def test_flawed_input_is_refused_with_its_place(base: str, http: aiohttp.ClientSession) -> None:
    async with http.post(f"{base}/sandbox/inbound", data={"From": "555", "Body": "hello"}) as answer:
        assert answer.status == 422
        assert (await answer.json())["errors"][0]["pointer"] == "/From"
    async with http.put(f"{base}/sandbox/profile", json={"profile": "stormy"}) as answer:
        assert answer.status == 422
    async with http.post(f"{base}/sandbox/phone", data={"number": "12"}) as page:
        assert page.status == 422
        assert "country code" in await page.text()
    async with http.get(f"{base}/sandbox/phone/0000") as page:
        assert page.status == 404


async def test_a_phone_can_be_taken_in_hand_before_any_text(base: str, http: aiohttp.ClientSession) -> None:
    async with http.post(f"{base}/sandbox/phone", data={"number": "+1 (212) 555-0123"}) as page:
        assert page.status == 200
        assert "+1 212-555-0123" in await page.text()
        assert "2125550123" not in str(page.url)


async def test_pages_allow_nothing_inline_and_no_form_from_another_site(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession
) -> None:
    await text(http, base, "hello")
    for path in ("/sandbox", "/sandbox/mail", "/sandbox/reset", await handset(http, base)):
        async with http.get(f"{base}{path}") as page:
            assert page.status == 200
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]
            assert not re.search(r"<script(?! src=)|<style| style=| on\w+=", await page.text())
    for path in ("/sandbox/static/sandbox.css", "/sandbox/static/sandbox.js", "/static/keepwell.css"):
        async with http.get(f"{base}{path}") as file:
            assert file.status == 200
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with http.post(f"{base}/sandbox/reset/confirmed", headers=headers) as refused:
        assert refused.status == 403
    assert len(sandbox.ledger.texts) == 1


async def test_emptying_asks_first_and_then_forgets_everything_but_the_profile(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession
) -> None:
    await text(http, base, "hello")
    sid = next(iter(sandbox.ledger.texts))
    await sandbox.send_from(TO, "STOP")
    async with http.put(f"{base}/sandbox/profile", json={"profile": "lively", "seed": 5}) as tuned:
        assert tuned.status == 200
    async with http.post(f"{base}/sandbox/reset/confirmed") as page:
        assert "No phone has had a text yet" in await page.text()
    async with http.get(f"{base}/sandbox/ledger") as answer:
        ledger = await answer.json()
    assert (ledger["profile"], ledger["seed"]) == ("lively", 5)
    assert ledger["messages"] == ledger["inbound"] == ledger["blocked"] == []
    await text(http, base, "hello")
    assert sid.startswith("SM")
