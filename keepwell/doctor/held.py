"""What waits for a person after a restore."""

from keepwell.doctor.databases import FAULTS
from keepwell.doctor.finding import Finding, Installation
from services.notifier.store import held_messages
from shared.database import Database


async def held(installation: Installation) -> list[Finding]:
    """Look whether a restore is open, where the notifier's role is known."""
    url = installation.databases.get("notifier")
    if url is None:
        return []
    database = Database(
        url, schema="notifier", clock=installation.directory.clock(installation.settings), name="keepwell doctor"
    )
    try:
        async with database.reading() as reader:
            restore, counts = await held_messages.open_restore(reader), await held_messages.counts(reader)
    except FAULTS:
        return []  # the database's own finding says so
    finally:
        await database.close()
    if restore is None:
        return []
    since = restore.backed_up_at.isoformat(timespec="seconds")
    detail = f"open, to {since}: {counts['held']} messages held, {counts['held_for_a_person']} of them for a person"
    remedy = "keepwell held list, release or drop; keepwell held close once the clinic's record is up to date"
    return [Finding("restore", well=False, detail=detail, remedy=remedy)]
