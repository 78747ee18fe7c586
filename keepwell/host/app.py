"""The web application of a process: the hosted services' routes, health, metrics and status."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from aiokafka.errors import KafkaError
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse
from sqlalchemy import func, select
from starlette.staticfiles import StaticFiles

from keepwell.host.engine import Engine
from keepwell.host.trial import TrialTime
from keepwell.host.trial import router as trial_router
from shared.bus import dead_letters
from shared.bus.address import Address
from shared.bus.tables import AT_ONCE, tables_of
from shared.protection import Keyring
from shared.service import Service
from shared.telemetry.metrics import exposition
from shared.web import problems
from shared.web.api import Reads
from shared.web.limits import Limits
from shared.web.pages import SHARED_STATIC, SafeHeaders
from shared.web.patience import DEFAULT, set_patience
from shared.web.problems import Unavailable
from shared.web.tokens import Tokens
from shared.web.watching import Watching

VERSION = version("keepwell")


def application(
    services: Sequence[Service],
    engine: Engine,
    *,
    keyring: Keyring,
    tokens: Tokens,
    kafka: Address,
    trial: TrialTime | None,
    page_seconds: float = DEFAULT,
) -> FastAPI:
    app = FastAPI(
        title="Keepwell",
        version=VERSION,
        summary="Keeps patients well between sessions: plans, reminders, check-ins and interval proposals.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.keyring = keyring
    app.state.tokens = tokens
    set_patience(app, page_seconds)
    problems.install(app)
    app.add_middleware(Limits, tokens=tokens)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Watching)
    app.include_router(health(engine))
    app.include_router(status(services, engine, kafka, trial))
    app.include_router(trial_router(trial))
    for service in services:
        for router in service.routers:
            app.include_router(router)
    app.mount("/static", StaticFiles(directory=SHARED_STATIC, check_dir=False), name="static")
    return app


def health(engine: Engine) -> APIRouter:
    """Return the routes that a supervisor and a Prometheus ask."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Tell that the process lives."""
        return {"status": "ok"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        """Tell whether the process can do its work: database, broker, relay heartbeat, outbox age.

        Notes are what an operator should know though it does its work, such as messages that wait for a person.
        """
        found = await engine.problems()
        told = {"ready": not found, "problems": found, "notes": await engine.notes()}
        return JSONResponse(told, status_code=503 if found else 200)

    @routes.get("/metrics")
    async def metrics() -> Response:
        """Give the metrics in Prometheus' text format."""
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


def status(services: Sequence[Service], engine: Engine, kafka: Address, trial: TrialTime | None) -> APIRouter:
    """Return the route that tells an operator how it stands."""
    routes = APIRouter(prefix="/api/v1", tags=["operation"])

    @routes.get("/status")
    async def tell(_principal: Reads) -> dict[str, Any]:
        """Tell versions, hosted services, and what is waiting."""
        oldest_due: list[Any] = []
        counts: dict[str, int] = {}
        for service in services:
            outbox = tables_of(service.name).outbox
            async with service.database.reading() as reader:
                timer = select(func.min(outbox.c.due_at)).where(outbox.c.due_at != AT_ONCE)
                oldest_due.append(await reader.scalar(timer))
                for name, count in (await service.status(reader)).items():
                    counts[name] = counts.get(name, 0) + count
        try:
            letters = [letter for letter in await dead_letters.read_all(kafka) if letter.replayed_at is None]
            lag = await engine.watch.lag()
            quiet = await engine.idle() and await engine.watch.quiet(engine.idle)
        except KafkaError as error:
            raise Unavailable(f"Kafka does not answer just now: {type(error).__name__}.") from error
        return {
            "version": VERSION,
            "services": [service.name for service in services],
            "now": services[0].database.clock.now() if services else None,
            "trial": trial is not None,
            "oldest_due_timer": min((instant for instant in oldest_due if instant is not None), default=None),
            "outbox_age_seconds": {service.name: await engine.outbox_age(service) for service in services},
            "lag": lag,
            "dead_letters": len(letters),
            "unknown_attempts": counts.pop("unknown_attempts", 0),
            "counts": counts,
            "problems": [*await engine.problems(), *await engine.notes()],
            "quiet": quiet,
        }

    return routes
