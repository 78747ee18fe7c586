"""The services by name, imported only when they are hosted: a notifier alone need not load the console."""

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from shared.database.history import History
from shared.service import Context, Service
from shared.settings import SERVICES


class ServiceModule(Protocol):
    """What each `services/<name>/service.py` offers."""

    def build(self, context: Context) -> Service: ...


def module(name: str) -> ServiceModule:
    """Return a service's composition root.

    Raises:
        ValueError: there is no such service.
    """
    if name not in SERVICES:
        raise ValueError(f"There is no service {name!r}; there are {', '.join(SERVICES)} and the sandbox.")
    return cast("ServiceModule", import_module(f"services.{name}.service"))


def history(name: str) -> History:
    """Return a service's migrations; nothing else of the service is loaded."""
    found: History = import_module(f"services.{name}.history").HISTORY
    return found


def histories(names: Sequence[str] = SERVICES) -> list[History]:
    """Return the migrations of services, by default of every one."""
    return [history(name) for name in names]
