"""The life of safety alerts, against a model that counts pages and minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import requests
from hypothesis import strategies
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from shared.events import AlertAcknowledged, AlertClosed, AlertOverdue, AlertRaised, CheckinOpened, PatientEnrolled
from tests.integration.fuzz.machines import ZONE, Machine
from tests.integration.fuzz.profiles import tries
from tests.integration.fuzz.world import PATIENCE, World
from tests.support.bench import KEYRING

AGAIN: Final = timedelta(minutes=15)
UNTIL_CLOSED: Final = timedelta(minutes=60)
PICK = strategies.integers(0, 99)


@dataclass
class Raised:
    """An alert as the model has it: what was answered, when it pages next, and as which page."""

    checkin: str
    value: int
    state: str = "open"
    pages: int = 1
    next_at: datetime | None = None
    next_number: int = 2
    told: int = 1

    @property
    def pause(self) -> timedelta:
        return AGAIN if self.state == "open" else UNTIL_CLOSED


class Alerts(Machine):
    """Patients answer item 9; staff acknowledge and close, or nobody does."""

    service = "assessments"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.links: list[tuple[str, str]] = []
        self.raised: dict[str, Raised] = {}
        assert world.clinic is not None
        name = KEYRING.seal("Ana", context="name")
        self.tell(
            PatientEnrolled(
                clinic=world.clinic, version=1, patient=self.patient, language="en", zone=ZONE, given_name=name
            )
        )

    def picked(self, pick: int) -> tuple[str, Raised]:
        return list(self.raised.items())[pick % len(self.raised)]

    @rule()
    def ask(self) -> None:
        status, body = self.call("POST", "/checkins", {"patient": str(self.patient), "instruments": ["phq-9"]})
        assert status == 201
        link = KEYRING.open(self.said(CheckinOpened)[-1].link, context="link")
        self.links.append((body["id"], link[link.index("/c/") :]))

    @precondition(lambda self: self.links)
    @rule(pick=PICK, value=strategies.integers(0, 3))
    def answer_item_9_alone(self, pick: int, value: int) -> None:
        checkin, link = self.links[pick % len(self.links)]
        form = {"instrument": "phq-9", "q-9": str(value)}
        answer = requests.post(self.world.base + link, data=form, timeout=PATIENCE)
        assert answer.status_code in {200, 422}, "kept; 422 where the form is not whole yet"
        known = [one for one in self.raised.values() if one.checkin == checkin]
        if value <= max((one.value for one in known), default=0):
            return
        waiting = next((one for one in known if one.state != "closed"), None)
        if waiting is None:
            _, body = self.call("GET", "/alerts?limit=500")
            every = [one["id"] for one in body["items"] if one["checkin"] == checkin]
            (found,) = [name for name in every if name not in self.raised]
            self.raised[found] = Raised(checkin, value, next_at=self.now + AGAIN)
            return
        waiting.value, waiting.state = value, "open"
        waiting.pages, waiting.told = waiting.pages + 1, waiting.told + 1
        waiting.next_at, waiting.next_number = self.now + AGAIN, waiting.pages + 1

    @precondition(lambda self: self.raised)
    @rule(pick=PICK)
    def acknowledge(self, pick: int) -> None:
        name, one = self.picked(pick)
        status, body = self.call("POST", f"/alerts/{name}/acknowledge", {})
        if one.state != "open":
            assert status == 409
            return
        assert (status, body["acknowledged_by"]) == (200, "fuzz")
        one.state, one.next_at, one.next_number = "acknowledged", self.now + UNTIL_CLOSED, one.pages + 1

    @precondition(lambda self: self.raised)
    @rule(pick=PICK, words=strategies.sampled_from(["Called; safe plan agreed.", "", "   ", ".", "done"]))
    def close(self, pick: int, words: str) -> None:
        name, one = self.picked(pick)
        status, body = self.call("POST", f"/alerts/{name}/close", {"disposition": words})
        if len(words.split()) < 2:
            assert status == 422
        elif one.state == "closed":
            assert status == 409
        else:
            assert (status, body["closed_by"], body["disposition"]) == (200, "fuzz", words)
            one.state, one.next_at = "closed", None

    @rule(minutes=strategies.integers(1, 70))
    def wait(self, minutes: int) -> None:
        until = self.now + timedelta(minutes=minutes)
        due: list[tuple[datetime, str, int]] = []
        for name, one in self.raised.items():
            while one.next_at is not None and one.next_at <= until:
                due.append((one.next_at, name, one.next_number))
                one.pages = max(one.pages, one.next_number)
                one.next_at = one.next_at + one.pause
                one.next_number += 1
        fired = self.live(timedelta(minutes=minutes))
        pages = [(at, str(e.alert), e.page_number) for at, e in fired if isinstance(e, AlertOverdue)]
        assert sorted(pages) == sorted(due), (
            "an alert pages until somebody acknowledges it, then hourly until it is closed"
        )

    @precondition(lambda self: self.raised)
    @rule(pick=PICK)
    def an_old_page_comes_again(self, pick: int) -> None:
        name, one = self.picked(pick)
        first = next(event for event in self.said(AlertRaised) if str(event.alert) == name)
        late = AlertOverdue(**{**first.model_dump(), "page_number": one.pages if one.state != "closed" else 99})
        self.tell(late)

    @invariant()
    def alerts_are_as_the_model_has_them(self) -> None:
        for name, one in self.raised.items():
            _, body = self.call("GET", f"/alerts/{name}")
            level = {1: "elevated", 2: "high", 3: "high"}[one.value]
            assert (body["state"], body["pages"], body["level"]) == (one.state, one.pages, level)
            assert (body["closed_by"] is None, body["disposition"] is None) == ((one.state != "closed",) * 2)
            assert one.state != "acknowledged" or body["acknowledged_at"] is not None

    @invariant()
    def an_alert_that_nobody_has_closed_pages_again_and_no_other_does(self) -> None:
        pending = {
            str(event.alert): (at, event.page_number)
            for at, event in self.timers().values()
            if isinstance(event, AlertOverdue)
        }
        expected = {name: (one.next_at, one.next_number) for name, one in self.raised.items() if one.next_at}
        assert pending == expected
        assert all(self.raised[name].state != "closed" for name in pending)

    @invariant()
    def what_was_said_is_what_happened(self) -> None:
        for kind, count in (
            (AlertRaised, sum(one.told for one in self.raised.values())),
            (AlertClosed, sum(one.state == "closed" for one in self.raised.values())),
        ):
            assert len(self.said(kind)) == count
        seen = [(event.alert, event.version) for event in self.said(AlertAcknowledged)]
        assert len(set(seen)) == len(seen)


def test_alerts_live_as_the_model_says(world: World) -> None:
    run_state_machine_as_test(lambda: Alerts(world), settings=tries(10, steps=25))  # type: ignore[arg-type]
