"""A database that stands still says nothing: whoever opens a link is told so within seconds, and whom to call."""

from time import perf_counter

import pytest

from services.assessments.pages import PATIENCE
from tests.integration.assessments.ward import CRISIS_EN, Ward, spread
from tests.support.frozen import frozen, server_of


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_frozen_database_never_leaves_a_patient_before_an_empty_page(ward: Ward, method: str) -> None:
    path = ward.path(await ward.ask("phq-9"))
    assert (await ward.bench.call("GET", path, token="")).status == 200
    form = {"instrument": "phq-9", "page": ward.mark(path), **{f"q-{item}": "1" for item in spread(9)}}
    with frozen(await server_of(ward.bench.database)):
        began = perf_counter()
        page = await ward.bench.call(method, path, data=form if method == "POST" else None, token="")
        took = perf_counter() - began
    assert page.status == 503
    assert took < PATIENCE + 5
    assert "This page does not work just now" in page.text
    assert CRISIS_EN in page.text
    assert (await ward.bench.call("GET", path, token="")).status == 200, "once it goes on, so does the page"
