"""Staff read their own writes: a page waits for the event of what was just done, or takes the owner's answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from services.clinic.store import read_models
from services.clinic.store.responses import Kind
from shared.clock import Clock
from shared.database import Database, Reader, Transaction
from shared.ids import ClinicId
from shared.protection import Keyring

T = TypeVar("T")
PATIENCE: Final = 1.0
"""Real seconds to wait for the event before the owner's answer is taken."""
_LOOK: Final = 0.04


class OwnWrites:
    """Waits shortly for the event of a request, else takes the owner's answer."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock

    async def wait_for(self, kind: Kind, clinic: ClinicId, answer: Mapping[str, Any]) -> None:
        """Return once the read model holds at least the answered version."""
        thing, version = UUID(answer["id"]), int(answer["version"])

        async def has_come(reader: Reader) -> bool | None:
            held = await read_models.version_of(reader, kind.table, thing)
            return (held is not None and held >= version) or None

        if await self.first(has_come, PATIENCE) is None:
            async with self._database.transaction() as tx:
                await self._take(tx, kind, clinic, answer)

    async def first(self, look: Callable[[Reader], Awaitable[T | None]], patience: float) -> T | None:
        """Return the first thing that a look finds, or None where real seconds of patience end before."""
        for _ in range(round(patience / _LOOK)):
            async with self._database.reading() as reader:
                found = await look(reader)
            if found is not None:
                return found
            await self._clock.pause(_LOOK)
        return None

    async def _take(self, tx: Transaction, kind: Kind, clinic: ClinicId, answer: Mapping[str, Any]) -> None:
        thing, version = UUID(answer["id"]), int(answer["version"])
        row = kind.row({**answer, "clinic": clinic}, self._keyring)
        if kind.whole:
            owner = {"id": thing, "clinic": clinic, "patient": UUID(answer["patient"]), "version": version}
            await read_models.keep(tx, kind.table, {**owner, **row})
        elif await read_models.version_of(tx, kind.table, thing) is not None:
            await read_models.change(tx, kind.table, thing, version, row)
