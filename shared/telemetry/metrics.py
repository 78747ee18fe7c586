"""Prometheus metrics; no label ever holds an identifier or health data."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY: Final = CollectorRegistry(auto_describe=True)
for _collector in (ProcessCollector, PlatformCollector, GCCollector):
    _collector(registry=REGISTRY)


def counter(name: str, text: str, *labels: str) -> Counter:
    """Register a counter named `keepwell_<name>_total`."""
    return Counter(f"keepwell_{name}", text, labels, registry=REGISTRY)


def gauge(name: str, text: str, *labels: str) -> Gauge:
    """Register a gauge named `keepwell_<name>`."""
    return Gauge(f"keepwell_{name}", text, labels, registry=REGISTRY)


def histogram(name: str, text: str, *labels: str) -> Histogram:
    """Register a histogram named `keepwell_<name>`, in seconds."""
    return Histogram(f"keepwell_{name}", text, labels, registry=REGISTRY)


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
