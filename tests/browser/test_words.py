"""What was sent and written stands on a patient's page; a doubt about texts is ended there, without scripts too."""

from datetime import timedelta

from playwright.async_api import BrowserContext, expect

from tests.browser.conftest import Look, log_in
from tests.browser.test_loop import at_hour, enrol
from tests.support.running import Keepwell

NUMBER = "+12025550177"


async def test_a_doubt_about_texts_is_ended_beside_what_was_written(
    clinic: Keepwell, desk: BrowserContext, phone: BrowserContext, look: Look
) -> None:
    console = await desk.new_page()
    await log_in(console, clinic)
    patient = await enrol(console, "Cleo", NUMBER)
    first = await at_hour(clinic, 5, 10)
    body = {"patient": patient, "starts_at": first.strftime("%Y-%m-%dT%H:%M"), "minutes": 60}
    await clinic.post("/sessions", body, status=201)
    await clinic.post("/checkins", {"patient": patient, "instruments": ["phq-9"]}, status=201)
    await clinic.live_until(first - timedelta(days=3) + timedelta(minutes=1))

    handset = await phone.new_page()
    await handset.goto(clinic.lines["phone"])
    await handset.locator("main a[href*='/sandbox/phone/']", has_text=NUMBER[-4:]).click()
    link = await handset.locator("a[href*='/c/']").last.get_attribute("href")
    assert link is not None
    secret = link.rpartition("/")[2]
    assert len(secret) > 20
    await handset.locator("textarea, input[name=Body]").first.fill("Enough")
    await handset.get_by_role("button", name="Send").click()
    await clinic.live_until(await clinic.now())

    page = f"{clinic.base}/console/patients/{patient}"
    await console.goto(page)
    messages = console.locator("#messages")
    await expect(messages).to_contain_text("your visit is on")
    await expect(messages).to_contain_text("should we stop texting you?")
    await expect(messages).to_contain_text("Two minutes: http")
    assert secret not in await console.content()
    contacts = console.locator("#contacts")
    await expect(contacts).to_contain_text("Does this number still want texts?")
    await expect(contacts.locator(".doubt q")).to_have_text("Enough")
    await expect(console.locator("#replies").get_by_role("link", name="Note it beside the number")).to_be_visible()
    await look(console, "patient-doubt")

    # The same on a small phone without scripts, where it is ended.
    small = await phone.new_page()
    await log_in(small, clinic)
    await small.goto(page)
    await look(small, "patient-doubt-small")
    await small.get_by_label("What they told you, and how").fill("Cleo meant the pain; wants the reminders. By phone.")
    await small.get_by_role("button", name="Texts go on").click()
    await expect(small.locator("main")).to_contain_text("Noted: texts go on to this number.")
    await expect(small.locator("#contacts")).not_to_contain_text("still want texts")
    await expect(small.locator("#reasons")).to_contain_text("Cleo meant the pain; wants the reminders. By phone.")
    await look(small, "patient-doubt-ended-small")
