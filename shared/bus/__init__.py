"""Timers and outbox, relay, inbox, dead letters: exactly-once effects over Kafka."""

from shared.bus.handlers import Handlers, Heard, NotYet
from shared.bus.publish import (
    Timer,
    cancel_named,
    cancel_timers,
    pending_timers,
    publish,
    publish_all,
    publish_timers,
)
from shared.bus.tables import bus_tables

__all__ = [
    "Handlers",
    "Heard",
    "NotYet",
    "Timer",
    "bus_tables",
    "cancel_named",
    "cancel_timers",
    "pending_timers",
    "publish",
    "publish_all",
    "publish_timers",
]
