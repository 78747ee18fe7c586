"""What waits stands on Today with its age and next step, until it is done."""

import re
from datetime import date, datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.clinic import own_writes
from shared import events
from shared.ids import PatientId
from tests.integration.clinic.conftest import Browser, Home, a_body
from tests.integration.clinic.sample_events import SampleEvents
from tests.support.bench import KEYRING


@pytest.fixture
def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.login.clinic, UUID(patient["id"]))


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


async def today(browser: Browser) -> str:
    return (await browser.get("/console/today")).text


def part(page: str, name: str) -> str:
    """Return a part of the page, or nothing where it is hidden."""
    found = re.search(rf'<section[^>]* id="{name}"(?P<hidden>[^>]*)>(?P<inner>.*?)</section>', page, re.DOTALL)
    assert found is not None, f"There is no part {name}."
    return "" if " hidden" in found["hidden"] else found["inner"]


def a_tile(page: str, text: str) -> int:
    found = re.search(rf"<b>(\d+)</b><span>{text}</span>", page)
    assert found is not None, f"There is no tile {text}."
    return int(found[1])


async def test_a_session_that_nobody_recorded_never_drops_out_of_sight(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.session())
    await home.bench.clock.move_by(timedelta(hours=11, minutes=59))
    assert part(await today(browser), "unrecorded") == "", "until the day ends it stands among the day's sessions"
    await home.bench.clock.move_by(timedelta(minutes=1))
    page = await today(browser)
    assert "Maya Okafor" in part(page, "unrecorded")
    assert a_tile(page, "not recorded") == 1
    await home.bench.clock.move_by(timedelta(days=42))
    assert "42 days ago" in part(await today(browser), "unrecorded")
    came = {"state": "attended", "attended_at": home.bench.clock.now()}
    await home.bench.tell(sample.session(events.SessionAttended, version=2, **came))
    page = await today(browser)
    assert part(page, "unrecorded") == ""
    assert "Every session of the days before is recorded." in page


async def test_what_a_session_came_to_is_said_from_the_list_itself(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.session())
    await home.bench.clock.move_by(timedelta(days=2))
    assert f"/console/sessions/{sample.session_id}/miss" in part(await today(browser), "unrecorded")


async def test_sessions_nobody_recorded_are_shown_the_oldest_first_with_a_true_count(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    first = datetime.fromisoformat("2026-09-01T14:00:00+00:00")
    for number in reversed(range(60)):
        at = first + timedelta(days=number)
        sample.session_id = uuid4()
        await home.bench.tell(sample.session(starts_at=f"{at:%Y-%m-%d}T10:00", starts_at_utc=at, number=number + 1))
    page = await today(browser)
    assert a_tile(page, "not recorded") == 60
    shown = re.findall(r"session (\d+)</span>", part(page, "unrecorded"))
    assert shown == [str(number) for number in range(1, 9)]
    assert "All 60" in part(page, "unrecorded")
    every = [(await browser.get(f"/console/waiting/unrecorded?page={number}")).text for number in (1, 2)]
    assert [len(re.findall("/attend", one)) for one in every] == [50, 10]
    assert "60 sessions to record" in every[1]


async def test_a_patient_who_is_due_and_not_booked_never_drops_out_of_sight(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.plan(next_due_on=date(2026, 12, 9)))
    assert part(await today(browser), "due") == "", "it is eight days off"
    await home.bench.clock.move_by(timedelta(days=1))
    assert "due in 7 days" in part(await today(browser), "due")
    await home.bench.clock.move_by(timedelta(days=90))
    page = await today(browser)
    assert "83 days overdue" in part(page, "due")
    assert a_tile(page, "to book") == 1
    booked = sample.session(starts_at="2027-03-09T10:00", starts_at_utc=datetime.fromisoformat("2027-03-09T15:00Z"))
    await home.bench.tell(booked)
    assert part(await today(browser), "due") == ""


@pytest.mark.parametrize(("kind", "state"), [(events.SessionCancelled, "cancelled"), (events.SessionMissed, "missed")])
async def test_whose_session_fell_away_is_to_be_booked_again(
    home: Home, sample: SampleEvents, browser: Browser, kind: type[events.SessionEvent], state: str
) -> None:
    await home.bench.tell(sample.plan(next_due_on=date(2026, 12, 1)))
    await home.bench.tell(sample.session())
    assert part(await today(browser), "due") == ""
    await home.bench.tell(sample.session(kind, version=2, state=state))
    assert "due today" in part(await today(browser), "due")


async def test_only_the_newest_plan_says_when_a_session_is_due(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    sample.plan_id = UUID(int=1)
    await home.bench.tell(sample.plan(next_due_on=date(2026, 12, 1)))
    sample.plan_id = UUID(int=2)
    await home.bench.tell(sample.plan(next_due_on=date(2027, 12, 1)))
    assert part(await today(browser), "due") == ""


async def test_nobody_books_for_who_was_discharged(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.plan(next_due_on=date(2026, 12, 1)))
    await home.bench.call("POST", f"/patients/{patient['id']}/discharge", {"reason": "Well"})
    assert part(await today(browser), "due") == ""


async def test_a_hundred_and_one_unread_texts_are_all_within_reach(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    for number in range(101):
        await home.bench.tell(
            sample.reply(f"Word {number:03}", at=home.bench.clock.now() - timedelta(hours=101 - number))
        )
    page = await today(browser)
    assert a_tile(page, "to read") == 101
    assert "All 101" in part(page, "replies")
    assert "4 days ago" in part(page, "replies")
    every = "".join([(await browser.get(f"/console/waiting/replies?page={number}")).text for number in (1, 2, 3)])
    assert [f"Word {number:03}" in every for number in range(101)] == [True] * 101


async def test_forty_failures_of_one_cause_are_one_finding_until_somebody_saw_to_it(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    for _ in range(40):
        sample.message_id = uuid4()
        await home.bench.tell(sample.message(events.MessageFailed, 1, error="30034", step="Register the sender."))
    sample.message_id = uuid4()
    await home.bench.tell(sample.message(events.MessageFailed, 1, error="30006"))
    await home.bench.clock.move_by(timedelta(days=30))
    page = part(await today(browser), "troubles")
    assert page.count("Seen to") == 2
    assert "40 texts not delivered" in page
    assert "Register the sender" in page
    form = dict(re.findall(r'name="(state|channel|cause|until)" value="([^"]*)"', page.partition("1 text not")[0]))
    assert (await browser.post("/console/failures/seen", **form)).status == 303
    page = part(await today(browser), "troubles")
    assert "40 texts" not in page
    assert "1 text not delivered" in page


async def test_what_fails_after_somebody_looked_is_not_seen_to(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.message(events.MessageFailed, 1, error="30006"))
    page = part(await today(browser), "troubles")
    form = dict(re.findall(r'name="(state|channel|cause|until)" value="([^"]*)"', page))
    sample.message_id = uuid4()
    later = home.bench.clock.now() + timedelta(hours=1)
    await home.bench.tell(sample.message(events.MessageFailed, 1, error="30006", at=later))
    await browser.post("/console/failures/seen", **form)
    assert "1 text not delivered" in part(await today(browser), "troubles")


async def test_what_was_rightly_not_sent_is_nobodys_work(home: Home, sample: SampleEvents, browser: Browser) -> None:
    for reason in ("session_over", "checkin_closed", "already_booked", "superseded", "answered_today"):
        sample.message_id = uuid4()
        await home.bench.tell(sample.message(events.MessageWithheld, 1, reason=reason))
    assert part(await today(browser), "troubles") == ""


@pytest.mark.parametrize("form", [{}, {"until": "soon", "state": "failed"}, {"until": "2026-12-01T10:00+00:00"}])
async def test_a_form_that_names_no_messages_is_refused(home: Home, browser: Browser, form: dict[str, str]) -> None:
    assert (await browser.post("/console/failures/seen", **form)).status == 404


async def test_an_acknowledged_alert_is_counted_on_every_page_until_it_is_closed(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.raised())
    await home.bench.tell(sample.acknowledged())
    await home.bench.clock.move_by(timedelta(days=3))
    page = await today(browser)
    assert a_tile(page, "open safety alert") == 1
    assert "Acknowledged by Alma Reid" in page
    assert "(3 days ago)" in page
    for path in ("/console/patients", "/console/settings"):
        assert '1<span class="hush"> open</span>' in (await browser.get(path)).text
    await home.bench.tell(sample.closed())
    assert a_tile(await today(browser), "open safety alerts") == 0


async def test_an_acknowledged_alert_says_when_those_on_call_are_paged_again(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    now = home.bench.clock.now()
    await home.bench.tell(sample.raised())
    again = "Those on call are paged again and again until somebody does."
    assert again in await today(browser)
    await home.bench.tell(sample.acknowledged(at=now, next_page_at=now + timedelta(hours=1)))
    for path in ("/console/today", "/console/alerts", f"/console/patients/{patient['id']}"):
        page = (await browser.get(path)).text
        assert "Until then those on call are paged again at 1:00 PM, and again after that." in page, path
        assert again not in page
    # It is so after each page; what comes out of order takes nothing back.
    later = sample.raised(events.AlertOverdue, page_number=2)
    for hours in (2, 1):
        await home.bench.tell(later.model_copy(update={"next_page_at": now + timedelta(hours=hours)}))
    assert "paged again at 2:00 PM" in await today(browser)
    await home.bench.tell(later.model_copy(update={"next_page_at": now + timedelta(hours=20)}))
    assert "paged again on Wed, Dec 2, 8:00 AM" in await today(browser)
    await home.bench.tell(sample.closed())
    assert "paged again" not in (await browser.get("/console/alerts")).text


async def test_when_those_on_call_are_paged_is_learnt_though_the_owners_answer_came_first(
    home: Home, sample: SampleEvents, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_writes, "PATIENCE", 0.1)
    now = home.bench.clock.now()
    await home.bench.tell(sample.raised())
    await today(browser)
    said = {"id": str(sample.alert_id), "version": 2, "state": "acknowledged", "disposition": None}
    who = {"acknowledged_by": "Alma Reid", "acknowledged_at": now.isoformat()}
    home.owner.answer("POST", f"/alerts/{sample.alert_id}/acknowledge", {**said, **who})
    await browser.post(f"/console/alerts/{sample.alert_id}/acknowledge", version="1", key=str(uuid4()))
    assert "Until then those on call are paged again, and again after that." in await today(browser)
    await home.bench.tell(sample.acknowledged(at=now, next_page_at=now + timedelta(hours=1)))
    assert "paged again at 1:00 PM" in await today(browser)


async def test_nobody_is_said_to_be_paged_of_a_task(home: Home, sample: SampleEvents, browser: Browser) -> None:
    await home.bench.tell(sample.raised().model_copy(update={"level": "task"}))
    assert "paged again" not in await today(browser)
    await home.bench.tell(sample.acknowledged())
    assert "paged again" not in await today(browser)


async def test_another_day_shows_its_sessions_and_no_work(home: Home, sample: SampleEvents, browser: Browser) -> None:
    await home.bench.tell(sample.session())
    await home.bench.clock.move_by(timedelta(days=3))
    page = (await browser.get("/console/today?day=2026-12-01")).text
    assert "2:00 PM" in page
    assert 'id="unrecorded"' not in page


async def test_a_list_of_work_names_no_other_clinics_patients(home: Home, browser: Browser) -> None:
    stranger = SampleEvents(home.login.clinic, UUID(int=7))
    stranger.whose = {"clinic": UUID(int=9), "patient": PatientId(UUID(int=7))}
    await home.bench.tell(stranger.session())
    await home.bench.tell(stranger.message(events.MessageFailed, 1, error="30006"))
    await home.bench.clock.move_by(timedelta(days=3))
    page = await today(browser)
    assert part(page, "unrecorded") == ""
    assert part(page, "troubles") == ""


async def test_the_front_desk_records_and_a_second_patient_is_told_apart(home: Home, browser: Browser) -> None:
    for given in ("Ana", "Bea"):
        answer = await home.bench.call("POST", "/patients", a_body(given_name=given, contacts=[]))
        await home.bench.tell(SampleEvents(home.login.clinic, UUID(answer.json["id"])).session())
    await home.bench.clock.move_by(timedelta(days=1))
    page = part(await today(browser), "unrecorded")
    assert "Ana Okafor" in page
    assert "Bea Okafor" in page


async def test_the_day_of_ten_thousand_patients_keeps_nobody_waiting(home: Home, browser: Browser) -> None:
    """Three sessions and a plan each, a tenth of them unrecorded, a tenth due, three texts in ten unread."""
    empty = await fastest(browser)
    name, words = (KEYRING.seal("Word", context=context) for context in ("name", "reply"))
    async with home.bench.database.transaction() as tx:
        for statement in MANY:
            filled = statement.format(clinic=home.login.clinic, now=tx.now.isoformat(), name=name, words=words)
            await tx.execute(text(filled.replace("::", "\\:\\:")))
    page = await today(browser)
    assert a_tile(page, "not recorded") == 1000
    assert a_tile(page, "to book") == 1000
    assert a_tile(page, "to read") == 3000
    full = await fastest(browser)
    print(f"Today of ten thousand patients: {full * 1000:.0f} ms, of none {empty * 1000:.0f} ms")
    assert full < SLOWER * empty


async def fastest(browser: Browser) -> float:
    """Return how many seconds Today takes, the fastest of five."""
    took = []
    for _ in range(5):
        began = perf_counter()
        await today(browser)
        took.append(perf_counter() - began)
    return min(took)


SLOWER = 40
"""Times: several times what is seen. This finds a query that reads a whole table for each row, on any machine."""
MANY = [
    """INSERT INTO clinic.patients (id, clinic, version, state, given_name, family_name, zone, language, enrolled_at)
        SELECT md5('p' || n)::uuid, '{clinic}', 1, 'enrolled', '{name}', '{name}', 'America/New_York', 'en', '{now}'
        FROM generate_series(0, 9999) AS n""",
    """INSERT INTO clinic.seen_plans (id, clinic, patient, version, protocol, protocol_version, phase, interval_days,
        next_due_on, induction_complete, attended, why)
        SELECT md5('q' || n)::uuid, '{clinic}', md5('p' || n)::uuid, 1, 'iv-ketamine', 1, 'maintenance', 28,
        '{now}'::date + CASE n % 10 WHEN 0 THEN 0 ELSE 20 END, true, 7, '' FROM generate_series(0, 9999) AS n""",
    """INSERT INTO clinic.seen_sessions (id, clinic, patient, version, starts_at, zone, starts_at_utc, minutes, state)
        SELECT md5('s' || n || '/' || k)::uuid, '{clinic}', md5('p' || n)::uuid, 1,
        '{now}'::timestamp - k * interval '20 days', 'America/New_York',
        '{now}'::timestamptz - k * interval '20 days', 60,
        CASE WHEN k = 1 AND n % 10 = 1 THEN 'booked' ELSE 'attended' END
        FROM generate_series(0, 9999) AS n, generate_series(1, 10) AS k""",
    """INSERT INTO clinic.seen_replies (id, clinic, patient, version, intent, text, at, read_by)
        SELECT md5('r' || n)::uuid, '{clinic}', md5('p' || n)::uuid, 1, 'other', '{words}',
        '{now}'::timestamptz - n * interval '1 minute',
        CASE WHEN n % 10 < 3 THEN NULL ELSE 'keepwell' END FROM generate_series(0, 9999) AS n""",
    "ANALYZE clinic.patients, clinic.seen_plans, clinic.seen_sessions, clinic.seen_replies",
]
