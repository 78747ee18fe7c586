"""Prometheus metrics; no label ever holds an identifier or health data.

Each metric says whether processes add up or all say the same, for a query over several processes has to know: a counter
of what this process did is summed; a gauge of what stands in a database is the same in every process that hosts the
service, and its largest value is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY: Final = CollectorRegistry(auto_describe=True)
for _collector in (ProcessCollector, PlatformCollector, GCCollector):
    _collector(registry=REGISTRY)


class Kind(StrEnum):
    """Prometheus' kinds of metrics that are used here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Tells(StrEnum):
    """What a metric speaks of."""

    PROCESS = "sum"
    """This process's share: processes add up."""
    EACH = "each"
    """This process alone: to be looked at process by process."""
    WHOLE = "max"
    """The whole: every process of the service says the same, and the largest is taken."""


@dataclass(frozen=True)
class Metric:
    """A metric as the table of metrics shows it.

    Attributes:
        name: as it is scraped, such as `keepwell_relay_records_total`.
        labels: without what Prometheus adds itself.
    """

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...]
    tells: Tells


CATALOGUE: Final[dict[str, Metric]] = {}
"""Every metric of Keepwell's own whose module was imported, by name."""


def counter(name: str, text: str, *labels: str) -> Counter:
    """Register a counter named `keepwell_<name>_total`."""
    _enter(Metric(f"keepwell_{name}_total", Kind.COUNTER, text, labels, Tells.PROCESS))
    return Counter(f"keepwell_{name}", text, labels, registry=REGISTRY)


def gauge(name: str, text: str, *labels: str, tells: Tells = Tells.PROCESS) -> Gauge:
    """Register a gauge named `keepwell_<name>`."""
    _enter(Metric(f"keepwell_{name}", Kind.GAUGE, text, labels, tells))
    return Gauge(f"keepwell_{name}", text, labels, registry=REGISTRY)


def histogram(name: str, text: str, *labels: str, buckets: Sequence[float]) -> Histogram:
    """Register a histogram named `keepwell_<name>`, in seconds."""
    _enter(Metric(f"keepwell_{name}", Kind.HISTOGRAM, text, labels, Tells.PROCESS))
    return Histogram(f"keepwell_{name}", text, labels, registry=REGISTRY, buckets=buckets)


def _enter(metric: Metric) -> None:
    CATALOGUE[metric.name] = metric


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
