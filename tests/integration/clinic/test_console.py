import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.clinic.authentication import LIVE_HEADER
from services.clinic.tables import AUDIT
from shared import events
from shared.bus import NotYet
from tests.integration.clinic.conftest import Browser, Home, a_body
from tests.integration.clinic.sample_events import NOON, SampleEvents
from tests.support.bench import KEYRING, running

SAID: dict[str, Any] = {"why": "the phone could not be reached", "step": "Call, and ask whether the number is right."}


@pytest.fixture
def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.login.clinic, UUID(patient["id"]))


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


async def test_the_day_shows_sessions_by_hour_with_their_state(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.session())
    await home.bench.tell(sample.session(events.SessionConfirmed, version=2, state="confirmed"))
    page = (await browser.get("/console/today")).text
    assert "2:00 PM" in page
    assert "Maya Okafor" in page
    assert '<span class="chip good">confirmed</span>' in page


async def test_an_older_event_changes_nothing(home: Home, sample: SampleEvents, browser: Browser) -> None:
    await home.bench.tell(sample.session(events.SessionConfirmed, version=2, state="confirmed"))
    await home.bench.tell(sample.session(version=1))
    assert '<span class="chip good">confirmed</span>' in (await browser.get("/console/today")).text


async def test_a_page_that_reached_nobody_is_never_called_made(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.raised())
    assert (
        "A page is on its way; nothing says yet that it reached anybody." in (await browser.get("/console/today")).text
    )
    page = {"purpose": "page", "about": sample.alert_id, "occurrence": "page-1", "to": "+1•••••••0999"}
    await home.bench.tell(
        sample.message(events.MessageWithheld, 1, **page, reason="opted_out", why="the number said STOP")
    )
    shown = (await browser.get("/console/alerts")).text
    assert "No page has reached anybody: text to +1•••••••0999: the number said STOP" in shown
    assert "Paged:" not in shown
    await home.bench.tell(sample.message(events.MessageSent, 1, **page, message=uuid4()))
    assert (
        "Paged: text to +1•••••••0999, taken by the provider, not yet delivered"
        in (await browser.get("/console/alerts")).text
    )


async def test_that_alerts_reach_nobody_stands_on_today_before_an_alert(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    contact = events.OnCallContact(kind="sms", to="+1•••••••0999", trouble="stopped")
    checked = events.OnCallChecked(clinic=home.bench.clinic, version=2, contacts=(contact,), at=NOON)
    await home.bench.tell(checked)
    for place in ("/console/today", "/console/settings"):
        assert "Alerts reach nobody on call: +1•••••••0999 said STOP" in (await browser.get(place)).text
    well = contact.model_copy(update={"trouble": None})
    await home.bench.tell(checked.model_copy(update={"version": 1, "contacts": (well,)}))
    assert "Alerts reach nobody on call" in (await browser.get("/console/today")).text
    await home.bench.tell(checked.model_copy(update={"version": 3, "contacts": (well,)}))
    assert "Alerts reach nobody on call" not in (await browser.get("/console/today")).text


async def test_a_task_stands_on_today_and_is_not_said_to_page(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.raised().model_copy(update={"level": "task", "page_number": 0, "patient": None}))
    page = (await browser.get("/console/today")).text
    assert "Nobody is paged for this; it waits until it is closed." in page
    assert "Unknown number" in page


async def test_an_alert_whose_raising_was_missed_is_never_hidden_once_it_is_paged_again(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.raised(events.AlertOverdue, page_number=2))
    assert "1 safety alert not acknowledged yet" in (await browser.get("/console/today")).text
    await home.bench.tell(sample.acknowledged())
    assert "1 acknowledged safety alert to close" in (await browser.get("/console/today")).text


async def test_an_alert_is_loud_until_it_is_acknowledged_and_its_pages_are_counted(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.raised())
    await home.bench.tell(sample.raised(events.AlertOverdue, page_number=2))
    page = (await browser.get("/console/today")).text
    assert "1 safety alert not acknowledged yet" in page
    assert "nothing says yet that it reached anybody. Nobody has acknowledged it yet." in page
    await home.bench.tell(sample.acknowledged())
    await home.bench.tell(sample.raised())
    page = (await browser.get("/console/today")).text
    assert "alarm-band" not in page
    assert "1 acknowledged safety alert to close" in page
    await home.bench.tell(sample.closed())
    page = (await browser.get("/console/alerts")).text
    assert "Called, safe at home." in page


async def test_an_acknowledgement_before_its_alert_is_tried_again(home: Home, sample: SampleEvents) -> None:
    with pytest.raises(NotYet):
        await home.bench.tell(sample.acknowledged())


async def test_a_completed_check_in_is_no_more_waited_for_and_its_score_is_drawn(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.opened())
    assert "PHQ-9, day 7" in (await browser.get("/console/today")).text
    await home.bench.tell(sample.completed(total=12))
    await home.bench.tell(sample.expired(version=2))
    assert "No check-in waits for an answer." in (await browser.get("/console/today")).text
    page = (await browser.get(f"/console/patients/{patient['id']}")).text
    assert 'class="dot flag"' in page
    assert "12 moderate" in page
    assert "Item 9 above zero" in page


async def test_what_did_not_go_out_is_shown_with_its_reason_and_story(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.message(events.MessageSent, 1))
    await home.bench.tell(sample.message(events.MessageFailed, 2, error="30003", **SAID))
    await home.bench.tell(sample.message(events.MessageDelivered, 1))
    assert "The phone could not be reached. Call" in (await browser.get("/console/today")).text
    page = (await browser.get(f"/console/patients/{patient['id']}")).text
    assert page.index("accepted by the provider") < page.index("failed: the phone could not be reached")


async def test_a_reply_is_shown_until_somebody_has_read_it(home: Home, sample: SampleEvents, browser: Browser) -> None:
    reply = sample.reply("Can I come at noon?")
    await home.bench.tell(reply)
    assert "Can I come at noon?" in (await browser.get("/console/today")).text
    assert (await browser.post(f"/console/replies/{reply.reply}/read")).status == 303
    assert "Can I come at noon?" not in (await browser.get("/console/today")).text


async def test_consent_that_was_taken_back_is_said_with_what_the_carrier_needs(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    contact = UUID(patient["contacts"][0]["id"])
    said = {
        "contact": contact,
        "kind": "sms",
        "purposes": ("reminders", "checkins"),
        "how": "text",
        "at": "2026-12-01T18:00Z",
    }
    await home.bench.tell(events.ConsentChanged(**sample.whose, version=1, granted=False, **said))
    page = (await browser.get(f"/console/patients/{patient['id']}")).text
    assert "text START" in page
    assert "nothing is sent here" in page


async def test_a_decision_goes_to_its_owner_with_version_and_key_and_is_shown_at_once(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.proposed())
    path = f"/proposals/{sample.proposal_id}/decision"
    answer = {"id": str(sample.proposal_id), "version": 2, "state": "approved", "interval_days": 21}
    home.owner.answer("POST", path, {**answer, "decided_by": "Alma Reid", "decided_at": "2026-12-01T17:00:00+00:00"})
    page = await browser.get("/console/proposals")
    assert "Two cycles in a row stayed at 9 or below." in page.text
    key = str(uuid4())
    done = await browser.post(
        f"/console{path}", decision="approve", version="1", key=key, reason="", interval_days="21"
    )
    assert (done.status, done.headers["location"]) == (303, f"/console/patients/{patient['id']}")
    method, ordered, body, headers = home.owner.orders[-1]
    assert (method, ordered, body) == ("POST", path, {"decision": "approve"})
    assert (headers["idempotency-key"], headers["if-match"]) == (key, '"1"')
    page = await browser.get(done.headers["location"])
    assert "Your decision is saved." in page.text
    assert "Approved by Alma Reid" in page.text
    await home.bench.tell(sample.decided())
    assert "Nothing to decide." in (await browser.get("/console/proposals")).text


async def test_when_the_owner_is_down_the_page_says_so_and_keeps_what_was_typed(
    home: Home, browser: Browser, patient: Any
) -> None:
    home.owner.answer("POST", "/sessions", {"detail": "away"}, status=503)
    answer = await browser.post(
        f"/console/patients/{patient['id']}/sessions", starts_at="2026-12-08T10:30", minutes="45", key=str(uuid4())
    )
    assert answer.status == 503
    assert "Please try again" in answer.text
    assert 'value="2026-12-08T10:30"' in answer.text
    assert 'value="45"' in answer.text


async def test_a_refusal_of_the_owner_stands_at_its_field(home: Home, browser: Browser, patient: Any) -> None:
    flaw = {"pointer": "/starts_at", "detail": "2026-11-01T10:00 lies in the past."}
    home.owner.answer("POST", "/sessions", {"detail": "Some of it cannot be used.", "errors": [flaw]}, status=422)
    answer = await browser.post(
        f"/console/patients/{patient['id']}/sessions", starts_at="2026-11-01T10:00", minutes="60", key=str(uuid4())
    )
    assert answer.status == 422
    assert '<p class="error" id="e-starts_at">Sun, Nov 1, 2026, 10:00 AM lies in the past.</p>' in answer.text


async def test_a_booked_session_is_shown_before_its_event_has_come(
    home: Home, browser: Browser, patient: Any, sample: SampleEvents
) -> None:
    session = sample.session().model_dump(mode="json")
    home.owner.answer("POST", "/sessions", {**session, "id": session["session"]}, status=201)
    booked = await browser.post(
        f"/console/patients/{patient['id']}/sessions", starts_at="2026-12-01T14:00", minutes="60", key=str(uuid4())
    )
    assert booked.status == 303
    assert home.owner.orders[-1][2]["zone"] == "America/New_York"
    assert "Tue, Dec 1, 2026, 2:00 PM" in (await browser.get(booked.headers["location"])).text
    await home.bench.tell(sample.session())
    assert (await browser.get("/console/today")).text.count('class="visit') == 1


async def test_a_time_that_looks_like_a_slip_is_asked_about_and_taken_when_it_is_meant(
    home: Home, browser: Browser, patient: Any, sample: SampleEvents
) -> None:
    typed = {"starts_at": "2026-12-01T03:00", "minutes": "60"}
    for field, words in (("odd_hour", "This hour is meant"), ("entered_afterwards", "It took place already")):
        flaw = {"pointer": f"/{field}", "detail": "Is this meant?"}
        home.owner.answer("POST", "/sessions", {"detail": "No.", "errors": [flaw]}, status=422)
        refused = await browser.post(f"/console/patients/{patient['id']}/sessions", **typed, key=str(uuid4()))
        assert refused.status == 422
        assert "Is this meant?" in refused.text
        assert words in refused.text
        session = sample.session().model_dump(mode="json")
        home.owner.answer("POST", "/sessions", {**session, "id": session["session"]}, status=201)
        path = f"/console/patients/{patient['id']}/sessions"
        await browser.post(path, **typed, key=str(uuid4()), **{field: "yes"})
        assert home.owner.orders[-1][2][field] is True


async def test_the_owner_of_sessions_is_told_what_was_typed_and_never_what_keeps_the_form(
    home: Home, browser: Browser, patient: Any, sample: SampleEvents
) -> None:
    home.owner.answer("POST", "/sessions", sample.session().model_dump(mode="json") | {"id": str(sample.session_id)})
    path = f"/console/patients/{patient['id']}/sessions"
    typed = {"starts_at": "2026-12-10T10:00", "minutes": "45", "kind": "consultation", "odd_hour": "yes"}
    await browser.post(path, **typed, key=str(uuid4()))
    body = home.owner.orders[-1][2]
    whose = {"patient": patient["id"], "zone": "America/New_York"}
    assert body == {**whose, **typed, "minutes": 45, "odd_hour": True}


async def test_a_wrong_record_is_corrected_with_a_reason_that_stands_where_the_next_reader_looks(
    home: Home, browser: Browser, patient: Any, sample: SampleEvents
) -> None:
    await home.bench.tell(sample.session())
    await home.bench.tell(sample.session(events.SessionMissed, version=2, state="missed"))
    page = (await browser.get(f"/console/patients/{patient['id']}")).text
    assert "Correct the record" in page
    assert "Reason" in page
    answer = {**sample.session(version=3, state="attended").model_dump(mode="json"), "id": str(sample.session_id)}
    home.owner.answer("POST", f"/sessions/{sample.session_id}/correct", answer)
    path = f"/console/sessions/{sample.session_id}/correct"
    done = await browser.post(path, state="attended", reason="Came at 10:25.", version="2", key=str(uuid4()))
    assert done.status == 303
    assert home.owner.orders[-1][2] == {"state": "attended", "reason": "Came at 10:25."}
    why = {"by": "Alma Reid", "at": NOON, "reason": KEYRING.seal("Came at 10:25.", context="correction")}
    told = sample.session(
        events.SessionCorrected, version=4, state="attended", before="missed", not_asked=("day-1",), **why
    )
    await home.bench.tell(told)
    page = (await browser.get(f"/console/patients/{patient['id']}")).text
    assert "Recorded as missed at first. Corrected by Alma Reid" in page
    assert "Came at 10:25." in page
    assert "Recorded too late to ask: day 1." in page


async def test_a_yes_that_was_taken_back_is_not_shown_as_confirmed(
    home: Home, browser: Browser, sample: SampleEvents
) -> None:
    await home.bench.tell(sample.session(events.SessionConfirmed, version=2, state="confirmed"))
    await home.bench.tell(sample.session(events.SessionUnconfirmed, version=3, state="booked"))
    assert '<span class="chip good">confirmed</span>' not in (await browser.get("/console/today")).text


async def test_a_patient_is_enrolled_found_and_changed_by_forms(home: Home, browser: Browser) -> None:
    await browser.get("/console/patients/new")
    fields = {"family_name": "Marín", "zone": "America/Chicago", "language": "es", "sms": "+1 312 555 0188"}
    consent = {"sms-reminders": "yes", "sms-how": "on paper", "sms-at": "2026-12-01"}
    done = await browser.post("/console/patients/new", given_name="Lucía", **fields, **consent)
    assert done.status == 303, done.text
    there = done.headers["location"]
    page = await browser.get(there)
    assert "The patient is enrolled." in page.text
    assert "Reminders: agreed on paper, Tue, Dec 1, 2026" in page.text
    found = await browser.post("/console/patients", q="marín")
    assert "Marín, Lucía" in found.text
    form = await browser.get(f"{there}/change")
    assert 'value="+13125550188"' in form.text
    stale = await browser.post(f"{there}/change", given_name="L", version="7", **fields, **consent)
    assert stale.status == 412
    changed = await browser.post(f"{there}/change", given_name="Luz", version="1", **fields, **consent)
    assert changed.status == 303
    assert "Luz Marín" in (await browser.get(done.headers["location"])).text


async def test_a_wrong_number_comes_back_at_its_field_with_all_that_was_typed(home: Home, browser: Browser) -> None:
    answer = await browser.post(
        "/console/patients/new",
        given_name="Maya",
        family_name="Okafor",
        zone="America/New_York",
        language="en",
        email="maya@example.org",
        sms="12345",
    )
    assert answer.status == 422
    assert 'id="e-sms"' in answer.text
    assert 'value="maya@example.org"' in answer.text


async def test_another_clinics_patient_and_unknown_things_are_a_kind_page(home: Home, browser: Browser) -> None:
    for path in (f"/console/patients/{uuid4()}", "/console/patients/nonsense"):
        answer = await browser.get(path)
        assert answer.status == 404
        assert "Back to today" in answer.text
    assert (await browser.post(f"/console/alerts/{uuid4()}/acknowledge")).status == 404


async def test_rules_show_their_source_and_are_signed(home: Home, browser: Browser) -> None:
    rule = {
        "id": "interval-ladder",
        "rule_version": 2,
        "name": "PHQ-9 interval rule",
        "text": "Shorten or lengthen by one step.\nElse hold.",
        "points": ["Shorten or lengthen by one step.", "Else hold."],
        "source_url": "https://example.org/stable",
        "grade": "ENGINEERING_DEFAULT",
        "verified_on": "2026-11-21",
        "applies_to": "interval proposals",
        "needs_signature": True,
        "runs": False,
        "signed_by": None,
        "signed_at": None,
        "signed_version": 1,
        "note": None,
    }
    home.owner.answer("GET", "/rules", {"items": [rule], "next": None})
    home.owner.answer("POST", "/rules/interval-ladder/sign", {**rule, "signed_by": "Alma Reid"})
    page = (await browser.get("/console/rules")).text
    assert "Keepwell&#39;s own choice, not from a study" in page
    assert "engineering default" not in page.lower()
    assert "https://example.org/stable" in page
    assert "PHQ-9 interval rule" in page
    assert "Interval ladder" not in page
    assert "<li>Else hold.</li>" in page
    assert "Version 1 was signed; version 2 must be signed anew." in page
    assert (await browser.post("/console/rules/interval-ladder/sign", key=str(uuid4()))).status == 303
    assert home.owner.orders[-1][1] == "/rules/interval-ladder/sign"


async def test_the_settings_page_shows_the_crisis_text_and_masks_the_person_on_call(
    home: Home, browser: Browser
) -> None:
    page = (await browser.get("/console/settings")).text
    assert "988" in page
    assert "0199" in page
    assert "+12025550199" not in page


async def test_the_stream_says_only_which_part_to_fetch_again(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    async with home.bench.http.get(f"{home.bench.base_url}/console/events", headers={"Cookie": cookie}) as stream:
        assert b"hello" in await stream.content.readuntil(b"\n\n")
        await home.bench.tell(sample.raised())
        assert await stream.content.readuntil(b"\n\n") == b"event: refetch\ndata: alerts\n\n"


async def test_streams_end_when_the_process_stops(home: Home, browser: Browser) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    async with home.bench.http.get(f"{home.bench.base_url}/console/events", headers={"Cookie": cookie}) as stream:
        async with running(home.bench.service):
            assert b"hello" in await stream.content.readuntil(b"\n\n")
        async with asyncio.timeout(5):
            assert await stream.content.read() == b""


async def test_a_stream_without_a_login_tells_the_browser_not_to_come_back(home: Home) -> None:
    assert (await home.browser().get("/console/events")).status == 204


async def test_the_list_goes_by_name_with_those_who_left_at_its_end(home: Home, browser: Browser) -> None:
    for given, family in (("Zoe", "Adams"), ("Ben", "Young"), ("amy", "adams")):
        await home.bench.call("POST", "/patients", a_body(given_name=given, family_name=family, contacts=[]))
    everyone = (await home.bench.call("GET", "/patients?q=zoe")).json["items"]
    await home.bench.call("POST", f"/patients/{everyone[0]['id']}/discharge", {"reason": "Well"})
    page = (await browser.get("/console/patients")).text
    assert page.index("adams, amy") < page.index("Young, Ben") < page.index("Adams, Zoe")


async def test_a_page_that_stays_open_is_noted_once(home: Home, browser: Browser, patient: Any) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    path = f"{home.bench.base_url}/console/patients/{patient['id']}"
    for headers in ({}, {LIVE_HEADER: "1"}, {LIVE_HEADER: "1"}):
        async with home.bench.http.get(path, headers={"Cookie": cookie, **headers}) as page:
            assert page.status == 200
    async with home.bench.database.reading() as reader:
        rows = await reader.all(select(AUDIT).where(AUDIT.c.what == "patient.read"))
    assert len(rows) == 1


async def test_a_yes_to_a_session_asks_nobody_to_read_it_and_a_yes_to_nothing_does(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.session())
    await home.bench.tell(sample.reply("C", intent="confirm", session=sample.session_id, session_version=1))
    assert "Every text is read." in (await browser.get("/console/today")).text
    await home.bench.tell(sample.reply("C", intent="confirm"))
    assert "confirms" in (await browser.get("/console/today")).text


@pytest.mark.parametrize("change", [{"state": "cancelled"}, {"starts_at": "2026-12-03T14:00"}])
async def test_a_yes_to_what_was_cancelled_or_moved_meanwhile_is_to_be_read(
    home: Home, sample: SampleEvents, browser: Browser, change: dict[str, str]
) -> None:
    await home.bench.tell(sample.session())
    await home.bench.tell(sample.session(events.SessionMoved, version=2, **change))
    await home.bench.tell(sample.reply("C", intent="confirm", session=sample.session_id, session_version=1))
    assert "confirms" in (await browser.get("/console/today")).text


async def test_plain_words_are_history_on_the_patients_page_and_nothing_to_read(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    for intent in ("stop", "start", "help"):
        await home.bench.tell(sample.reply(intent.upper(), intent=intent))
    assert "Every text is read." in (await browser.get("/console/today")).text
    page = (await browser.get(f"/console/patients/{patient['id']}")).text
    assert "Texts to read" not in page
    assert page.count("Text from the patient") == 3
    await home.bench.tell(sample.reply("Stop texting me, I cannot bear it any more", intent="stop"))
    assert "cannot bear it" in (await browser.get("/console/today")).text


async def test_a_provider_whose_calls_are_refused_is_never_out_of_the_staffs_sight(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    def said(version: int, what: str | None) -> events.FindingChanged:
        return events.FindingChanged(clinic=home.bench.clinic, version=version, kind="webhooks", what=what, at=NOON)

    await home.bench.tell(said(2, "9 calls were refused: its auth token was changed"))
    await home.bench.tell(said(1, None))
    assert "9 calls were refused" in (await browser.get("/console/today")).text
    await home.bench.tell(said(3, None))
    assert "calls were refused" not in (await browser.get("/console/today")).text


async def test_a_text_from_a_number_that_is_nobodys_is_never_out_of_sight(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    event = events.UnknownNumberTexted(
        clinic=home.bench.clinic,
        version=1,
        reply=uuid4(),
        intent="stop",
        number=KEYRING.seal("+12025550177", context="contact"),
        masked="+1•••••••0177",
        text=KEYRING.seal("STOP", context="reply"),
        at=NOON,
    )
    await home.bench.tell(event)
    await home.bench.tell(sample.reply("hello"))
    page = (await browser.get("/console/today")).text
    assert "Unknown number +12025550177" in page
    assert page.index("hello") < page.index("Unknown number"), "a text of a patient that asks something comes first"
    answer = await browser.post(f"/console/replies/{event.reply}/read")
    assert answer.status == 303
    assert "Unknown number" not in (await browser.get("/console/today")).text


async def test_a_visit_that_may_fall_away_stands_above_older_small_talk(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.reply("lovely weather"))
    await home.bench.tell(sample.reply("cannot make it", intent="decline", at=NOON + timedelta(hours=1)))
    await home.bench.tell(sample.reply("CANCEL", intent="stop", flags=("may-mean-visit",), at=NOON))
    page = (await browser.get("/console/today")).text
    assert page.index("CANCEL") < page.index("cannot make it") < page.index("lovely weather")
    assert "It may also have meant the visit" in page


async def test_only_the_newest_messages_and_check_ins_are_unfolded(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    for number in range(10):
        await home.bench.tell(sample.reply(f"Word {number}"))
        sample.checkin_id = uuid4()
        await home.bench.tell(sample.opened())
    page = (await browser.get(f"/console/patients/{patient['id']}")).text
    assert '2 earlier<span class="hush"> messages</span>' in page
    assert '2 earlier<span class="hush"> check-ins</span>' in page


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            "2026-11-20T10:00 has passed; it is now 2026-11-26T20:36Z.",
            "Nov 20, 2026, 10:00 AM has passed; it is now Thu",
        ),
        ("Input should be a valid integer", "Give a whole number, such as 60"),
    ],
)
async def test_staff_never_read_an_owners_refusal_in_machine_language(
    home: Home, browser: Browser, patient: Any, said: str, read: str
) -> None:
    refused = {"detail": "Some of it cannot be used.", "errors": [{"pointer": "/starts_at", "detail": said}]}
    home.owner.answer("POST", "/sessions", refused, status=422)
    page = await browser.post(f"/console/patients/{patient['id']}/sessions", starts_at="2026-11-20T10:00", minutes="x")
    assert page.status == 422
    assert read in page.text
    assert said not in page.text


@pytest.mark.parametrize(
    "path", ["/console/nowhere", "/nowhere", "/console/patients/nonsense/change", "/console/logout"]
)
async def test_an_unknown_address_is_a_page_with_a_way_on_and_for_a_program_a_document(home: Home, path: str) -> None:
    browser = await home.logged_in()
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    for method in ("GET", "HEAD"):
        async with home.bench.http.request(
            method, home.bench.base_url + path, headers={"Accept": "text/html,*/*;q=0.8", "Cookie": cookie}
        ) as answer:
            assert answer.status in {404, 405}
            assert "text/html" in answer.headers["content-type"]
            assert method == "HEAD" or "/console/today" in await answer.text()
    told = await home.bench.call("GET", "/api/v1/nowhere", headers={"Accept": "text/html"})
    assert (told.status, told.json["status"]) == (404, 404)


async def test_the_front_desk_closes_no_danger(home: Home, sample: SampleEvents, browser: Browser) -> None:
    added = await browser.post("/console/staff", login="kim", name="Kim Lee", role="staff")
    match = re.search(r'class="secret">([^<]+)<', added.text)
    assert match is not None
    desk, own = home.browser(), "a few words of my own"
    assert (await desk.login("kim", match[1])).status == 303
    await desk.get("/console/password")
    assert (await desk.post("/console/password", old=match[1], new=own, again=own)).status == 303
    await home.bench.tell(sample.raised())
    page = (await desk.get("/console/alerts")).text
    assert "A clinician closes it, with what was done." in page
    assert f"/console/alerts/{sample.alert_id}/close" not in page
    assert f"/console/alerts/{sample.alert_id}/acknowledge" in page
    answer = await desk.post(f"/console/alerts/{sample.alert_id}/close", disposition="Called her, all is well.")
    assert answer.status == 403
    assert f"/console/alerts/{sample.alert_id}/close" in (await browser.get("/console/alerts")).text
