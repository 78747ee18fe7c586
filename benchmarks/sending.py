"""Sending: due to accepted a second, exactly once, against a provider that answers at once."""

import asyncio
from time import perf_counter
from urllib.parse import urlencode

import aiohttp

from benchmarks.figures import Report
from benchmarks.rivals import measure
from benchmarks.scale import Scale
from benchmarks.split import Split, split

CONNECTIONS = 50
WARM = 500


async def run(report: Report, scale: Scale) -> None:
    for notifiers in (1, 2):
        async with split(notifiers) as here:
            who = "one notifier" if notifiers == 1 else f"{notifiers} notifiers"
            await here.remind(WARM)
            done = [await here.remind(scale.messages) for _ in range(scale.runs)]
            rates = [len(each.waits) / each.seconds for each in done]
            twice = sum(each.twice for each in done)
            sent = scale.messages * scale.runs
            report.add(f"due to accepted, {who}", "1/s", rates, remark=f"{sent} messages, {twice} sent twice")
            if notifiers == 1:
                bare = [await bare_client(here, scale.messages) for _ in range(scale.runs)]
                report.add(f"aiohttp, {CONNECTIONS} connections, the same request", "1/s", bare, bare=True)
            for part in sorted(done[0].processor):
                used = [1e6 * each.processor[part] / scale.messages for each in done]
                report.add(f"processor for a message, {who}: {part}", "µs", used)
    await measure.run(report, scale)


async def bare_client(here: Split, number: int) -> float:
    """Return how many requests a second a bare client makes, in one process, with nothing written down."""
    form = {
        "To": "+15550100000",
        "From": "+15550100000",
        "Body": "x" * 150,
        "StatusCallback": "http://127.0.0.1/" + "x" * 100,
    }
    body = urlencode(form).encode()
    content_type = {"Content-Type": "application/x-www-form-urlencoded"}
    left = iter(range(number))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as http:

        async def caller() -> None:
            for _ in left:
                async with http.post(here.provider, data=body, headers=content_type) as answer:
                    await answer.read()

        began = perf_counter()
        await asyncio.gather(*(caller() for _ in range(CONNECTIONS)))
        return number / (perf_counter() - began)
