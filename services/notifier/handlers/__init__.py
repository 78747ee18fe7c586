"""What the notifier does about events: one module for each thing that events speak of."""

from services.notifier.handlers import alerts, checkins, due, people, sessions
from services.notifier.planner import Planner
from shared.bus import Handlers


def handlers(planner: Planner) -> Handlers:
    """Return every handler of the service."""
    every = Handlers()
    for part in (people, sessions, due, checkins, alerts):
        part.register(every, planner)
    return every
