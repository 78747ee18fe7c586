"""`keepwell dead-letters`: list, show, replay."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from keepwell.cli.output import fail, show
from keepwell.host.data_directory import DataDirectory
from shared.bus import address
from shared.bus.address import Address
from shared.bus.dead_letters import DeadLetter, read_all, replay
from shared.settings import Settings


def kafka_of(directory: DataDirectory, settings: Settings) -> Address:
    """Return Kafka's address: the settings', or that of the Keepwell which runs in the data directory."""
    return address.kafka_of(settings, settings.kafka_bootstrap_servers or directory.running.kafka)


async def listed(directory: DataDirectory, settings: Settings, *, as_json: bool) -> int:
    letters = [letter for letter in await read_all(kafka_of(directory, settings)) if letter.replayed_at is None]
    show([_row(letter) for letter in letters], as_json=as_json)
    return 0


async def shown(directory: DataDirectory, settings: Settings, letter_id: str, *, as_json: bool) -> int:
    """Print one letter; its body stays where it is, for it may hold health data."""
    (letter,) = _find(await read_all(kafka_of(directory, settings)), [letter_id])
    details = {
        **_row(letter),
        "key": None if letter.key is None else letter.key.decode(errors="replace"),
        "bytes": None if letter.value is None else len(letter.value),
        "headers": {name: None if value is None else value.decode(errors="replace") for name, value in letter.headers},
        "replayed_at": letter.replayed_at,
    }
    show(details, as_json=as_json)
    return 0


async def replayed(
    directory: DataDirectory, settings: Settings, letter_ids: Sequence[str], *, everything: bool, as_json: bool
) -> int:
    """Send letters to their topics again."""
    if bool(letter_ids) == everything:
        fail("Name the letters to replay, or say --all.", as_json=as_json)
    kafka = kafka_of(directory, settings)
    known = await read_all(kafka)
    chosen = [one for one in known if one.replayed_at is None] if everything else _find(known, letter_ids)
    _refuse_old(chosen, settings, directory.clock(settings).now(), as_json=as_json)
    await replay(kafka, chosen, now=directory.clock(settings).now())
    show({"replayed": [str(letter.id) for letter in chosen]}, as_json=as_json)
    return 0


def _refuse_old(letters: Sequence[DeadLetter], settings: Settings, now: datetime, *, as_json: bool) -> None:
    """Refuse letters of events that inboxes have forgotten: services that handled them would do so again."""
    # Another service may have handled it as long before it died here as its topic keeps events.
    known = settings.keep - timedelta(days=settings.kafka_retention_days)
    for letter in letters:
        if now - letter.died_at > known:
            fail(
                f"Letter {letter.id} died {(now - letter.died_at).days} days ago, and services remember what they "
                f"handled for {settings.keep_days} days (KEEPWELL_KEEP_DAYS): whoever handled it would do so again. "
                "Do by hand what it says.",
                as_json=as_json,
            )


def _find(letters: Sequence[DeadLetter], wanted: Sequence[str]) -> list[DeadLetter]:
    by_id = {letter.id: letter for letter in letters}
    found: list[DeadLetter] = []
    for text in wanted:
        try:
            found.append(by_id[UUID(text)])
        except (KeyError, ValueError):
            fail(f"There is no dead letter {text!r}; `keepwell dead-letters list` names them.", as_json=False)
    return found


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": str(letter.id),
        "died_at": letter.died_at.isoformat(timespec="seconds"),
        "group": letter.group,
        "type": letter.type,
        "from": f"{letter.topic}/{letter.partition}@{letter.offset}",
        "error": letter.error,
    }
