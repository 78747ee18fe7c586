"""A whole Keepwell in trial time with its sandbox, and a real Chromium to use it as a person does."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright

from tests.support import chromium
from tests.support.running import Keepwell, keepwell

SCREENSHOTS = Path(os.environ.get("KEEPWELL_SCREENSHOTS", "screenshots"))
DESK = {"width": 1280, "height": 900}
OLD_PHONE = {"width": 320, "height": 568}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Look = Callable[[Page, str], Awaitable[None]]


@pytest.fixture(scope="session")
async def clinic() -> AsyncIterator[Keepwell]:
    """Keepwell in trial time, with the sandbox."""
    settings = {
        "KEEPWELL_CLOCK": "steps",
        "KEEPWELL_TRIAL": "true",
        "KEEPWELL_SANDBOX__PROFILE": "calm",
        "KEEPWELL_ZONE": "America/New_York",
    }
    async with keepwell(settings, loaded=False) as running:
        yield running


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS)
        yield launched
        await launched.close()


@pytest.fixture
async def desk(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A clinician's browser."""
    context = await browser.new_context(viewport=DESK, locale="en-US", timezone_id="America/New_York")  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    yield context
    await context.close()


@pytest.fixture
async def phone(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A patient's small old phone, without JavaScript."""
    context = await browser.new_context(viewport=OLD_PHONE, java_script_enabled=False, is_mobile=True)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    yield context
    await context.close()


@pytest.fixture
async def auditor(browser: Browser) -> AsyncIterator[Page]:
    """A page with scripts, in which axe can look at what a browser without them was shown."""
    context = await browser.new_context(viewport=OLD_PHONE, is_mobile=True)  # type: ignore[arg-type]
    yield await context.new_page()
    await context.close()


@pytest.fixture
def look(auditor: Page) -> Look:
    """Take a screenshot of a page, and let axe find nothing on it."""

    async def at(page: Page, name: str) -> None:
        await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
        scripted = await page.evaluate("() => matchMedia('(scripting: enabled)').matches")
        audited = page if scripted else await copied(page, auditor)
        size = audited.viewport_size
        assert size is not None
        wide = await audited.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= size["width"], f"{name} is {wide} px wide and must be scrolled sideways"
        async with asyncio.timeout(30):
            results = await Axe().run(audited)
        found = [
            f"{rule['id']}: {rule['help']} at {rule['nodes'][0]['html'][:200]}"
            for rule in results.response["violations"]
        ]
        assert found == [], f"{name}: " + "; ".join(found)

    return at


async def copied(page: Page, auditor: Page) -> Page:
    """Show what a page shows at the same address in a browser with scripts: axe needs them to run."""
    content = await page.content()

    async def same(route: Route) -> None:
        await route.fulfill(body=content, content_type="text/html; charset=utf-8")

    await auditor.route(page.url, same)
    await auditor.goto(page.url)
    await auditor.unroute(page.url)
    return auditor


async def log_in(page: Page, clinic: Keepwell) -> None:
    """Log in with the first login."""
    await page.goto(clinic.lines["console"])
    await page.get_by_label("Login").fill(clinic.lines["login"]["login"])
    await page.get_by_label("Password").fill(clinic.lines["login"]["password"])
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url("**/console/today")
