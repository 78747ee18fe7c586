import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from keepwell.host.listen import Server, address, listen
from keepwell.host.starting import StartingApp


async def caller(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    seen = f"{request.client.host if request.client else ''} {request.url.scheme}"
    await PlainTextResponse(seen)(scope, receive, send)


async def test_a_process_says_what_it_waits_for_until_it_lets_callers_in() -> None:
    starting = StartingApp()
    listening = listen("127.0.0.1", 0)
    server = Server(starting, listening)
    await server.start()
    url = address(listening, host="127.0.0.1")
    try:
        async with aiohttp.ClientSession() as http:
            starting.wait_for("the schema of clinic is older than this version")
            async with http.get(f"{url}/readyz") as answer:
                assert answer.status == 503
                assert (await answer.json())["problems"] == ["the schema of clinic is older than this version"]
            async with http.get(f"{url}/healthz") as answer:
                assert answer.status == 200
            async with http.get(f"{url}/api/v1/patients") as answer:
                assert answer.status == 503
                assert "the schema of clinic" in (await answer.json(content_type=None))["detail"]
            async with http.get(f"{url}/c/some-token") as answer:
                page = await answer.text()
                assert (answer.status, answer.content_type) == (503, "text/html")
                assert "call your local emergency number" in page
                assert "llame al número de emergencias de su zona" in page
            starting.open(caller)
            async with http.get(f"{url}/readyz") as answer:
                assert await answer.text() == "127.0.0.1 http"
    finally:
        await server.stop()
        await server.stop()


async def seen_by(trusted: str | None) -> str:
    listening = listen("127.0.0.1", 0)
    server = Server(caller, listening, trusted_proxies=trusted)
    await server.start()
    try:
        headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
        url = address(listening, host="127.0.0.1")
        async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
            return await answer.text()
    finally:
        await server.stop()


async def test_who_calls_is_believed_of_a_proxy_that_was_named() -> None:
    assert await seen_by("127.0.0.0/8") == "203.0.113.9 https"


async def test_who_calls_is_not_believed_of_anybody_else() -> None:
    assert await seen_by(None) == "127.0.0.1 http"
    assert await seen_by("10.0.0.0/8,192.168.0.0/16") == "127.0.0.1 http"


async def test_a_process_answers_at_every_port_that_it_was_given_and_leaves_all_of_them() -> None:
    ports = [listen("127.0.0.1", 0) for _ in range(2)]
    urls = [address(port, host="127.0.0.1") for port in ports]
    server = Server(caller, *ports)
    await server.start()
    async with aiohttp.ClientSession() as http:
        for url in urls:
            async with http.get(url) as answer:
                assert answer.status == 200
        await server.stop()
        for url in urls:
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(url)
