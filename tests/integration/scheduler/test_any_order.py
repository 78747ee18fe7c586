"""Whatever clinic, patient and time do, in any order: what is pending belongs to what now holds."""

import random
from datetime import timedelta
from typing import Any

import pytest

from shared.events import BookingDue, CheckinDue, SessionDue, SessionEvent
from shared.walltime import to_wall, wall_text
from tests.integration.scheduler.harness import NEW_YORK, SchedulerHarness

ZONES = ["America/New_York", "America/Los_Angeles", "Europe/Madrid", "Pacific/Auckland"]


class Chance:
    """Draws what happens next."""

    def __init__(self, harness: SchedulerHarness, seed: int) -> None:
        self.harness = harness
        self.draw = random.Random(seed)  # noqa: S311 - a reproducible test, no secret
        self.version = 1
        self.fired: list[Any] = []

    def wall(self) -> str:
        ahead = timedelta(hours=self.draw.randint(1, 24 * 12))
        wall = to_wall(self.harness.bench.clock.now() + ahead, NEW_YORK)
        return wall_text(wall.replace(hour=6 + wall.hour % 16))

    async def session(self) -> Any:
        listed = (await self.harness.bench.call("GET", f"/patients/{self.harness.patient}/sessions")).json["items"]
        return self.draw.choice(listed) if listed else None

    async def step(self) -> None:
        what = self.draw.choice(
            ["book", "book", "move", "end", "end", "reply", "time", "time", "home", "decide", "correct"]
        )
        if what == "book":
            assert (await self.harness.try_to_book(self.wall())).status in {201, 409, 422}
        elif what == "time":
            span = timedelta(hours=self.draw.randint(1, 100))
            self.fired += await self.harness.bench.live_until(self.harness.bench.clock.now() + span)
        elif what == "home":
            self.version += 1
            await self.harness.moves_home(self.draw.choice(ZONES), version=self.version)
        elif what == "decide":
            await self.harness.decide((await self.harness.plan())["id"], "change", self.draw.choice([7, 14, 28]))
        elif (session := await self.session()) is not None:
            await self.about(session, what)

    async def about(self, session: Any, what: str) -> None:
        path = f"/sessions/{session['id']}"
        if what == "move":
            answer = await self.harness.bench.call("PATCH", path, {"starts_at": self.wall()})
        elif what == "correct":
            state = self.draw.choice(["booked", "attended", "missed", "cancelled"])
            body = {"state": state, "reason": "It was recorded wrongly."}
            answer = await self.harness.bench.call("POST", f"{path}/correct", body)
        elif what == "end":
            answer = await self.harness.bench.call("POST", f"{path}/{self.draw.choice(['cancel', 'attend', 'miss'])}")
        else:
            intent = self.draw.choice(["confirm", "decline"])
            await self.harness.reply(session["id"], session["version"] - self.draw.randint(0, 1), intent)
            return
        assert answer.status in {200, 409, 422}, answer.text


async def check(harness: SchedulerHarness) -> None:
    listed = (await harness.bench.call("GET", f"/patients/{harness.patient}/sessions?limit=500")).json["items"]
    held = {session["id"]: session for session in listed}
    told: dict[str, int] = {}
    for event in await harness.said(SessionEvent):
        assert event.version == told.get(str(event.session), 0) + 1, "a session's events leave in order, without a gap"
        told[str(event.session)] = event.version
    assert told == {session["id"]: session["version"] for session in listed}
    await check_timers(harness, held)


async def check_timers(harness: SchedulerHarness, held: dict[str, Any]) -> None:
    plan = await harness.plan()
    now = harness.bench.clock.now()
    ahead = any(
        s["state"] in {"booked", "confirmed"} and s["starts_at_utc"] >= f"{now:%Y-%m-%dT%H:%M:%SZ}"
        for s in held.values()
    )
    for due, event in (await harness.bench.pending()).values():
        assert due >= now
        if isinstance(event, SessionDue):
            session = held[str(event.session)]
            assert session["state"] in {"booked", "confirmed"}
            assert (event.version, event.starts_at) == (session["version"], session["starts_at"])
            assert due < event.starts_at_utc
        elif isinstance(event, CheckinDue):
            check_question(event, held, plan)
        elif isinstance(event, BookingDue):
            assert (event.version, str(event.due_on)) == (plan["version"], plan["next_due_on"])
            assert not ahead


def check_question(event: CheckinDue, held: dict[str, Any], plan: Any) -> None:
    if event.session is not None:
        assert held[str(event.session)]["state"] == "attended"
        assert event.version == held[str(event.session)]["version"]
    else:
        assert str(event.plan) == plan["id"]
        assert event.occurrence.partition("-")[0] in ({"baseline"} if plan["attended"] == 0 else {"week", "baseline"})


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_pending_belongs_to_what_now_holds(harness: SchedulerHarness, seed: int) -> None:
    chance = Chance(harness, seed)
    await harness.start()
    for _ in range(45):
        await chance.step()
        await check(harness)
    asked = [(event.session or event.plan, event.occurrence) for event in chance.fired if isinstance(event, CheckinDue)]
    assert len(asked) == len(set(asked)), "nobody is asked the same twice"
    reminded = [(e.session, e.version, e.occurrence) for e in chance.fired if isinstance(e, SessionDue)]
    assert len(reminded) == len(set(reminded)), "nobody is reminded twice of the same"
