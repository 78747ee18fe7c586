"""A database that stands still says nothing: the page that is asked for says so within seconds."""

from time import perf_counter

import pytest

from shared.web.patience import DEFAULT, set_patience
from tests.integration.clinic.conftest import Browser, Home
from tests.support.frozen import frozen, server_of

STOOD_FOR = 35
"""Seconds within which there is an answer, on a busy machine too: the database itself would not give one for 40."""


@pytest.mark.parametrize("path", ["/console/today", "/console/patients", "/console/alerts", "/console/login"])
async def test_a_frozen_database_never_leaves_staff_before_an_empty_page(home: Home, path: str) -> None:
    browser: Browser = await home.logged_in()
    set_patience(home.bench.app, DEFAULT)
    with frozen(await server_of(home.bench.database)):
        began = perf_counter()
        page = await browser.get(path)
        took = perf_counter() - began
    assert page.status == 503
    assert took < STOOD_FOR
    for words in ("cannot reach its database", "What still works", "Whom to call", "988"):
        assert words in page.text
    assert page.headers["retry-after"] == "10"
    assert (await browser.get("/console/today")).status == 200, "once it goes on, so does the console"
