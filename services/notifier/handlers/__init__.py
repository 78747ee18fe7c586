"""What the notifier does about events: one module for each thing that events speak of."""

from services.notifier.desk import Desk
from services.notifier.handlers import alerts, checkins, due, people, sessions
from shared.bus import Handlers


def handlers(desk: Desk) -> Handlers:
    """Return every handler of the service."""
    every = Handlers()
    for part in (people, sessions, due, checkins, alerts):
        part.register(every, desk)
    return every
