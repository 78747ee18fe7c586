"""One turn of the loop, as the people of a clinic and a patient would do it."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Look, log_in
from tests.support.running import Keepwell

ZONE = ZoneInfo("America/New_York")
PHQ9_OPTION = "Several days"


async def at_hour(clinic: Keepwell, days: int, hour: int) -> datetime:
    day = (await clinic.now()).astimezone(ZONE).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)


async def enrol(page: Page, name: str, number: str) -> str:
    """Enrol a patient on the console and return their id."""
    await page.get_by_role("link", name="Patients", exact=True).first.click()
    await page.get_by_role("link", name="Enrol a patient").first.click()
    await page.get_by_label("Given name").fill(name)
    await page.get_by_label("Family name").fill("Rivera")
    await page.get_by_label("Mobile number").fill(number)
    for purpose in ("reminders of sessions", "check-ins between sessions", "asking them to book"):
        await page.get_by_label(purpose).first.check()
    await page.get_by_label("How they agreed").first.select_option("in person")
    await page.get_by_role("button", name="Enrol").click()
    await expect(page.get_by_role("heading", name=f"{name} Rivera")).to_be_visible()
    return page.url.split("/")[-1].partition("?")[0]


async def start_plan(page: Page) -> None:
    await page.get_by_role("button", name="Start the plan").click()
    await expect(page.locator("#plan")).to_contain_text("Next due")


async def book(page: Page, at: datetime) -> None:
    await page.locator("#f-starts_at").fill(at.strftime("%Y-%m-%dT%H:%M"))
    await page.get_by_role("button", name="Book a session").click()
    await expect(page.locator("#sessions")).to_contain_text("not confirmed")


async def open_phone(page: Page, clinic: Keepwell) -> None:
    """Open the handset whose conversation is the newest."""
    await page.goto(clinic.lines["phone"])
    await page.locator("main a[href*='/sandbox/phone/']").first.click()


async def answer_check_in(page: Page, look: Look, name: str, *, option: str) -> None:
    """Answer every page of a check-in: the option asked for where there is one, else each question's first."""
    for number in range(1, 6):
        groups = page.locator("fieldset:has(input[type=radio])")
        if await groups.count() == 0:
            return
        await look(page, f"{name}-{number}")
        for index in range(await groups.count()):
            group = groups.nth(index)
            wanted = group.get_by_label(option, exact=True)
            await (wanted if await wanted.count() else group.get_by_role("radio").first).check()
        async with page.expect_navigation():
            await page.get_by_role("button", name=re.compile("^(Next|Go on|Send my answers)")).click()
    raise AssertionError("a check-in has no more than five pages")


async def test_one_turn_of_the_loop_in_a_browser(  # noqa: PLR0915 - a turn has many steps
    clinic: Keepwell, desk: BrowserContext, phone: BrowserContext, look: Look
) -> None:
    console = await desk.new_page()
    await console.goto(clinic.lines["console"])
    await look(console, "login")
    await log_in(console, clinic)
    await look(console, "today-empty")

    # Enrol, plan, book.
    patient = await enrol(console, "Ana", "+12025550151")
    await start_plan(console)
    first = await at_hour(clinic, 5, 10)
    await book(console, first)
    await look(console, "patient-booked")

    # The reminder arrives on the phone page; the patient answers C; the console shows it.
    await clinic.live_until(first - timedelta(days=3) + timedelta(minutes=1))
    handset = await phone.new_page()
    await open_phone(handset, clinic)
    await expect(handset.locator("main")).to_contain_text("10:00 AM")
    await look(handset, "phone-reminder")
    await handset.locator("textarea, input[name=Body]").first.fill("C")
    await handset.get_by_role("button", name="Send").click()
    await clinic.live_until(await clinic.now())
    await console.reload()
    await expect(console.locator("#sessions")).to_contain_text("confirmed")
    await expect(console.locator("#sessions")).not_to_contain_text("not confirmed")

    # Attended; the remaining sessions of the induction go by the interface for programs, as a bridge would do it.
    await clinic.live_until(first + timedelta(hours=1))
    await console.reload()
    await console.get_by_role("button", name="Attended").first.click()
    await expect(console.locator("#plan")).to_contain_text("1")
    for _ in range(5):
        at = await at_hour(clinic, 3, 10)
        body = {"patient": patient, "starts_at": at.strftime("%Y-%m-%dT%H:%M"), "minutes": 60}
        session = await clinic.post("/sessions", body, status=201)
        await clinic.live_until(at + timedelta(hours=1))
        await clinic.post(f"/sessions/{session['id']}/attend")
    await clinic.live_until(await at_hour(clinic, 8, 11))

    # The check-in's link is opened on the old phone and answered.
    await open_phone(handset, clinic)
    await handset.locator("a[href*='/c/']").last.click()
    await handset.wait_for_url("**/c/**")
    await answer_check_in(handset, look, "checkin-week", option=PHQ9_OPTION)
    await look(handset, "checkin-thanks")
    await clinic.live_until(await clinic.now())

    # Item 9 was above zero: the alert is loud, and is acknowledged and closed with a note.
    await console.goto(clinic.lines["console"])
    await expect(console.locator("main")).to_contain_text("Ana Rivera")
    await look(console, "today-alert")
    await console.goto(f"{clinic.base}/console/patients/{patient}")
    await look(console, "patient-alert")
    await console.get_by_role("button", name="Acknowledge").first.click()
    await console.get_by_text("Close with a note").first.click()
    await console.get_by_label("What was done").fill("Called; safe, plan agreed.")
    await console.get_by_role("button", name="Close the alert").click()
    await expect(console.get_by_role("button", name="Close the alert")).to_have_count(0)

    # Score and proposal with its reasons; approved; the plan shows the date that follows.
    await expect(console.locator("#scores")).to_contain_text("9")
    proposal = console.locator("#proposal")
    await expect(proposal.locator("ul.points").first).to_be_visible()
    await look(console, "patient-proposal")
    await expect(proposal).not_to_contain_text("Close it first")
    await proposal.get_by_text("Evidence and rule").click()
    await proposal.get_by_text("Set another interval").click()
    await proposal.locator("select[name=interval_days]").select_option("14")
    await proposal.locator("input[name=reason]").fill("Early sign of return.")
    before = await console.locator("#plan time").first.get_attribute("datetime")
    # Two steps at once, and no response on record: a reason is asked for, and stands with the decision.
    await proposal.get_by_role("button", name="Change").click()
    await expect(proposal).to_contain_text("more than one step")
    await look(console, "patient-override")
    await proposal.get_by_label("Why all the same").fill("Seen today together with Dr. Cho.")
    await proposal.get_by_role("button", name="Change").click()
    await clinic.live_until(await clinic.now())
    await console.goto(f"{clinic.base}/console/patients/{patient}")
    await expect(console.locator("#plan")).to_contain_text("14 days")
    after = await console.locator("#plan time").first.get_attribute("datetime")
    assert before is not None
    assert after is not None
    assert datetime.fromisoformat(before) - datetime.fromisoformat(after) == timedelta(days=14)
    await expect(console.locator("main")).to_contain_text("Seen today together with Dr. Cho.")
    await look(console, "patient-decided")

    # A wrong click: it is taken back with a reason, the plan has its date of before, both words stay.
    record = console.get_by_role("region", name="Decisions and closed alerts")
    await record.get_by_text("Take back").click()
    await look(console, "patient-take-back")
    await record.get_by_label("Why it is taken back").fill("Meant for another patient.")
    await record.get_by_role("button", name="Take the decision back").click()
    await clinic.live_until(await clinic.now())
    await console.goto(f"{clinic.base}/console/patients/{patient}")
    await expect(console.locator("#plan time").first).to_have_attribute("datetime", before)
    await expect(record).to_contain_text("Changed by")
    await expect(record).to_contain_text("because: “Meant for another patient.” It counts no more.")
    await expect(proposal.get_by_text("Set another interval")).to_be_visible()
    await look(console, "patient-taken-back")


async def test_a_hold_is_shown_and_asks_for_no_click(clinic: Keepwell, desk: BrowserContext, look: Look) -> None:
    console = await desk.new_page()
    await log_in(console, clinic)
    patient = await enrol(console, "Bea", "+12025550152")
    await start_plan(console)
    checkin = await clinic.post("/checkins", {"patient": patient, "instruments": ["phq-9"]}, status=201)
    answers = {"instrument": "phq-9", "answers": [1, 1, 1, 0, 0, 0, 0, 0, 0], "entered_by": "Alma Reid"}
    await clinic.post(f"/checkins/{checkin['id']}/answers", answers)
    await clinic.live_until(await clinic.now())
    await console.goto(f"{clinic.base}/console/proposals")
    await expect(console.locator("main")).to_contain_text("Nothing to decide.")
    await expect(console.get_by_role("region", name="Staying as they are")).to_contain_text("Bea Rivera")
    await look(console, "proposals")
    await console.goto(f"{clinic.base}/console/patients/{patient}")
    await expect(console.locator("#proposal")).to_contain_text("Induction not complete")
    await expect(console.locator("#proposal").get_by_role("button", name="Approve")).to_have_count(0)


async def test_a_signature_is_withdrawn_and_given_again(clinic: Keepwell, desk: BrowserContext, look: Look) -> None:
    console = await desk.new_page()
    await log_in(console, clinic)
    await console.goto(f"{clinic.base}/console/rules")
    rule = console.locator("article", has_text="PHQ-9 interval rule").first
    await rule.get_by_text("Withdraw the signature").click()
    await look(console, "rules-withdraw")
    await rule.get_by_label("Why").fill("The board has not met yet.")
    await rule.get_by_role("button", name="Withdraw").click()
    await expect(rule).to_contain_text("off until signed")
    await expect(rule).to_contain_text("“The board has not met yet.”")
    await look(console, "rules-withdrawn")
    await console.goto(f"{clinic.base}/console/proposals")
    await expect(console.locator("main")).to_contain_text("off until a clinician of this clinic signs it")
    await console.goto(f"{clinic.base}/console/rules")
    await rule.get_by_role("button", name="Sign version").click()
    await expect(rule).to_contain_text("in force")


async def test_every_other_page_is_silent_under_axe(clinic: Keepwell, desk: BrowserContext, look: Look) -> None:
    console = await desk.new_page()
    await log_in(console, clinic)
    for path in ("patients", "patients/new", "alerts", "proposals", "rules", "settings"):
        await console.goto(f"{clinic.base}/console/{path}")
        await look(console, path.replace("/", "-"))
    for name in ("phone", "mail"):
        await console.goto(clinic.lines[name])
        await look(console, f"sandbox-{name}")
    await console.goto(f"{clinic.base}/c/an-altered-link")
    await look(console, "checkin-closed")


async def test_the_console_fits_a_small_phone_and_the_dark(clinic: Keepwell, browser: object, look: Look) -> None:
    context = await browser.new_context(viewport={"width": 320, "height": 640}, color_scheme="dark")  # type: ignore[attr-defined]
    page = await context.new_page()
    await log_in(page, clinic)
    for path in ("today", "patients", "patients/new", "proposals", "rules"):
        await page.goto(f"{clinic.base}/console/{path}")
        await look(page, f"dark-{path.replace('/', '-')}")
    await context.close()


async def test_two_records_of_one_person_are_one_course_on_one_page(
    clinic: Keepwell, desk: BrowserContext, browser: Browser, look: Look
) -> None:
    contact: dict[str, Any] = {"kind": "sms", "value": "+12025550171", "consents": []}
    body: dict[str, Any] = {
        "given_name": "Eva",
        "family_name": "Rivera",
        "birth_date": "1979-05-04",
        "zone": "America/New_York",
    }
    body |= {"language": "en", "contacts": [contact], "confirm_duplicate": True}
    kept, other = [(await clinic.post("/patients", body, status=201))["id"] for _ in range(2)]
    for patient, answers in ((kept, [1] * 8 + [0]), (other, [2] * 8 + [0])):
        checkin = await clinic.post("/checkins", {"patient": patient, "instruments": ["phq-9"]}, status=201)
        taken = {"instrument": "phq-9", "answers": answers, "entered_by": "Alma Reid"}
        await clinic.post(f"/checkins/{checkin['id']}/answers", taken)
    await clinic.live_until(await clinic.now())
    console = await desk.new_page()
    await log_in(console, clinic)
    await console.goto(f"{clinic.base}/console/patients/{kept}")
    await console.get_by_text("Join with this record").click()
    await console.get_by_label("Why they are one person").fill("One person, two forms")
    await console.get_by_role("button", name="Join, and close the other record").click()
    await expect(console.locator("#answers")).to_contain_text("16 moderately severe")
    await expect(console.locator("#answers")).to_contain_text("8 mild")
    await expect(console.locator("#answers").get_by_text("from the joined record")).to_have_count(1)
    await look(console, "patient-joined")
    small = await browser.new_context(viewport={"width": 320, "height": 640})
    page = await small.new_page()
    await log_in(page, clinic)
    await page.goto(f"{clinic.base}/console/patients/{kept}")
    await look(page, "patient-joined-320")
    await small.close()


async def test_a_printed_list_tells_two_patients_of_one_name_apart(
    clinic: Keepwell, desk: BrowserContext, look: Look
) -> None:
    for born, number in (("1984-06-17", "+12025550161"), ("1991-02-03", "+12025550162")):
        body = {"given_name": "Dee", "family_name": "Rivera", "birth_date": born, "zone": "America/New_York"}
        contact = {"kind": "sms", "value": number, "consents": []}
        await clinic.post("/patients", {**body, "language": "en", "contacts": [contact]}, status=201)
    console = await desk.new_page()
    await log_in(console, clinic)
    await console.goto(f"{clinic.base}/console/patients")
    rows = console.locator("tr", has_text="Dee")
    await expect(rows.first.locator(".born")).to_be_hidden()
    await console.emulate_media(media="print")
    await expect(rows).to_have_count(2)
    for born in ("born Jun 17, 1984", "born Feb 3, 1991"):
        await expect(rows.locator(".born", has_text=born)).to_be_visible()
    await expect(console.locator(".printed")).to_contain_text("printed")
    await look(console, "patients-printed")


async def test_a_wrong_number_is_refused_on_the_form_and_nothing_typed_is_lost(
    clinic: Keepwell, desk: BrowserContext, look: Look
) -> None:
    console = await desk.new_page()
    await log_in(console, clinic)
    await console.goto(f"{clinic.base}/console/patients/new")
    await console.get_by_label("Given name").fill("Cleo")
    await console.get_by_label("Family name").fill("Marsh")
    await console.get_by_label("Mobile number").fill("12")
    await console.get_by_role("button", name="Enrol").click()
    await expect(console.get_by_role("alert")).to_be_visible()
    await expect(console.get_by_label("Given name")).to_have_value("Cleo")
    await look(console, "enrol-refused")
