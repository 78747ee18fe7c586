"""Telling anew what people wrote, and which numbers said stop or may have meant to, for whoever may have missed it."""

from datetime import datetime, timedelta
from typing import Final

from services.notifier.commands import doubts, reply_events
from services.notifier.commands.stop_and_start import tell_standing
from services.notifier.store import doubts as doubts_kept
from services.notifier.store import people
from services.notifier.store.inbound import kept_texts
from shared.database import Database
from shared.ids import PatientId
from shared.protection import Keyring

BATCH: Final = 100
"""Patients that are told of in one transaction, and texts that are looked up at once."""
LATELY: Final = timedelta(days=31)
"""How far back texts are told. Every service remembers for longer what it handled (`KEEPWELL_KEEP_DAYS`), and a topic
keeps records for a week where nothing else is set."""


async def retell(database: Database, keyring: Keyring) -> int:
    """Publish the texts of the last month, every number's stop, and each doubt that is open; return how many."""
    return await _texts(database, keyring) + await _stops(database) + await _doubts(database)


async def _texts(database: Database, keyring: Keyring) -> int:
    """Publish each text under the ids that it had: who read it does not read it twice, who missed it reads it now."""
    told = 0
    last: tuple[datetime, str] | None = None
    while True:
        async with database.reading() as reader:
            found = await kept_texts(reader, reader.now - LATELY, last, BATCH)
        for text in found:
            async with database.transaction() as tx:
                await people.lock_number(tx, text.fingerprint)
                told += await reply_events.tell_again(tx, text, keyring)
        if not found:
            return told
        last = (found[-1].received_at, found[-1].sid)


async def _stops(database: Database) -> int:
    told, last = 0, None
    while True:
        async with database.transaction() as tx:
            found = await people.lock_stopped(tx, last, BATCH)
            told += sum([await tell_standing(tx, patient, {}) for patient in found])
        if not found:
            return told
        last = found[-1]


async def _doubts(database: Database) -> int:
    told, last = 0, None
    while True:
        async with database.transaction() as tx:
            found = await doubts_kept.in_doubt(tx, last, BATCH)
            await people.lock_in_order(tx, found)
            told += sum([await doubts.tell_standing(tx, PatientId(patient)) for patient in found])
        if not found:
            return told
        last = found[-1]
