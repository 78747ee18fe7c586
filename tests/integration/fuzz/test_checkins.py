"""The life of check-ins and their links, against a model that counts answers and hours."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import requests
from hypothesis import strategies
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from shared.events import CheckinCompleted, CheckinExpired, CheckinOpened, PatientEnrolled
from tests.integration.fuzz.machines import ZONE, Machine
from tests.integration.fuzz.profiles import tries
from tests.integration.fuzz.world import PATIENCE, World
from tests.support.bench import KEYRING
from tests.support.checkins import page_mark

HOURS: Final = {"phq-9": 144, "post-session": 72}
PICK = strategies.integers(0, 99)


@dataclass
class Asked:
    """A check-in as the model has it."""

    instruments: list[str]
    expires_at: datetime
    link: str
    given: dict[str, dict[str, int]] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    touched: bool = False
    expired: bool = False

    @property
    def state(self) -> str:
        if self.expired:
            return "expired"
        if self.complete == set(self.instruments):
            return "completed"
        return "partial" if self.touched else "open"

    @property
    def waits(self) -> bool:
        return self.state in {"open", "partial"}


class Checkins(Machine):
    """A patient is asked, and answers by link or by phone, wholly, partly, late, twice, or not at all."""

    service = "assessments"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.asked: dict[str, Asked] = {}
        assert world.clinic is not None
        name = KEYRING.seal("Ana", context="name")
        self.tell(
            PatientEnrolled(
                clinic=world.clinic, version=1, patient=self.patient, language="en", zone=ZONE, given_name=name
            )
        )
        _, listed = self.call("GET", "/instruments")
        self.items: dict[str, list[Any]] = {
            one["id"]: [item for part in one["languages"]["en"]["sections"] for item in part["items"]]
            for one in listed["items"]
        }

    def picked(self, pick: int) -> tuple[str, Asked]:
        return list(self.asked.items())[pick % len(self.asked)]

    def page(self, method: str, link: str, **more: Any) -> int:
        answer = requests.request(method, self.world.base + link, timeout=PATIENCE, **more)
        assert answer.status_code < 500, answer.text
        return answer.status_code

    @rule(instruments=strategies.sampled_from([["phq-9"], ["post-session"], ["post-session", "phq-9"]]))
    def ask(self, instruments: list[str]) -> None:
        status, body = self.call("POST", "/checkins", {"patient": str(self.patient), "instruments": instruments})
        assert status == 201, body
        opened = self.said(CheckinOpened)[-1]
        assert str(opened.checkin) == body["id"]
        link = KEYRING.open(opened.link, context="link")
        hours = max(HOURS[name] for name in instruments)
        self.asked[body["id"]] = Asked(instruments, self.now + timedelta(hours=hours), link[link.index("/c/") :])

    def choice(self, data: Any, instrument: str, *, whole: bool) -> dict[str, int]:
        """Draw answers: one for each item, or for some."""
        chosen = {
            item["id"]: data.draw(strategies.sampled_from([option["value"] for option in item["options"]]))
            for item in self.items[instrument]
        }
        if whole:
            return chosen
        some = data.draw(strategies.sets(strategies.sampled_from(sorted(chosen))))
        return {item: value for item, value in chosen.items() if item in some}

    def keep(self, one: Asked, instrument: str, given: dict[str, int], *, replacing: bool = False) -> bool:
        """Take answers into the model; return whether they count. By link, they may take the place of others."""
        if not one.waits or self.now >= one.expires_at or not given:
            return False
        if instrument in one.complete and not replacing:
            return False
        one.touched = True
        kept = one.given.setdefault(instrument, {})
        kept.update(given)
        if all(item["id"] in kept for item in self.items[instrument] if item["required"]):
            one.complete.add(instrument)
        return True

    @precondition(lambda self: self.asked)
    @rule(pick=PICK, which=PICK, whole=strategies.booleans(), twice=strategies.booleans(), data=strategies.data())
    def answer_by_link(self, pick: int, which: int, whole: bool, twice: bool, data: Any) -> None:
        name, one = self.picked(pick)
        instrument = one.instruments[which % len(one.instruments)]
        given = self.choice(data, instrument, whole=whole)
        mark = page_mark(KEYRING, name)
        form = {"instrument": instrument, "page": mark, **{f"q-{item}": str(value) for item, value in given.items()}}
        for _ in range(2 if twice else 1):
            self.page("POST", one.link, data=form)
            self.keep(one, instrument, given, replacing=True)

    @precondition(lambda self: self.asked)
    @rule(pick=PICK, which=PICK, data=strategies.data())
    def answer_by_phone(self, pick: int, which: int, data: Any) -> None:
        name, one = self.picked(pick)
        instrument = one.instruments[which % len(one.instruments)]
        given = self.choice(data, instrument, whole=True)
        answers = [given[item["id"]] for item in self.items[instrument] if item["required"]]
        named = {"difficulty": given["difficulty"]} if "difficulty" in given else {}
        body = {"instrument": instrument, "answers": answers, "entered_by": "Alma", **named}
        status, said = self.call("POST", f"/checkins/{name}/answers", body)
        assert (status == 200) == self.keep(one, instrument, given), said
        assert status in {200, 409}

    @precondition(lambda self: self.asked)
    @rule(pick=PICK)
    def open_the_link(self, pick: int) -> None:
        _, one = self.picked(pick)
        assert self.page("GET", one.link) == (200 if one.waits else 410)

    @precondition(lambda self: self.asked)
    @rule(pick=PICK, cut=strategies.integers(1, 32), other=strategies.sampled_from("aZ-_0~%."))
    def open_a_link_that_was_tampered_with(self, pick: int, cut: int, other: str) -> None:
        _, one = self.picked(pick)
        for forged in (one.link[:-cut], one.link + other, one.link[:-1] + ("A" if one.link[-1] != "A" else "B")):
            if forged.removeprefix("/c/") and forged != one.link:
                assert self.page("GET", forged) == 404
                assert self.page("POST", forged, data={"instrument": "phq-9", "q-9": "3"}) == 404

    @rule(hours=strategies.integers(1, 80))
    def wait(self, hours: int) -> None:
        until = self.now + timedelta(hours=hours)
        late = {name for name, one in self.asked.items() if one.waits and one.expires_at <= until}
        fired = [event for _, event in self.live(timedelta(hours=hours)) if isinstance(event, CheckinExpired)]
        assert sorted(str(event.checkin) for event in fired) == sorted(late)
        for name in late:
            self.asked[name].expired = True

    @invariant()
    def check_ins_are_as_the_model_has_them(self) -> None:
        _, body = self.call("GET", f"/patients/{self.patient}/checkins?limit=500")
        assert {one["id"]: one["state"] for one in body["items"]} == {n: one.state for n, one in self.asked.items()}

    @invariant()
    def what_was_answered_in_time_is_scored_once_and_nothing_else(self) -> None:
        _, body = self.call("GET", f"/patients/{self.patient}/scores?limit=500")
        scored = sorted((one["checkin"], one["instrument"]) for one in body["items"] if one["voided"] is None)
        assert scored == sorted((name, each) for name, one in self.asked.items() for each in one.complete)

    @invariant()
    def what_waits_has_one_timer_and_what_ended_has_none(self) -> None:
        pending = {str(e.checkin): at for at, e in self.timers().values() if isinstance(e, CheckinExpired)}
        assert pending == {name: one.expires_at for name, one in self.asked.items() if one.waits}

    @invariant()
    def each_completion_is_said_once_with_the_answers_that_were_given(self) -> None:
        told = {str(event.checkin): event for event in self.said(CheckinCompleted)}
        assert len(told) == len(self.said(CheckinCompleted))
        assert set(told) == {name for name, one in self.asked.items() if one.state == "completed"}
        for name, event in told.items():
            result = json.loads(KEYRING.open(event.result, context="result"))
            assert {one["instrument"]: one["answers"] for one in result} == self.asked[name].given


def test_check_ins_and_their_links_live_as_the_model_says(world: World) -> None:
    run_state_machine_as_test(lambda: Checkins(world), settings=tries(10, steps=25))  # type: ignore[arg-type]
