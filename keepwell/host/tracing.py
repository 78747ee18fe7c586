"""Switches traces on where the settings name a collector. Nothing of OpenTelemetry is loaded where they do not."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

from shared.settings import SERVICES, Settings, SettingsError
from shared.telemetry import spans
from shared.telemetry.log import get_logger

log = get_logger(__name__)


@asynccontextmanager
async def tracing(settings: Settings, hosted: Sequence[str]) -> AsyncIterator[None]:
    """Record spans while the block runs, and send what is left at its end.

    Args:
        settings: of the process.
        hosted: the services that it hosts; a process of one service goes by its name.

    Raises:
        SettingsError: the collector's headers are malformed.
    """
    if settings.otlp_endpoint is None:
        yield
        return
    from shared.telemetry import otlp  # noqa: PLC0415 - the SDK is loaded only where it is used

    collector = otlp.Collector(settings.otlp_endpoint, headers_of(settings), settings.trace_share)
    recording = otlp.Recording(
        name="keepwell" if len(hosted) == len(SERVICES) else f"keepwell-{'-'.join(hosted)}",
        version=version("keepwell"),
        # Of several processes of one name that keep none over a restart, each needs one.
        instance=settings.instance or secrets.token_hex(4),
        share=collector.share,
        processor=otlp.to_collector(collector),
    )
    spans.switch(recording)
    log.info("traces.on", endpoint=collector.endpoint, share=collector.share)
    try:
        yield
    finally:
        spans.switch(None)
        await asyncio.to_thread(recording.close)


def headers_of(settings: Settings) -> dict[str, str]:
    """Return the headers for the collector.

    Raises:
        SettingsError: they are not `name=value` with commas.
    """
    given = settings.otlp_headers.get_secret_value() if settings.otlp_headers else ""
    headers: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in given.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise SettingsError("KEEPWELL_OTLP_HEADERS is (a secret): write it as name=value,name=value.")
        headers[name.strip()] = value.strip()
    return headers
