"""Errors of a database or a Kafka that is away or busy: they are waited out, and no record is blamed for them."""

from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.bus.producer import NotSent
from shared.connections import was_lost

_OUTAGE: Final = ("08", "40", "53", "57P", "58", "25006")
"""How SQLSTATEs begin that are no statement's fault: connection lost, rolled back by the server (deadlock), resources
(disk, connections), shut down or starting up, input and output, and a standby that takes no writes.
Source: appendix A of PostgreSQL's manual. 57014, a statement that was cancelled, is not among them."""


def is_outage(error: Exception) -> bool:
    """Tell whether an error is no record's fault: a lost or busy database, or dead letters that cannot be written."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            return True
        return str(getattr(error.orig, "sqlstate", "")).startswith(_OUTAGE)
    return isinstance(error, NotSent | PoolTimeoutError | OSError | TimeoutError) or was_lost(error)
