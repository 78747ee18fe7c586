"""A database that stands still says nothing: whoever opens a link is told so within seconds, and whom to call."""

from time import perf_counter

import pytest

from shared.web.patience import DEFAULT, set_patience
from tests.integration.assessments.ward import CRISIS_EN, Ward, spread
from tests.support.frozen import frozen, server_of

STOOD_FOR = 35
"""Seconds within which there is an answer, on a busy machine too: the database itself would not give one for 40."""


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_frozen_database_never_leaves_a_patient_before_an_empty_page(ward: Ward, method: str) -> None:
    path = ward.path(await ward.ask("phq-9"))
    assert (await ward.bench.call("GET", path, token="")).status == 200
    form = {"instrument": "phq-9", "page": ward.mark(path), **{f"q-{item}": "1" for item in spread(9)}}
    set_patience(ward.bench.app, DEFAULT)
    with frozen(await server_of(ward.bench.database)):
        began = perf_counter()
        page = await ward.bench.call(method, path, data=form if method == "POST" else None, token="")
        took = perf_counter() - began
    assert page.status == 503
    assert took < STOOD_FOR
    assert "This page does not work just now" in page.text
    assert CRISIS_EN in page.text
    assert (await ward.bench.call("GET", path, token="")).status == 200, "once it goes on, so does the page"
