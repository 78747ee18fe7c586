"""After a session was changed: what the patient knows of it, in the words of the note that staff read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.clinic.pages.console import Console
from services.clinic.store import notices
from shared.database import Reader
from shared.ids import ClinicId

PATIENCE: Final = 1.0
"""Real seconds to wait for word of what goes out to a patient who was told before."""
_SOON: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class Word:
    """Which note is shown (see `console.SAID`), and the instant that it names."""

    said: str
    when: datetime | None = None


async def word_of(console: Console, clinic: ClinicId, session: UUID, said: str) -> Word:
    """Return the note for a session that was just `moved` or `cancelled`."""

    async def look(reader: Reader) -> Word | None:
        known = await notices.knows(reader, clinic, session)
        if known.informed_at is None:
            return Word(said)
        if known.hears_at is None:
            return None
        if known.late:
            return Word(f"{said}-late", known.hears_at)
        return Word(f"{said}-now") if known.hears_at <= reader.now + _SOON else Word(f"{said}-at", known.hears_at)

    return await console.own_writes.first(look, PATIENCE) or Word(f"{said}-told")
