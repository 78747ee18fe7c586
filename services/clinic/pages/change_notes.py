"""After a session was changed: what the patient knows of it, in the words of the note that staff read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.clinic.pages.console import Console
from services.clinic.store import notices
from shared.ids import ClinicId

PATIENCE: Final = 1.0
"""Real seconds to wait for word of what goes out to a patient who was told before."""
_LOOK: Final = 0.05
_SOON: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class Word:
    """Which note is shown (see `console.SAID`), and the instant that it names."""

    said: str
    when: datetime | None = None


async def word_of(console: Console, clinic: ClinicId, session: UUID, said: str) -> Word:
    """Return the note for a session that was just `moved` or `cancelled`."""
    for _ in range(round(PATIENCE / _LOOK)):
        async with console.database.reading() as reader:
            known, now = await notices.knows(reader, clinic, session), reader.now
        if known.informed_at is None:
            return Word(said)
        if known.hears_at is not None:
            if known.late:
                return Word(f"{said}-late", known.hears_at)
            return Word(f"{said}-now") if known.hears_at <= now + _SOON else Word(f"{said}-at", known.hears_at)
        await console.own_writes.pause(_LOOK)
    return Word(f"{said}-told")
