"""A database that stands still says nothing: whoever opens a link is told so within seconds, and whom to call."""

from time import perf_counter

import pytest

from shared.web.patience import DEFAULT, set_patience
from tests.integration.assessments.harness import CRISIS_EN, AssessmentsHarness, spread
from tests.support.frozen import frozen, server_of

STOOD_FOR = 35
"""Seconds within which there is an answer, on a busy machine too: the database itself would not give one for 40."""


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_frozen_database_never_leaves_a_patient_before_an_empty_page(
    harness: AssessmentsHarness, method: str
) -> None:
    path = harness.path(await harness.ask("phq-9"))
    assert (await harness.bench.call("GET", path, token="")).status == 200
    form = {"instrument": "phq-9", "page": harness.mark(path), **{f"q-{item}": "1" for item in spread(9)}}
    set_patience(harness.bench.app, DEFAULT)
    with frozen(await server_of(harness.bench.database)):
        began = perf_counter()
        page = await harness.bench.call(method, path, data=form if method == "POST" else None, token="")
        took = perf_counter() - began
    assert page.status == 503
    assert took < STOOD_FOR
    assert "This page does not work just now" in page.text
    assert CRISIS_EN in page.text
    assert (await harness.bench.call("GET", path, token="")).status == 200, "once it goes on, so does the page"
