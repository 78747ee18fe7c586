import asyncio

import pytest

from keepwell.host import health
from keepwell.host.listen import Server, listen
from keepwell.host.starting import StartingApp


async def test_the_health_check_says_why_a_process_cannot_work_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    starting = StartingApp()
    listening = listen("127.0.0.1", 0)
    monkeypatch.setenv("KEEPWELL_HTTP_PORT", str(listening.getsockname()[1]))
    server = Server(starting, listening)
    await server.start()
    try:
        assert await asyncio.to_thread(health.main) == 1
    finally:
        await server.stop()
    assert capsys.readouterr().out == "it is starting\n"


def test_the_health_check_fails_where_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = listen("127.0.0.1", 0)
    monkeypatch.setenv("KEEPWELL_HTTP_PORT", str(taken.getsockname()[1]))
    taken.close()
    assert health.main() == 1
    assert capsys.readouterr().out == "no answer: ConnectionRefusedError\n"
