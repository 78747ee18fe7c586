"""A collector for the tests: takes spans over OTLP/HTTP, as a process sends them, and remembers them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True)
class Span:
    """A span as it arrived; ids are hexadecimal."""

    name: str
    trace: str
    span: str
    parent: str
    links: tuple[str, ...]
    attributes: dict[str, Any]
    process: dict[str, Any]

    @property
    def service(self) -> str:
        """Return the service that it is of, or nothing."""
        return str(self.attributes.get("keepwell.service", ""))


@dataclass
class Collector:
    """What has arrived.

    Attributes:
        url: what a process is told as its endpoint.
        headers: of the latest request.
    """

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        """Take one request's spans."""
        assert request.content_type == PROTOBUF
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        sent = ExportTraceServiceRequest.FromString(await request.read())
        for resource in sent.resource_spans:
            process = _values(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [_span(one, process) for one in scope.spans]
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type=PROTOBUF)

    def of_trace(self, trace: str) -> list[Span]:
        return [span for span in self.spans if span.trace == trace]


def _span(one: Any, process: dict[str, Any]) -> Span:
    return Span(
        name=one.name,
        trace=one.trace_id.hex(),
        span=one.span_id.hex(),
        parent=one.parent_span_id.hex(),
        links=tuple(link.trace_id.hex() for link in one.links),
        attributes=_values(one.attributes),
        process=process,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """Take spans on a free loopback port."""
    taking = Collector()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/traces", taking.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    taking.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield taking
    finally:
        await runner.cleanup()
