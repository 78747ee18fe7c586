"""Latency: from due to stored as accepted, at half of what one notifier can do."""

from statistics import median

from benchmarks.figures import Report, percentile
from benchmarks.scale import Scale
from benchmarks.split import split

WARM = 500


async def run(report: Report, scale: Scale) -> None:
    async with split(1) as here:
        await here.remind(WARM)
        full = [scale.messages / (await here.remind(scale.messages)).seconds for _ in range(scale.runs)]
        report.add("due to accepted, one notifier, all at once", "1/s", full)
        rate = median(full) / 2
        middle, late = [], []
        for _ in range(scale.runs):
            waits = (await here.remind(int(rate * scale.seconds), rate=rate)).waits
            middle.append(1000 * median(waits))
            late.append(1000 * percentile(waits, 0.99))
        remark = f"{rate:.0f} a second for {scale.seconds} s"
        report.add("due to accepted, p50", "ms", middle, remark=remark)
        report.add("due to accepted, p99", "ms", late, remark=remark)
