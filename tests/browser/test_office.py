"""Answers by phone, settings, staff and passwords in a real browser; the desk's work without a patient's phone."""

import re

from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.conftest import DESK, Look, log_in
from tests.browser.test_loop import enrol, start_plan
from tests.support.running import Keepwell

OWN = "a few words of my own"


async def test_answers_taken_by_phone_raise_the_same_alert(clinic: Keepwell, desk: BrowserContext, look: Look) -> None:
    console = await desk.new_page()
    await log_in(console, clinic)
    patient = await enrol(console, "Dora", "+12025550164")
    await start_plan(console)
    await console.get_by_role("button", name="Ask for a PHQ-9 now").click()
    await console.get_by_role("link", name=re.compile("Enter answers taken by phone.*asked by staff")).click()
    await look(console, "phone-answers")
    await console.get_by_role("button", name="Save the answers").click()
    await expect(console.get_by_role("alert")).to_contain_text("Not answered yet")
    await look(console, "phone-answers-missing")
    questions = console.locator("fieldset:has(input[type=radio])")
    for index in range(9):
        await questions.nth(index).get_by_label("Several days (1)", exact=True).check()
    await console.get_by_role("button", name="Save the answers").click()
    await console.wait_for_url(f"**/console/patients/{patient}")
    await expect(console.get_by_role("alert").first).to_contain_text("needs a person now")
    await expect(console.locator("#alarm")).to_contain_text("Open safety alert")
    await expect(console.locator("#scores")).to_contain_text("9 mild")
    await expect(console.locator("#alarm")).to_contain_text("988")
    await look(console, "phone-answers-alert")
    await clinic.live_until(await clinic.now())


async def test_settings_staff_and_passwords(
    clinic: Keepwell, desk: BrowserContext, browser: Browser, look: Look
) -> None:
    console = await desk.new_page()
    await log_in(console, clinic)
    await console.goto(f"{clinic.base}/console/settings")
    await console.get_by_role("link", name="Change the settings").click()
    await look(console, "settings-change")
    await console.get_by_label("Texts go out until").fill("07:00")
    await console.get_by_role("button", name="Save").click()
    await expect(console.locator("#e-quiet_until")).to_be_visible()
    await look(console, "settings-change-refused")
    await console.get_by_label("Texts go out until").fill("20:30")
    await console.get_by_role("button", name="Save").click()
    await expect(console.get_by_role("status")).to_contain_text("The settings are saved.")
    await expect(console.locator("main")).to_contain_text("to 20:30")

    await console.get_by_label("Name").fill("Kim Lee")
    await console.get_by_label("Login").fill("kim")
    await console.get_by_role("button", name="Add", exact=True).click()
    password = await console.locator(".secret").inner_text()
    await look(console, "staff-handed")

    context = await browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    other = await context.new_page()
    await other.goto(clinic.lines["console"])
    await other.get_by_label("Login").fill("kim")
    await other.get_by_label("Password").fill(password)
    await other.get_by_role("button", name="Log in").click()
    await other.wait_for_url("**/console/password")
    await look(other, "password-chosen")
    await other.get_by_label("Present password").fill(password)
    await other.get_by_label("New password", exact=True).fill(OWN)
    await other.get_by_label("New password again").fill(OWN)
    await other.get_by_role("button", name="Save the password").click()
    await other.wait_for_url("**/console/today")

    await console.get_by_role("link", name="Done").click()
    await look(console, "settings-staff")
    await console.locator("summary", has_text="Deactivate").click()
    await console.get_by_role("button", name="Deactivate").click()
    await expect(console.get_by_role("status")).to_contain_text("They can log in no more.")
    await other.goto(f"{clinic.base}/console/today")
    await other.wait_for_url("**/console/login")
    await context.close()


async def test_the_office_fits_a_small_phone_in_the_dark(clinic: Keepwell, browser: Browser, look: Look) -> None:
    context = await browser.new_context(viewport={"width": 360, "height": 640}, color_scheme="dark")
    page = await context.new_page()
    await log_in(page, clinic)
    patients = await clinic.get("/patients")
    for path in ("settings", "settings/change", "password", f"patients/{patients['items'][0]['id']}"):
        await page.goto(f"{clinic.base}/console/{path}")
        await look(page, f"dark-{path.split('/')[0] if path.startswith('patients') else path.replace('/', '-')}-office")
    await context.close()
