"""What a scrape of this process would show now."""

from shared.telemetry.metrics import REGISTRY


def figure(name: str, **labels: str) -> float:
    """Return a sample's value; fail where there is no such series."""
    value = REGISTRY.get_sample_value(name, labels)
    assert value is not None, f"there is no series {name} with {labels}"
    return value
