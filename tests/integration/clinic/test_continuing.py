"""The console lets a plan go on that had ended, and shows why wherever the next reader looks."""

from typing import Any
from uuid import UUID

import pytest

from services.clinic import own_writes
from shared import events
from shared.events.scheduling import Continued
from tests.integration.clinic.conftest import Browser, Home
from tests.integration.clinic.sample_events import SampleEvents
from tests.integration.clinic.test_staff_pages import joined
from tests.support.bench import KEYRING

WHY = "Discharged by mistake; maintenance goes on."


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


@pytest.fixture
async def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.bench.clinic, UUID(patient["id"]))


@pytest.fixture
async def ended(home: Home, sample: SampleEvents) -> None:
    await home.bench.tell(sample.plan())
    await home.bench.tell(_changed(sample, 2, active=False))


def _changed(sample: SampleEvents, version: int, **more: Any) -> events.PlanChanged:
    return events.PlanChanged.model_validate(sample.plan(version, phase="maintenance").model_dump() | more)


async def test_an_ended_plan_is_never_a_dead_end(
    home: Home, sample: SampleEvents, browser: Browser, ended: None
) -> None:
    page = f"/console/patients/{sample.whose['patient']}"
    assert "Continue this plan" in (await browser.get(page)).text
    answer = _changed(sample, 3).model_dump(mode="json") | {"id": str(sample.plan_id), "start_on": "2026-11-01"}
    path = f"/patients/{sample.whose['patient']}/plan/continue"
    home.owner.answer("POST", path, answer)
    done = await browser.post(f"{page}/plan/continue", reason=WHY)
    assert done.status == 303
    assert home.owner.orders[-1][1:3] == (f"/patients/{sample.whose['patient']}/plan/continue", {"reason": WHY})


async def test_a_plan_that_goes_on_is_never_shown_as_ended_while_its_event_is_late(
    home: Home, sample: SampleEvents, browser: Browser, ended: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_writes, "PATIENCE", 0.1)
    page, patient = f"/console/patients/{sample.whose['patient']}", sample.whose["patient"]
    answer = _changed(sample, 3).model_dump(mode="json", exclude={"active"}) | {"id": str(sample.plan_id)}
    home.owner.answer("POST", f"/patients/{patient}/plan/continue", answer)
    await browser.post(f"{page}/plan/continue", reason=WHY)
    assert "Continue this plan" not in (await browser.get(page)).text
    await home.bench.tell(_changed(sample, 3))
    assert "Continue this plan" not in (await browser.get(page)).text


async def test_why_a_plan_goes_on_is_shown_once_whichever_door_it_came_by(
    home: Home, sample: SampleEvents, browser: Browser, ended: None
) -> None:
    now = home.bench.clock.now()
    why = Continued(by="Dr. Ruiz", at=now, reason=KEYRING.seal(WHY, context="reason"))
    for _ in range(2):
        await home.bench.tell(_changed(sample, 3, continued=why))
    page = (await browser.get(f"/console/patients/{sample.whose['patient']}")).text
    assert page.count(f"<q>{WHY}</q>") == 1
    assert "Plan continued" in page
    assert "Dr. Ruiz" in page
    assert "Continue this plan" not in page


async def test_the_front_desk_never_lets_a_plan_go_on(
    home: Home, sample: SampleEvents, browser: Browser, ended: None
) -> None:
    desk = await joined(home, browser)
    page = f"/console/patients/{sample.whose['patient']}"
    assert "Continue this plan" not in (await desk.get(page)).text
    assert (await desk.post(f"{page}/plan/continue", reason=WHY)).status == 403
