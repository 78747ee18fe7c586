"""Timers and outbox, relay, inbox, dead letters: exactly-once effects over Kafka."""

from shared.bus.handlers import Handlers, NotYet
from shared.bus.publish import cancel_timers, pending_timers, publish
from shared.bus.tables import bus_tables

__all__ = ["Handlers", "NotYet", "bus_tables", "cancel_timers", "pending_timers", "publish"]
