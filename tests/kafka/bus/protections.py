"""Protections of the consumer, each with what stands in its place when it is taken out.

They are planted from here, around the product's own functions, as in `tests/faults/armed.py`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

import shared.bus.consumer
import shared.bus.dead_letters
import shared.bus.producer
from shared.bus.consumer import Consumer
from shared.bus.dead_letters import PREFIX, DeadLetter, letter
from shared.bus.envelope import Received, Undecodable, decode
from shared.bus.outage import is_outage
from shared.bus.producer import MAX_RECORD_BYTES, NotSent, Producer
from shared.events import PatientDischarged
from shared.ids import ClinicId, new_id

Patch = pytest.MonkeyPatch


def raw_parser(patch: Patch) -> None:
    """Let the framework's own parser see the headers."""

    async def parser(records: Any, default: Any) -> Any:
        message = await default(records)
        message.raw_message = records
        return message

    patch.setattr(shared.bus.consumer, "_raw_parser", parser)


def isolation(patch: Patch) -> None:
    """Call a whole batch dead where one record fails."""

    async def isolate(consumer: Consumer, records: Any, _patience: Any) -> None:
        try:
            await consumer._handle(records)
        except (Undecodable, ValueError) as error:
            now, reason = consumer._database.clock.now(), f"{type(error).__name__}: {error}"
            for each in records:
                await consumer._dead_letters.send([letter(each, group=consumer.group, error=reason, now=now)])

    patch.setattr(Consumer, "_isolate", isolate)


def letters(patch: Patch) -> None:
    """Drop what cannot be handled."""

    async def single(*_: Any) -> None:
        return None

    patch.setattr(Consumer, "_single", single)


def bound(patch: Patch) -> None:
    """Try a record that fails for ever."""

    async def single(_consumer: Consumer, _records: Any, error: Exception, *_: Any) -> None:
        raise error

    patch.setattr(Consumer, "_single", single)


def known_types(patch: Patch) -> None:
    """Pass over a type that the catalogue does not have."""
    _decoding(patch, lambda headers, _value: Received(new_id(), headers["ce_type"], None, _anybody()))


def known_schemas(patch: Patch) -> None:
    """Read whatever body fits, whichever schema it claims."""
    _decoding(patch, lambda headers, value: Received(UUID(headers["ce_id"]), headers["ce_type"], None, _read(value)))


def whole_headers(patch: Patch) -> None:
    """Make do with a header that is null or there twice, as long as one can be used."""

    def read(headers: Mapping[str, str], value: bytes) -> Received:
        return Received(UUID(headers.get("ce_id") or str(new_id())), headers["ce_type"], None, _read(value))

    _decoding(patch, read)


def strict_bodies(patch: Patch) -> None:
    """Take what can be made to fit a schema."""
    known_schemas(patch)


def _decoding(patch: Patch, lax: Callable[[Mapping[str, str], bytes], Received]) -> None:
    def lenient(raw: Any, value: Any) -> Received:
        try:
            return decode(raw, value)
        except Undecodable:
            return lax({name: (text or b"").decode() for name, text in raw}, value)

    patch.setattr(shared.bus.consumer, "decode", lenient)


def _anybody() -> PatientDischarged:
    return PatientDischarged.model_construct(clinic=ClinicId(new_id()), patient=new_id(), version=1)


def _read(value: bytes) -> PatientDischarged:
    return PatientDischarged.model_validate_json(value)


def room_for_letters(patch: Patch) -> None:
    """Let a letter be no larger than a record, as a topic without a word about it has it."""
    patch.setattr(shared.bus.producer, "MAX_LETTER_BYTES", MAX_RECORD_BYTES)


def place_of_ours(patch: Patch) -> None:
    """Tell our headers from theirs by their names."""

    def fold(known: dict[UUID, DeadLetter], record: Any) -> None:
        ours = {name.removeprefix(PREFIX): value.decode() for name, value in record.headers if name.startswith(PREFIX)}
        if "replayed" in ours:
            return
        known[UUID(record.key.decode())] = DeadLetter(
            id=UUID(record.key.decode()),
            group=ours["group"],
            topic=ours["topic"],
            partition=int(ours["partition"]),
            offset=int(ours["offset"]),
            error=ours["error"],
            died_at=datetime.fromisoformat(ours["at"]),
            key=bytes.fromhex(ours["key"]),
            value=record.value,
            headers=tuple((name, value) for name, value in record.headers if not name.startswith(PREFIX)),
        )

    patch.setattr(shared.bus.dead_letters, "_fold", fold)


def nulls_kept(patch: Patch) -> None:
    """Keep no list of which headers were null."""

    def forgetful(record: Any, **why: Any) -> Any:
        made = letter(record, **why)
        named = [(name, b"" if name == f"{PREFIX}header-nulls" else value) for name, value in made.headers]
        return made._replace(headers=named)

    patch.setattr(shared.bus.consumer, "letter", forgetful)


def refusal_of_the_driver(patch: Patch) -> None:
    """Take every error of the database's for the environment's fault."""
    told = is_outage

    def every(error: Exception) -> bool:
        return isinstance(error, DBAPIError) or told(error)

    patch.setattr(shared.bus.consumer, "is_outage", every)


def inbox(patch: Patch) -> None:
    """Handle every copy of an event."""

    async def register(_consumer: Consumer, _tx: Any, wanted: Any) -> list[Any]:
        return list(wanted)

    patch.setattr(Consumer, "_register", register)


def letter_before_the_next(patch: Patch) -> None:
    """Go on where a letter could not be written."""
    send = Producer.send

    async def careless(producer: Producer, records: Any) -> None:
        try:
            await send(producer, records)
        except NotSent:
            return

    patch.setattr(Producer, "send", careless)


def word_of_it(patch: Patch) -> None:
    """Keep it to oneself that one cannot go on."""
    patch.setattr(Consumer, "_block", lambda *_: None)


def rewinding(patch: Patch) -> None:
    """Leave it to Kafka's client where it cannot take the bytes apart."""

    async def read(_consumer: Consumer, client: Any) -> Any:
        return tuple(chain.from_iterable((await client.getmany(timeout_ms=100)).values()))

    patch.setattr(Consumer, "_read", read)
