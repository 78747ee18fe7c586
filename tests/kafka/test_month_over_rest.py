"""A patient's month over the interface for programs alone, with a stand-in of Twilio that is not the sandbox."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.scheduler.model.catalogue import newest
from tests.support.bench import eventually
from tests.support.checkins import answer
from tests.support.running import Keepwell, keepwell
from tests.support.tiny_twilio import TinyTwilio, link_in, post_signed, settings_for, text_in, tiny_twilio

ZONE = ZoneInfo("America/New_York")
PHONE = "+12025550143"
PROTOCOL = newest("iv-ketamine")


@pytest.fixture(scope="module")
async def network() -> AsyncIterator[TinyTwilio]:
    async with tiny_twilio() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
async def clinic(network: TinyTwilio, servers: Mapping[str, str]) -> AsyncIterator[Keepwell]:
    async with keepwell(settings_for(network) | dict(servers)) as running:
        yield running
        await network.settled()


def new_patient(phone: str = PHONE, language: str = "en") -> dict[str, Any]:
    consents = [
        {"purpose": purpose, "how": "paper form", "at": "2026-11-01T15:00:00Z"}
        for purpose in ("reminders", "checkins", "booking")
    ]
    return {
        "given_name": "Ana",
        "family_name": "Rivera",
        "birth_date": "1980-05-17",
        "zone": "America/New_York",
        "language": language,
        "contacts": [{"kind": "sms", "value": phone, "consents": consents}],
    }


async def at_wall(clinic: Keepwell, days: int, hour: int) -> datetime:
    """Return an instant at an hour of the patient's day, some days from now."""
    day = (await clinic.now()).astimezone(ZONE).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)


def reminders_ahead(now: datetime, start: datetime) -> list[int]:
    """Return the days before a session on which the protocol still reminds of it."""
    return [days for days in PROTOCOL.cadence.reminder_days if start - timedelta(days=days) > now]


def wall(instant: datetime) -> str:
    return instant.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")


async def book(clinic: Keepwell, patient: str, at: datetime) -> dict[str, Any]:
    body = {"patient": patient, "starts_at": wall(at), "minutes": 60}
    session: dict[str, Any] = await clinic.post("/sessions", body, status=201)
    return session


async def attend(clinic: Keepwell, patient: str, at: datetime) -> dict[str, Any]:
    session = await book(clinic, patient, at)
    await clinic.live_until(at + timedelta(hours=1))
    attended: dict[str, Any] = await clinic.post(f"/sessions/{session['id']}/attend")
    assert attended["state"] == "attended"
    return attended


async def answer_all(clinic: Keepwell, network: TinyTwilio, patient: str, items: tuple[int, ...]) -> int:
    """Answer every check-in that is open, through the links that were texted; return how many."""
    checkins = (await clinic.get(f"/patients/{patient}/checkins"))["items"]
    waiting = [checkin for checkin in checkins if checkin["state"] == "open"]
    links = [link_in(text) for text in network.to(PHONE) if "/c/" in text]
    for link in links[-len(waiting) :] if waiting else []:
        page = await answer(link, items)
        assert "<form" not in page
    return len(waiting)


async def test_a_patients_month_over_rest_alone(  # noqa: PLR0915 - a month has many steps
    clinic: Keepwell, network: TinyTwilio
) -> None:
    patient = (await clinic.post("/patients", new_patient(), status=201))["id"]
    today = (await clinic.now()).astimezone(ZONE).date()
    plan = await clinic.post(
        f"/patients/{patient}/plans", {"protocol": "iv-ketamine", "start_on": today.isoformat()}, status=201
    )
    assert (plan["phase"], plan["protocol_version"]) == ("induction", PROTOCOL.version)

    # A session five days ahead is reminded of on the protocol's days that are still to come; C confirms it.
    first = await at_wall(clinic, 5, 10)
    reminders = reminders_ahead(await clinic.now(), first)
    session = await book(clinic, patient, first)
    assert (session["state"], datetime.fromisoformat(session["starts_at_utc"])) == ("booked", first.astimezone(UTC))
    await clinic.live_until(first - timedelta(days=3, minutes=-1))
    await network.settled()
    said = network.to(PHONE)
    reminded = [days for days in reminders if days >= 3]
    assert reminded
    assert len(said) == 1 + len(reminded)
    assert len([text for text in said if "10:00 AM" in text]) == len(reminded)
    # The other is the baseline, before any session; it is answered as the questions after them are.
    (baseline,) = (await clinic.get(f"/patients/{patient}/checkins"))["items"]
    assert (baseline["instruments"], baseline["state"]) == (["phq-9"], "open")
    assert await answer_all(clinic, network, patient, (2, 2, 2, 2, 2, 2, 2, 2, 0)) == 1
    assert await text_in(clinic.base, PHONE, "C") == 200
    await clinic.live_until(await clinic.now())
    sessions = (await clinic.get(f"/patients/{patient}/sessions"))["items"]
    assert [one["state"] for one in sessions] == ["confirmed"]

    # Moved: nothing more is said of the old time, and the new one has reminders of its own.
    moved_to = first + timedelta(days=4, hours=3)
    status, moved = await clinic.call(
        "PATCH", f"/sessions/{session['id']}", {"starts_at": wall(moved_to)}, If_Match=f'"{sessions[0]["version"]}"'
    )
    assert status == 200, moved
    before, reminders = len(network.texts), reminders_ahead(await clinic.now(), moved_to)
    await clinic.live_until(moved_to - timedelta(hours=1))
    await network.settled()
    said = [text["Body"] for text in network.texts[before:] if "1:00 PM" in text["Body"]]
    assert [("moved to" in body, "is on" in body) for body in said] == [
        (True, False),
        *[(False, True)] * len(reminders),
    ]
    assert not [text for text in network.texts[before:] if "10:00 AM" in text["Body"]]

    # Attended: the induction goes on to its sixth session, with check-ins on the way.
    await clinic.live_until(moved_to + timedelta(hours=1))
    await clinic.post(f"/sessions/{session['id']}/attend")
    for _ in range(5):
        await attend(clinic, patient, await at_wall(clinic, 3, 10))
        await answer_all(clinic, network, patient, (1, 1, 1, 1, 0, 0, 0, 0, 0))
    plan = await clinic.get(f"/patients/{patient}/plan")
    assert (plan["phase"], plan["interval_days"]) == ("maintenance", 28)

    # The weekly questionnaires of the cycle are answered through the link in the text, scored, and become a proposal:
    # well at first, then twice as before the treatment.
    well, unwell = (1, 1, 1, 0, 0, 0, 0, 0, 0), (2, 2, 2, 2, 2, 1, 1, 0, 0)
    for days, items in ((1, well), (2, well), (6, well), (7, well), (7, unwell), (7, unwell)):
        await clinic.live_until(await at_wall(clinic, days, 11))
        await answer_all(clinic, network, patient, items)
    scores = (await clinic.get(f"/patients/{patient}/scores"))["items"]
    totals = [score["total"] for score in scores if score["instrument"] == "phq-9"]
    assert 12 in totals
    proposals = (await clinic.get(f"/patients/{patient}/proposals"))["items"]
    (proposal,) = [one for one in proposals if one["state"] == "open"]
    assert (proposal["direction"], proposal["from_days"], proposal["to_days"]) == ("shorten", 28, 21)
    assert {one["direction"] for one in proposals if one["state"] != "open"} == {"hold"}
    assert proposal["reasons"]
    assert proposal["rule"]
    # What the patient said of their days after sessions is seen to first: no interval is decided over it.
    scopes = ("--scope", "read", "--scope", "write", "--scope", "alerts:close")
    code, output, complaint = await clinic.command("token", "create", "--name", "clinician", *scopes, "--json")
    assert code == 0, complaint
    clinician = f"Bearer {json.loads(output)['token']}"
    for alert in (await clinic.get("/alerts?state=open&limit=500"))["items"]:
        done = {"disposition": "Called the patient: no pain since, urine test arranged, plan reviewed."}
        await clinic.post(f"/alerts/{alert['id']}/acknowledge")
        status, closed = await clinic.call("POST", f"/alerts/{alert['id']}/close", done, Authorization=clinician)
        assert status == 200, closed
    decided = await clinic.post(f"/proposals/{proposal['id']}/decision", {"decision": "approve"})
    assert decided["state"] == "approved"
    await clinic.live_until(await clinic.now())
    plan = await clinic.get(f"/patients/{patient}/plan")
    assert plan["interval_days"] == proposal["to_days"]

    # STOP is honoured at once, and for good.
    upcoming = await at_wall(clinic, 5, 10)
    await book(clinic, patient, upcoming)
    assert await text_in(clinic.base, PHONE, "STOP") == 200
    await network.settled()
    before = len(network.to(PHONE))
    await clinic.live_until(upcoming)
    await network.settled()
    assert len(network.to(PHONE)) == before
    messages = (await clinic.get(f"/patients/{patient}/messages?limit=500"))["items"]
    assert {message["state"] for message in messages} <= {"delivered", "withheld", "expired"}
    assert [message["reason"] for message in messages if message["state"] == "withheld"]
    # No link went out twice, no reminder more often than the protocol has days for it, and no text gives away what the
    # clinic treats.
    bodies = Counter(network.to(PHONE))
    assert all(times == 1 for body, times in bodies.items() if "/c/" in body)
    assert all(times <= len(PROTOCOL.cadence.reminder_days) for times in bodies.values())
    for body in network.to(PHONE):
        words = re.sub(r"http\S+", "", body).lower()  # a link's token is chance, and may spell anything
        assert not any(word in words for word in ("ketamine", "depress", "phq", "score", "dose"))


async def test_a_forged_webhook_is_refused(clinic: Keepwell) -> None:
    form = {"MessageSid": "SM1", "From": PHONE, "To": "+15005550006", "Body": "STOP"}
    status, _ = await post_signed(f"{clinic.base}/webhooks/twilio/inbound", form, token="another secret")
    assert status == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"contacts": [{"kind": "sms", "value": "12", "consents": []}]}, "/contacts/0/value"),
        ({"zone": "Mars/Olympus"}, "/zone"),
        ({"birth_date": "1980-13-45"}, "/birth_date"),
        ({"language": "tlh"}, "/language"),
        ({"shoe_size": 44}, "/shoe_size"),
    ],
)
async def test_bad_input_is_refused_with_its_place(clinic: Keepwell, change: dict[str, Any], pointer: str) -> None:
    status, problem = await clinic.call("POST", "/patients", new_patient("+12025550177") | change)
    assert status == 422
    assert pointer in [flaw["pointer"] for flaw in problem["errors"]], problem
    assert all(flaw["detail"] for flaw in problem["errors"])


async def test_a_used_or_altered_link_shows_nothing(clinic: Keepwell, network: TinyTwilio) -> None:
    link = link_in(next(text for text in network.to(PHONE) if "/c/" in text))
    for address in (link, link[:-3] + "abc", f"{clinic.base}/c/nonsense"):
        async with clinic.http.get(address) as page:
            text = await page.text()
            assert page.status in {404, 410}
            assert "Ana" not in text
            assert "<form" not in text


async def test_all_is_quiet_and_ready_after_the_month(clinic: Keepwell) -> None:
    async def quiet() -> bool:
        status = await clinic.get("/status")
        return bool(status["quiet"]) and status["dead_letters"] == 0 and not status["problems"]

    await eventually(quiet, seconds=30)
