from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from shared.telemetry.metrics import exposition
from shared.web.watching import AREAS, Area, Watching, area_of
from tests.support.figures import figure

PATIENT = "0190f3c0-0000-7000-8000-000000000002"


def count(area: str, status: str) -> float:
    return figure("keepwell_http_seconds_count", area=area, status=status)


async def ask(application: Callable[[Scope, Receive, Send], Awaitable[None]], path: str) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    await Watching(application)({"type": "http", "path": path, "method": "GET", "headers": []}, receive, send)
    return sent


async def fine(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def breaks(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ValueError("a bug")


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("/c/secret-token", Area.PATIENTS),
        ("/console/today", Area.STAFF),
        (f"/api/v1/patients/{PATIENT}", Area.PROGRAMS),
        ("/webhooks/twilio/status", Area.PROVIDER),
        ("/readyz", Area.OPERATION),
    ],
)
async def test_an_answer_is_counted_for_whoever_waited_for_it(path: str, area: Area) -> None:
    before = count(area, "2xx")
    sent = await ask(fine, path)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert count(area, "2xx") == before + 1


async def test_an_application_that_fails_without_an_answer_counts_as_an_error() -> None:
    before = count("programs", "5xx")
    with pytest.raises(ValueError, match="a bug"):
        await ask(breaks, "/api/v1/sessions")
    assert count("programs", "5xx") == before + 1


async def test_no_path_and_so_no_id_or_token_becomes_a_label() -> None:
    await ask(fine, f"/api/v1/patients/{PATIENT}")
    await ask(fine, "/c/secret-token")
    assert PATIENT.encode() not in exposition()
    assert b"secret-token" not in exposition()


def test_every_area_but_operation_has_its_paths() -> None:
    assert set(AREAS.values()) == set(Area) - {Area.OPERATION}
    assert area_of("/") == Area.OPERATION
