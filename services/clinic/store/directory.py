"""The directory of a clinic: what its patients are found by, opened once and held in this process.

Names are sealed at rest, so that no statement can look for one. Opening all of them took 290 ms at each search of ten
thousand patients; here a search compares what was opened before, and opens again what has changed since. See
docs/decisions/0019.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.clinic.model.searching import Entry, Sought
from services.clinic.store import patients
from shared.database import Reader
from shared.ids import ClinicId, PatientId
from shared.protection import Keyring

_MOST_CLINICS: Final = 50
"""Clinics whose directories one process holds; beyond them the one that was asked for least recently goes."""
_AT_ONCE: Final = 250
"""Patients that are opened before others get a turn: some 10 ms."""
_MARK: Final = "SELECT count(*), coalesce(sum(version), 0) FROM clinic.patients WHERE clinic = $1"
_VERSIONS: Final = "SELECT id, version FROM clinic.patients WHERE clinic = $1"


@dataclass(frozen=True)
class _Held:
    """Entries as they were read; `mark` is how many, and the sum of their versions.

    A version only grows, so that nothing can change without changing the mark.
    """

    by_id: dict[UUID, Entry]
    ordered: tuple[Entry, ...]
    mark: tuple[int, int]

    @classmethod
    def of(cls, by_id: dict[UUID, Entry]) -> "_Held":
        entries = by_id.values()
        ordered = tuple(sorted(entries, key=lambda entry: entry.place))
        return cls(by_id, ordered, (len(by_id), sum(entry.version for entry in entries)))


class Directory:
    """Holds what patients are found by; each process has its own, and each sees every change at its next look."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._held: OrderedDict[ClinicId, _Held] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def entries(self, reader: Reader, clinic: ClinicId) -> Sequence[Entry]:
        """Return the clinic's patients as they stand now, by name, those who left after the others.

        A transaction calls this before it writes a patient: what it takes back must not stay in the directory.
        """
        (row,) = await reader.fetch(_MARK, clinic)
        mark = int(row[0]), int(row[1])
        held = self._held.get(clinic)
        if held is None or held.mark != mark:
            async with self._one_at_a_time:
                held = await self._caught_up(reader, clinic)
                self._held[clinic] = held
        self._held.move_to_end(clinic)
        while len(self._held) > _MOST_CLINICS:
            self._held.popitem(last=False)
        return held.ordered

    async def found(self, reader: Reader, clinic: ClinicId, sought: Sought) -> list[Entry]:
        """Return who may be meant: those first whose names begin with what was typed, each group as in the list."""
        found = [entry for entry in await self.entries(reader, clinic) if sought.matches(entry)]
        return sorted(found, key=lambda entry: not sought.begins(entry))

    async def _caught_up(self, reader: Reader, clinic: ClinicId) -> _Held:
        known = self._held[clinic].by_id if clinic in self._held else {}
        rows = await reader.fetch(_VERSIONS, clinic)
        kept = {row[0]: known[row[0]] for row in rows if row[0] in known and known[row[0]].version == row[1]}
        changed = [PatientId(row[0]) for row in rows if row[0] not in kept]
        for start in range(0, len(changed), _AT_ONCE):
            opened = await patients.some(reader, clinic, changed[start : start + _AT_ONCE], self._keyring)
            kept |= {patient.id: Entry.of(patient) for patient in opened}
        return _Held.of(kept)
