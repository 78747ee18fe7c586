"""The composition root of the assessments service."""

from datetime import timedelta

from services.assessments import api, pages
from services.assessments.dependencies import Dependencies
from services.assessments.handlers import handlers
from services.assessments.history import HISTORY
from services.assessments.model.haste import AT_LEAST
from services.assessments.packs import Packs
from services.assessments.store import counts, figures
from services.assessments.tables import IDEMPOTENCY, SCHEMA
from shared.bus.retention import Purge
from shared.service import Context, Loop, Service
from shared.web.idempotency import forgotten


def build(context: Context) -> Service:
    """Build the service from what the process gives it.

    Raises:
        InstrumentError: an instrument is not the pinned one.
    """
    deps = Dependencies(
        keyring=context.keyring,
        packs=Packs.load(),
        times=context.settings.assessments,
        public_url=context.public_url,
        trial=context.settings.trial,
        at_least=timedelta(seconds=AT_LEAST if context.settings.clock == "real" else 0),
    )
    return Service(
        name=SCHEMA,
        database=context.database,
        history=HISTORY,
        handlers=handlers(deps),
        # Those that patients wait for first: a path is held against the routes in turn.
        routers=[pages.router(context.database, deps), api.router(context.database, deps)],
        loops=[Loop("forgetting", Purge(context.database, [forgotten(IDEMPOTENCY)], context.settings.keep).run)],
        status=counts.all_of,
        measure=figures.measure,
    )
