"""The scheduler, put together."""

from services.scheduler import api
from services.scheduler.handlers import handlers
from services.scheduler.history import HISTORY
from services.scheduler.store import IN_CLEAR
from services.scheduler.tables import IDEMPOTENCY, SCHEMA
from shared.bus.retention import Purge
from shared.sealing import Sealing
from shared.service import Context, Loop, Service
from shared.web.idempotency import forgotten


def build(context: Context) -> Service:
    """Build the service.

    All that it does later are timers in its outbox, so it has no loop of its own and nothing due besides them.
    """
    return Service(
        name=SCHEMA,
        database=context.database,
        history=HISTORY,
        handlers=handlers,
        routers=api.build(context.database, context.keyring),
        loops=[
            Loop("forgetting", Purge(context.database, [forgotten(IDEMPOTENCY)], context.settings.keep).run),
            Loop("sealing", Sealing(context.database, context.keyring, IN_CLEAR).run),
        ],
    )
