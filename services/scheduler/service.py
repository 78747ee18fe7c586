"""The scheduler, put together."""

from pathlib import Path
from typing import Final

from services.scheduler import api
from services.scheduler.handlers import handlers
from services.scheduler.tables import IDEMPOTENCY, METADATA, SCHEMA
from shared.bus.ageing import Ageing, Purge
from shared.database.migrate import History
from shared.service import Context, Loop, Service

HISTORY: Final = History(SCHEMA, Path(__file__).parent / "migrations", METADATA)


def build(context: Context) -> Service:
    """Build the service.

    All that it does later are timers in its outbox, so it has no loop of its own and nothing due besides them.
    """
    return Service(
        name=SCHEMA,
        database=context.database,
        history=HISTORY,
        handlers=handlers,
        routers=api.build(context.database),
        loops=[
            Loop("forgetting", Purge(context.database, [Ageing(IDEMPOTENCY, "created_at")], context.settings.keep).run)
        ],
    )
