"""The address by which the doctor tries the way from the provider to us."""

from sqlalchemy import func, select

from services.notifier.tables import CALLBACKS, FORGERIES, INBOUND
from services.notifier.webhooks import PROBE_PATH
from tests.integration.notifier.harness import NotifierHarness

FORM = {"Probe": "keepwell doctor", "Odd": "\u00f1 +&="}


async def kept(harness: NotifierHarness) -> int:
    async with harness.bench.database.reading() as reader:
        counts = [await reader.scalar(select(func.count()).select_from(t)) for t in (CALLBACKS, FORGERIES, INBOUND)]
    return sum(counts)


async def test_a_signed_call_is_taken_and_leaves_nothing_behind(resting: NotifierHarness) -> None:
    assert await resting.fake_provider.post(resting.bench.base_url + PROBE_PATH, FORM) == 204
    assert await kept(resting) == 0


async def test_a_call_that_is_signed_wrongly_is_refused_and_counts_as_no_forgery(resting: NotifierHarness) -> None:
    assert await resting.fake_provider.post(resting.bench.base_url + PROBE_PATH, FORM, token="another") == 403
    assert await kept(resting) == 0


async def test_a_call_without_a_signature_is_refused(resting: NotifierHarness) -> None:
    async with resting.fake_provider.http.post(resting.bench.base_url + PROBE_PATH, data=FORM) as answer:
        assert answer.status == 403
    assert await kept(resting) == 0
