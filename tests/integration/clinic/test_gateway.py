"""Every service behind one address, when some of them are hosted by other processes."""

from collections.abc import AsyncIterator

import pytest
from yarl import URL

from services.clinic.commands.first_start import ensure_first_clinic
from services.clinic.history import HISTORY
from services.clinic.service import build
from shared.clock import SteppedClock
from shared.settings import AssessmentsSettings, ServiceSettings, Settings
from tests.integration.clinic.conftest import CLINICIAN, Owner
from tests.support.bench import KEYRING, Bench, bench_of
from tests.support.databases import Databases


@pytest.fixture
async def front(databases: Databases, clock: SteppedClock, owner: Owner) -> AsyncIterator[Bench]:
    database = await databases.fresh(HISTORY, clock)
    nobody = AssessmentsSettings(url="http://127.0.0.1:9")
    settings = Settings(scheduler=ServiceSettings(url=owner.url), assessments=nobody)
    async with bench_of(build, database, clock, settings=settings) as bench:
        yield bench
    await database.close()


async def test_a_call_is_passed_on_with_its_body_and_habits_and_the_answer_back(front: Bench, owner: Owner) -> None:
    owner.answer("POST", "/sessions", {"id": "s", "version": 1}, status=201)
    answer = await front.call("POST", "/sessions", {"minutes": 60}, headers={"Idempotency-Key": "k", "If-Match": '"1"'})
    assert (answer.status, answer.json) == (201, {"id": "s", "version": 1})
    method, path, body, headers = owner.orders[-1]
    assert (method, path, body) == ("POST", "/sessions", {"minutes": 60})
    assert (headers["idempotency-key"], headers["if-match"]) == ("k", '"1"')
    assert headers["authorization"].startswith("Bearer ")


async def test_the_owners_refusal_is_passed_back_as_it_is(front: Bench, owner: Owner) -> None:
    owner.answer("PATCH", "/sessions/7", {"detail": "It is over."}, status=409)
    answer = await front.call("PATCH", "/sessions/7", {"starts_at": "2026-12-02T10:00"})
    assert (answer.status, answer.json["detail"]) == (409, "It is over.")


async def test_a_service_that_is_away_is_a_503_that_says_which(front: Bench) -> None:
    answer = await front.call("GET", "/alerts")
    assert answer.status == 503
    assert "assessments" in answer.json["detail"]


@pytest.mark.parametrize(("path", "status"), [("/c/a-token", 503), ("/c/a%20token", 404), ("/c/", 503)])
async def test_a_link_whose_service_is_away_leaves_nobody_without_a_number_to_call(
    front: Bench, path: str, status: int
) -> None:
    async with front.database.transaction() as tx:
        await ensure_first_clinic(tx, KEYRING, zone="America/New_York", member=CLINICIAN)
    for method in ("GET", "POST"):
        page = await front.call(method, path, token="")
        assert (page.status, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert "988" in page.text
        assert "Call your clinic: +1" in page.text
        assert "Llame a su clínica: +1" in page.text


async def test_what_is_hosted_here_is_not_passed_on(front: Bench, owner: Owner) -> None:
    answer = await front.call("GET", "/patients")
    assert (answer.status, owner.orders) == (200, [])


async def test_an_answer_too_long_to_be_read_whole_is_passed_on_whole_all_the_same(front: Bench, owner: Owner) -> None:
    long = {"items": ["x" * 1000] * 200, "next": None}
    owner.answer("GET", "/sessions/long", long)
    answer = await front.call("GET", "/sessions/long")
    assert (answer.status, answer.json) == (200, long)


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/%252e%252e/metrics",
        "/webhooks/%2e%2e/metrics",
        "/webhooks/../metrics",
        "/webhooks/..%2fmetrics",
        "/webhooks/x/%252e%252e/%252e%252e/metrics",
        "/api/v1/alerts/%252e%252e/%252e%252e/%252e%252e/readyz",
        "/api/v1/sessions/..%5c..%5cmetrics",
        "/c/%2e%2e/metrics",
        "/api/v1/sessions/7%3Fx",
        "/api/v1/sessions/.",
    ],
)
async def test_no_spelling_of_a_path_leads_to_another_services_pages(front: Bench, owner: Owner, path: str) -> None:
    for service in ("/metrics", "/readyz", "/api/v1/sessions"):
        owner.answer("GET", service, {"secret": "inside"})
    async with front.http.get(URL(f"{front.base_url}{path}", encoded=True)) as answer:
        assert answer.status in {401, 404}
        assert "inside" not in await answer.text()
    assert owner.orders == []


async def test_a_query_is_passed_on_in_the_letters_in_which_it_came(front: Bench, owner: Owner) -> None:
    owner.answer("GET", "/sessions/7", {"id": "7"})
    async with front.http.get(
        URL(f"{front.base_url}/api/v1/sessions/7?after=%2526&q=a+b", encoded=True),
        headers={"Authorization": f"Bearer {front.token()}"},
    ) as answer:
        assert answer.status == 200
