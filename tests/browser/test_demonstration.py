"""The demonstration as it starts, used by its three kinds of people; and what a stranger finds in five minutes."""

import asyncio
import json
import os
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import DESK, Look
from tests.support.running import COMMAND, clean_environment

LIVED_WITHIN = 400
"""Seconds in which the demonstration's past is lived, beside busy neighbours too."""
PICTURE = os.environ.get("KEEPWELL_PICTURE")
"""Where the README's picture goes, when it is wanted (`make picture`)."""
OWN = "a few words of my own"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
async def lines() -> AsyncIterator[dict[str, Any]]:
    """The demonstration, from an empty folder, and where everything is."""
    # As root PostgreSQL runs as another account, which pytest's own temporary folders would keep out.
    with tempfile.TemporaryDirectory(prefix="kwb", dir="/tmp", ignore_cleanup_errors=True) as place:
        environment = clean_environment(KEEPWELL_DATA_DIR=place, KEEPWELL_HTTP_PORT="0")
        log = await asyncio.to_thread(lambda: (Path(place) / "process.log").open("wb"))
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "demo", "--json", env=environment, stdout=asyncio.subprocess.PIPE, stderr=log
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(LIVED_WITHIN):
                yield json.loads(await process.stdout.readline())
        finally:
            process.terminate()
            await process.wait()
            log.close()


async def log_in(page: Page, lines: dict[str, Any], login: str, password: str) -> None:
    await page.goto(lines["console"])
    await page.get_by_label("Login").fill(login)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()


async def as_clinician(context: BrowserContext, lines: dict[str, Any]) -> Page:
    page = await context.new_page()
    await log_in(page, lines, lines["login"]["login"], lines["login"]["password"])
    await page.wait_for_url("**/console/today")
    return page


async def as_receptionist(browser: Browser, context: BrowserContext, lines: dict[str, Any]) -> Page:
    """Let a clinician add somebody for the desk, who then chooses a password of their own."""
    clinician = await as_clinician(context, lines)
    await clinician.goto(lines["console"].replace("/today", "/settings"))
    await clinician.get_by_label("Name", exact=True).fill("Kim Lee")
    await clinician.get_by_label("Login", exact=True).fill("kim.lee")
    await clinician.get_by_role("button", name="Add", exact=True).click()
    password = (await clinician.locator(".secret").inner_text()).strip()
    desk = await browser.new_context(viewport=DESK, locale="en-US")  # type: ignore[arg-type]
    desk.set_default_timeout(20_000)
    page = await desk.new_page()
    await log_in(page, lines, "kim.lee", password)
    await page.wait_for_url("**/console/password")
    for label, words in (("Present password", password), ("New password", OWN), ("New password again", OWN)):
        await page.get_by_label(label, exact=True).fill(words)
    await page.get_by_role("button", name="Save the password").click()
    await page.wait_for_url("**/console/today")
    return page


async def own_phone(page: Page, lines: dict[str, Any]) -> str:
    """Take the phone that is left to the visitor; return whose it is."""
    await page.goto(lines["phone"])
    entry = page.locator("li", has_text="you hold this phone").first
    name = (await entry.locator(".who").inner_text()).split("+")[0].strip()
    await entry.locator("a").first.click()
    await page.wait_for_url("**/sandbox/phone/*")
    return name


async def answer(page: Page, look: Look, name: str, *, last: str) -> None:
    """Answer page after page of a check-in: the ninth question with `last`, each other with its first choice."""
    for number in range(1, 7):
        groups = page.locator("fieldset:has(input[type=radio])")
        if await groups.count() == 0:
            return
        await look(page, f"{name}-{number}")
        for index in range(await groups.count()):
            group = groups.nth(index)
            wanted = group.get_by_label(last, exact=True)
            better_off = "better off dead" in (await group.inner_text()).lower()
            await (wanted if better_off and await wanted.count() else group.get_by_role("radio").first).check()
        async with page.expect_navigation():
            await page.get_by_role("button", name=re.compile("^(Save and go on|Send my answers)")).click()
    raise AssertionError("a check-in has no more than six pages")


async def test_the_receptionists_morning(
    browser: Browser, desk: BrowserContext, lines: dict[str, Any], look: Look
) -> None:
    page = await as_receptionist(browser, desk, lines)
    await look(page, "demo-receptionist-today")

    # Somebody's outcome was never recorded: it stands there until the desk says what happened.
    forgotten = page.locator("#unrecorded li").first
    await expect(forgotten).to_contain_text("ago")
    before = int(await page.locator("#unrecorded .chip").first.inner_text())
    await forgotten.get_by_role("button", name="Missed").click()
    await page.wait_for_url("**/console/today")
    await expect(page.get_by_text("Noted as missed.")).to_be_visible()
    left = page.locator("#unrecorded .chip").first
    assert before == 1 or int(await left.inner_text()) == before - 1

    # Who is due and not booked is booked from the list, and drops out of it.
    name = (await page.locator("#due li .person").first.inner_text()).strip()
    await page.locator("#due li").first.get_by_role("link", name="Book").click()
    await page.get_by_role("button", name="Book a session").click()
    await expect(page.locator("#sessions")).to_contain_text("not confirmed")
    await look(page, "demo-receptionist-booked")
    await page.goto(lines["console"])
    await expect(page.locator("#due")).not_to_contain_text(name)

    # A text is read, and is gone.
    words = await page.locator("#replies q").first.inner_text()
    await page.locator("#replies li").first.get_by_role("button", name="Mark as read").click()
    await page.wait_for_url("**/console/today")
    await expect(page.locator("#replies")).not_to_contain_text(words)

    # A patient who calls is found by name, in whatever case.
    await page.goto(lines["console"].replace("/today", "/patients"))
    await page.locator("#q").fill(name.upper())
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator("main")).to_contain_text(name.split()[-1])
    await look(page, "demo-receptionist-found")
    await page.context.close()


async def test_a_patient_at_320_pixels_without_scripts(
    phone: BrowserContext, lines: dict[str, Any], look: Look
) -> None:
    page = await phone.new_page()
    await page.goto(lines["phone"])
    await look(page, "demo-phones")
    await own_phone(page, lines)
    await look(page, "demo-phone")
    links = page.locator("a[href*='/c/']")
    await links.nth(max(await links.count() - 2, 0)).click()
    await page.wait_for_url("**/c/**")
    await answer(page, look, "demo-patient", last="Not at all")
    await expect(page.locator("main")).to_contain_text(re.compile("thank", re.IGNORECASE))
    await look(page, "demo-patient-thanks")


async def test_a_stranger_decides_answers_and_finds_the_alert_within_the_clinicians_five_minutes(
    desk: BrowserContext, phone: BrowserContext, lines: dict[str, Any], look: Look
) -> None:
    page = await as_clinician(desk, lines)
    # What time it is in the clinic, and how fast it runs, is said; and it is the one time of the page.
    await expect(page.locator("#trial")).to_contain_text("Time runs faster here")
    times = [await page.locator(f"{part} time").get_attribute("datetime") for part in ("#trial", "#clock")]
    assert times[0] == times[1]
    await look(page, "demo-clinician-today")
    await page.get_by_role("link", name="Proposals").first.click()
    await expect(page.locator("main")).to_contain_text("Lengthen")
    await expect(page.locator("main")).to_contain_text("Shorten")
    await look(page, "demo-proposals")

    # One patient's page begins with the scores behind the proposal.
    article = page.locator("article.proposal", has_text="Shorten").first
    whose = await article.locator("a.person").get_attribute("href")
    await page.goto(urlsplit(lines["console"])._replace(path=whose or "").geturl())
    await expect(page.locator("svg.chart").first).to_be_visible()
    await look(page, "demo-clinician-patient")
    if PICTURE:
        await page.set_viewport_size({"width": 1280, "height": 1180})
        await page.screenshot(path=PICTURE)
    await page.locator("#proposal").get_by_role("button", name=re.compile("^Approve")).click()
    saved = page.get_by_text("Your decision is saved.")
    await expect(saved).to_be_visible()
    plan = await page.locator("#plan").inner_text()
    assert "every 7 days" in plan or "follows in a moment" in await saved.inner_text()
    await expect(page.locator("#plan")).to_contain_text("7 days", timeout=60_000)
    await look(page, "demo-clinician-decided")

    # A patient answers the question about suicide; the clinic's crisis text stands on the same screen.
    handset = await phone.new_page()
    name = await own_phone(handset, lines)
    await handset.locator("a[href*='/c/']").last.click()
    await handset.wait_for_url("**/c/**")
    await answer(handset, look, "demo-stranger", last="Several days")
    await expect(handset.locator("main")).to_contain_text("988")
    await look(handset, "demo-patient-crisis")

    # The alert is on Today, is acknowledged, stays, and is closed with what was done.
    await page.goto(lines["console"])
    await expect(page.locator("#alarm")).to_contain_text(name, timeout=20_000)
    await look(page, "demo-clinician-alert")
    mine = page.locator("#alarm li", has_text=name).first
    await mine.get_by_role("button", name="Acknowledge").click()
    await page.goto(lines["console"])
    await expect(page.locator("#alarm")).to_contain_text("Acknowledged by")
    await expect(page.locator("#alarm")).to_contain_text(name)
