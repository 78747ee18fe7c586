"""What people write is found nowhere in clear: a mark in every field, then a search of all that could be stolen."""

import json
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.walltime import wall_text
from tests.kafka.unsealed import CONTEXTS
from tests.support.clinic import ZONE, clinic
from tests.support.marks import WORDS, Planter, everywhere, fields_of

NO_WORDS = {
    "zone": "a name of a list",
    "instrument": "a name of a list",
    "instruments/*": "a name of a list",
    "protocol": "a name of a list",
    "starts_at": "a wall time",
    "quiet_from": "an hour",
    "quiet_until": "an hour",
}
"""Fields that take no free words, by the end of their path."""
ABOUT_NO_PATIENT = {
    ("PATCH /api/v1/clinic", "/name"): "stands on the clinic's door",
    ("PATCH /api/v1/clinic", "/sender_name"): "stands in every text",
    ("PATCH /api/v1/clinic", "/phone"): "stands on every page that patients see",
    ("PATCH /api/v1/clinic", "/hours_reason"): "of the clinic's hours",
    ("PATCH /api/v1/clinic", "/crisis/en"): "is sent to everybody in a crisis",
    ("PATCH /api/v1/clinic", "/crisis/es"): "is sent to everybody in a crisis",
    ("POST /api/v1/rules/{rule_id}/sign", "/note"): "is about a rule",
    ("POST /api/v1/checkins/{checkin_id}/answers", "/entered_by"): "a name of a member of staff",
}
"""Fields that lie in clear, and why they may."""
WORST = [1, 2, 3, 2, 1, 2, 3, 1, 3]
AT_EASE = [0] * 10
SAID = "~" + WORDS


@pytest.fixture
def folder() -> Iterator[Path]:
    """A clinic's data, right below /tmp: PostgreSQL runs as another account there."""
    with tempfile.TemporaryDirectory(prefix="kwm", dir="/tmp", ignore_cleanup_errors=True) as place:
        yield Path(place)


def consent(purpose: str) -> dict[str, str]:
    return {"purpose": purpose, "how": SAID, "at": "2026-11-01T15:00:00Z"}


def a_person(plant: Planter, number: str, birth_date: str, *, route: str = "POST /api/v1/patients") -> dict[str, Any]:
    phone = plant.mark((route, "/contacts/*/value"), number)
    consents = [consent(purpose) for purpose in ("reminders", "checkins", "booking")]
    return {
        "given_name": "~",
        "family_name": "~",
        "birth_date": plant.mark((route, "/birth_date"), birth_date),
        "zone": ZONE.key,
        "language": "en",
        "external_id": "~",
        "contacts": [{"kind": "sms", "value": f"+{phone}", "consents": consents}],
    }


async def session(plant: Planter, patient: str, **span: float) -> str:
    at = (await plant.here.now() + timedelta(**span)).astimezone(ZONE)
    body = {"patient": patient, "starts_at": wall_text(at.replace(tzinfo=None)), "minutes": 30, "odd_hour": True}
    if sum(span.values()) < 0:
        body["entered_afterwards"] = True
    return str((await plant.send("POST", "/sessions", body))["id"])


async def sessions(plant: Planter, patient: str) -> None:
    """Plan, book, end and correct, with a reason wherever one is asked for."""
    here = plant.here
    today = (await here.at(0, 12)).date().isoformat()
    await plant.send(
        "POST", "/patients/{patient}/plans", {"protocol": "iv-ketamine", "start_on": today}, patient=patient
    )
    ended = {"reason": SAID, "note": SAID}
    for how, span in (("cancel", {"days": 3}), ("miss", {"hours": -2}), ("attend", {"hours": -1})):
        one = await session(plant, patient, **span)
        await plant.send("POST", f"/sessions/{{session}}/{how}", ended, session=one)
    await plant.send("POST", "/sessions/{session}/correct", {"state": "missed", "reason": SAID}, session=one)
    await here.settle()


async def answers(plant: Planter, patient: str, number: str) -> None:
    """Ask, answer, correct, void; close what was raised, decide what was proposed, and take that back."""
    here = plant.here
    plant.mark(("POST /api/v1/checkins/{checkin_id}/answers", "/answers"), ", ".join(map(str, WORST)))
    opened = await plant.send("POST", "/checkins", {"patient": patient, "instruments": ["phq-9"]})
    body = {"instrument": "phq-9", "answers": WORST, "entered_by": "~"}
    await plant.send("POST", "/checkins/{checkin_id}/answers", body, checkin_id=opened["id"])
    after = await plant.send("POST", "/checkins", {"patient": patient, "instruments": ["post-session"]})
    yes = {"instrument": "post-session", "answers": [1, *AT_EASE], "entered_by": "~", "words": SAID}
    await plant.send("POST", "/checkins/{checkin_id}/answers", yes, checkin_id=after["id"])
    await here.settle()
    scores = (await here.keepwell.get(f"/patients/{patient}/scores"))["items"]
    by = {one["instrument"]: one["id"] for one in scores}
    fixed = {"answers": [2, *AT_EASE], "words": SAID, "reason": SAID}
    await plant.send("POST", "/scores/{score}/correct", fixed, score=by["post-session"])
    await here.text(f"+{number}", plant.mark(("text", "body")) + " i took all of my pills")
    await here.settle()
    for alert in (await here.keepwell.get("/alerts?limit=500"))["items"]:
        if alert["state"] != "closed":
            await plant.send("POST", "/alerts/{alert_id}/close", {"disposition": SAID}, alert_id=alert["id"])
    await here.settle()
    await plant.send("POST", "/scores/{score}/void", {"reason": SAID}, score=by["phq-9"])
    await here.settle()


async def decision(plant: Planter, patient: str) -> None:
    here = plant.here
    opened = await plant.send("POST", "/checkins", {"patient": patient, "instruments": ["phq-9"]})
    body = {"instrument": "phq-9", "answers": [1, 1, 1, 0, 1, 0, 0, 1, 0], "entered_by": "~"}
    await plant.send("POST", "/checkins/{checkin_id}/answers", body, checkin_id=opened["id"])
    await here.settle()
    newest = (await here.keepwell.get(f"/patients/{patient}/proposals"))["items"][0]
    decided = {"decision": "change", "interval_days": 14, "reason": SAID, "override_reason": SAID}
    await plant.send("POST", "/proposals/{proposal_id}/decision", decided, proposal_id=newest["id"])
    await here.settle()
    await plant.send("POST", "/proposals/{proposal_id}/take-back", {"reason": SAID}, proposal_id=newest["id"])
    await here.settle()


async def doubt(plant: Planter, patient: str, number: str) -> None:
    """Let a number be asked back whether it wants texts, and settle that both ways."""
    here = plant.here
    contact = (await here.keepwell.get(f"/patients/{patient}"))["contacts"][0]["id"]
    for word in ("wants-texts", "wants-no-texts"):
        await here.text(f"+{number}", f"Can you end text at 9pm? I work nights, {plant.mark(('text', 'body'))}")
        await here.settle()
        await plant.send("POST", f"/contacts/{{contact}}/{word}", {"reason": SAID}, contact=contact)


async def comings_and_goings(plant: Planter, patient: str, other: str) -> None:
    here = plant.here
    changed = a_person(plant, "12025557392", "1973-02-11", route="PATCH /api/v1/patients/{patient}")
    await plant.send("PATCH", "/patients/{patient}", changed, patient=patient)
    await plant.send("POST", "/patients/{patient}/discharge", {"reason": SAID}, patient=patient)
    await here.settle()
    await plant.send("POST", "/patients/{patient}/reinstate", {"reason": SAID}, patient=patient)
    await here.settle()
    await plant.send("POST", "/patients/{patient}/plan/continue", {"reason": SAID}, patient=patient)
    await plant.send("POST", "/patients/{patient}/join", {"other": other, "reason": SAID}, patient=patient)
    await here.settle()


async def office(plant: Planter) -> None:
    """What is set up, and not about a patient: but for whom alerts page, it may be read."""
    here = plant.here
    reached = [{"kind": "sms", "value": "+" + plant.mark(("PATCH /api/v1/clinic", "/oncall/*/value"), "12025557777")}]
    await plant.send("PATCH", "/clinic", {"oncall": reached})
    rule = next(one["id"] for one in (await here.keepwell.get("/rules"))["items"] if one["needs_signature"])
    await plant.send("POST", "/rules/{rule_id}/sign", {}, rule_id=rule)
    await plant.send("POST", "/rules/{rule_id}/withdraw", {"reason": SAID}, rule_id=rule)
    stranger = plant.mark(("text", "from"), "12025557555")
    await here.text(f"+{stranger}", plant.mark(("text", "body")))
    await here.keepwell.get(f"/patients?q={plant.mark(('GET /api/v1/patients', 'q'))}")
    await plant.fill("/console/patients", "/console/patients", q="~")
    typed = {"given_name": "~", "family_name": "~", "zone": ZONE.key, "external_id": "~", "sms-how": SAID}
    phone = plant.mark(("/console/patients/new", "sms"), "12025557444")
    day = (await here.at(0, 12)).date().isoformat()
    form = typed | {"sms": f"+{phone}", "sms-at": day, "sms-reminders": "on", "language": "en"}
    await plant.fill("/console/patients/new", "/console/patients/new", **form)
    await here.settle()


async def test_what_people_write_is_never_found_in_clear(folder: Path, tmp_path: Path) -> None:
    async with clinic(folder=folder) as here:
        plant = Planter(here)
        person = a_person(plant, "12025557391", "1971-03-29")
        patient = (await plant.send("POST", "/patients", person))["id"]
        other = (await plant.send("POST", "/patients", a_person(plant, "12025557393", "1972-04-30")))["id"]
        await here.settle()
        await sessions(plant, patient)
        await answers(plant, patient, "12025557391")
        await decision(plant, patient)
        await doubt(plant, patient, "12025557391")
        await comings_and_goings(plant, patient, other)
        await office(plant)
        async with here.keepwell.http.get(f"{here.keepwell.base}/api/openapi.json") as answer:
            asked = fields_of(await answer.json())
        left = {one for one in asked if not one[1].endswith(tuple(NO_WORDS)) and one not in ABOUT_NO_PATIENT}
        assert left <= plant.taken(), f"no mark was planted in {sorted(left - plant.taken())}"
        found = await everywhere(here, folder, tmp_path, plant.planted)
        clear = {plant.planted[mark]: places for mark, places in found.items()}
        assert {field: places for field, places in clear.items() if field not in ABOUT_NO_PATIENT} == {}


async def test_the_search_never_misses_a_seal_that_is_taken_out(folder: Path, tmp_path: Path) -> None:
    unsealed = {CONTEXTS: "consent,session-reason"}
    async with clinic(unsealed, folder=folder, module="tests.kafka.unsealed") as here:
        plant = Planter(here)
        person = a_person(plant, "12025557391", "1971-03-29")
        patient = (await plant.send("POST", "/patients", person))["id"]
        await here.settle()
        one = await session(plant, patient, days=3)
        await plant.send("POST", "/sessions/{session}/cancel", {"reason": SAID, "note": SAID}, session=one)
        await here.settle()
        found = await everywhere(here, folder, tmp_path, plant.planted)
    clear = {plant.planted[mark][1] for mark in found}
    assert clear == {"/contacts/*/consents/*/how", "/reason"}
    places = json.dumps(sorted({place for each in found.values() for place in each}))
    for door in ("clinic.contacts", "notifier.consents", "keepwell.clinic", "scheduler.sessions", "backup: dump"):
        assert door in places
