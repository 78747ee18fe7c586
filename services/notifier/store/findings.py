"""What an operator should know of sending though the notifier does its work: causes, counts and remedies."""

from services.notifier.store import holds, settling
from shared.database import Reader


async def notes(reader: Reader) -> list[str]:
    """Return each finding in a sentence."""
    return [*await _restore(reader), *await _unseen(reader)]


async def _restore(reader: Reader) -> list[str]:
    restore = await holds.open_restore(reader)
    if restore is None:
        return []
    counted = await holds.counts(reader)
    persons = counted["held_for_a_person"]
    since = f"{restore.backed_up_at:%Y-%m-%d %H:%M:%S} UTC"
    waits = f"{persons} wait for a person (keepwell held list), {counted['held'] - persons} for the provider's word"
    return [f"the database was restored to {since}; held messages: {waits}"]


async def _unseen(reader: Reader) -> list[str]:
    count = await settling.for_a_person_count(reader)
    if not count:
        return []
    said = (
        f"of {count} texts nobody knows whether they went out, and the provider's list does not show what was sent "
        "(redaction): look at its console, then release or drop them (keepwell held list). They are not sent again by "
        "themselves"
    )
    return [said]
