"""A place to die at, or a protection taken out, planted in a `keepwell` that is about to run (`launch.py`).

`FAULTS_KILL_AT` names a place (`POINTS`): the process kills itself with SIGKILL the first time it gets there.
`FAULTS_WITHOUT` names protections (`PROTECTIONS`), with commas: the process works without them, to show that a test
notices. `FAULTS_CLOCK` names a file with the seconds by which the process's clock is off. All is planted from here,
around the product's own functions; no line of the product knows of it, so that none can be switched on where patients
are.
"""

import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn
from uuid import uuid4

import alembic.op
from sqlalchemy import text

import shared.database.migrate
from services.notifier.commands import settling
from services.notifier.handlers import due
from services.notifier.model.call_outcomes import Accepted
from services.notifier.ports.twilio import TwilioPort
from shared.bus.claim import claim
from shared.bus.consumer import Consumer
from shared.bus.producer import Producer
from shared.bus.relay import Relay
from shared.clock import RealClock
from shared.database.address import engine_at
from shared.web.api import CommandCall
from shared.web.idempotency import Idempotency

KILL_AT: Final = "FAULTS_KILL_AT"
WITHOUT: Final = "FAULTS_WITHOUT"
CLOCK: Final = "FAULTS_CLOCK"
DUE: Final = b"session.due"
TABLES: Final = 5
"""Tables into a migration at which it is killed."""


def die() -> NoReturn:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL did not end the process.")


def plant(owner: object, name: str, instead: object) -> None:
    """Put something in the place of a function of the product, which must be there."""
    if not hasattr(owner, name):
        raise AttributeError(f"{owner} has no {name} any more: find the new place for what was planted there.")
    setattr(owner, name, instead)


def _is_due(headers: Any) -> bool:
    return any(name == "ce_type" and value is not None and value.endswith(DUE) for name, value in headers)


def before_provider_call() -> None:
    """Die with the attempt on record and the provider not called."""

    async def send(_port: TwilioPort, _letter: Any) -> NoReturn:
        die()

    plant(TwilioPort, "send", send)


def after_provider_accepted() -> None:
    """Die once the provider has accepted, before that is on record."""
    original = TwilioPort.send

    async def send(port: TwilioPort, letter: Any) -> Any:
        outcome = await original(port, letter)
        if isinstance(outcome, Accepted):
            die()
        return outcome

    plant(TwilioPort, "send", send)


def between_publish_and_delete() -> None:
    """Die once Kafka has acknowledged a due event, before its row is gone."""
    original = Producer.send

    async def send(producer: Producer, records: Any) -> None:
        await original(producer, records)
        if any(_is_due(record.headers) for record in records):
            die()

    plant(Producer, "send", send)


def between_claim_and_publish() -> None:
    """Die with a due row claimed and nothing sent."""
    original = Producer.send

    async def send(producer: Producer, records: Any) -> None:
        if any(_is_due(record.headers) for record in records):
            die()
        await original(producer, records)

    plant(Producer, "send", send)


def between_handler_and_commit() -> None:
    """Die once a due event's handler has written, before that is committed."""
    original = Consumer._handle

    async def handle(consumer: Consumer, records: Any) -> None:
        if any(_is_due(record.headers) for record in records):
            plant(consumer._database, "transaction", partial(_never_committed, consumer._database.transaction))
        await original(consumer, records)

    plant(Consumer, "_handle", handle)


@asynccontextmanager
async def _never_committed(begin: Callable[[], Any]) -> AsyncIterator[Any]:
    async with begin() as tx:
        yield tx
        die()


def between_commit_and_offset() -> None:
    """Die once a due event is handled and committed, before Kafka knows."""
    original = Consumer.consume

    async def consume(consumer: Consumer, records: Any) -> None:
        await original(consumer, records)
        if any(_is_due(record.headers) for record in records):
            die()

    plant(Consumer, "consume", consume)


def between_commit_and_answer() -> None:
    """Die once an order is carried out and committed, before its caller hears of it."""
    original = CommandCall.run

    async def run(call: CommandCall, *args: Any, **named: Any) -> NoReturn:
        await original(call, *args, **named)
        die()

    plant(CommandCall, "run", run)


def in_migration() -> None:
    """Die some tables into the first migration."""
    original, made = alembic.op.create_table, []

    def create_table(*args: Any, **named: Any) -> Any:
        table = original(*args, **named)
        made.append(table)
        if len(made) == TABLES:
            die()
        return table

    plant(alembic.op, "create_table", create_table)


def without_look_up() -> None:
    """Send again at once what a dead sender left, instead of looking it up at the provider."""
    original = settling.take_over

    async def take_over(tx: Any, owner: int, patience: Any) -> int:
        taken = await original(tx, owner, patience)
        await tx.execute(text("UPDATE attempts SET state = 'nothing', look_at = NULL WHERE state = 'unknown'"))
        again = text("UPDATE messages SET state = 'planned', next_at = :now WHERE state = 'unknown'")
        await tx.execute(again.bindparams(now=tx.now))
        return taken

    plant(settling, "take_over", take_over)


def without_take_over() -> None:
    """Leave what a dead sender left."""

    async def take_over(_tx: Any, _owner: int, _patience: Any) -> int:
        return 0

    plant(settling, "take_over", take_over)


def without_inbox() -> None:
    """Handle every copy of an event."""

    async def register(_consumer: Consumer, _tx: Any, wanted: Any) -> list[Any]:
        return list(wanted)

    plant(Consumer, "_register", register)


def without_business_key() -> None:
    """Plan a message for each time that it is asked for."""
    plant(due, "_turn", lambda *_: str(uuid4()))


def without_one_transaction() -> None:
    """Delete rows first and publish them then."""

    async def one_round(relay: Relay, driver: Any) -> int:
        async with driver.transaction():
            now = relay.database.clock.now()
            records = await claim(driver, service=relay.service, now=now, shards=relay._owned)
        if records:
            await relay._producer.send(records)
        relay.fired += len(records)
        relay.sent.update(record.topic for record in records)
        return len(records)

    plant(Relay, "_round", one_round)


def without_late_offset() -> None:
    """Tell Kafka that records are done before they are."""
    original = Consumer._read

    async def read(consumer: Consumer, kafka: Any) -> Any:
        records = await original(consumer, kafka)
        if records:
            await kafka.commit()
        return records

    plant(Consumer, "_read", read)


def without_idempotency() -> None:
    """Forget the keys of orders."""

    async def begin(*_args: Any) -> None:
        return None

    plant(Idempotency, "begin", begin)


def without_whole_migrations() -> None:
    """Commit each statement of a migration by itself."""
    plant(shared.database.migrate, "engine_at", partial(engine_at, isolation_level="AUTOCOMMIT"))


def off_by(file: Path) -> None:
    """Have the process's clock be off by as many seconds as a file says at each look."""
    original = RealClock.now

    def now(clock: RealClock) -> datetime:
        return original(clock) + timedelta(seconds=float(file.read_text()))

    plant(RealClock, "now", now)


POINTS: Final[Mapping[str, Callable[[], None]]] = {
    "before-provider-call": before_provider_call,
    "after-provider-accepted": after_provider_accepted,
    "between-claim-and-publish": between_claim_and_publish,
    "between-publish-and-delete": between_publish_and_delete,
    "between-handler-and-commit": between_handler_and_commit,
    "between-commit-and-offset": between_commit_and_offset,
    "between-commit-and-answer": between_commit_and_answer,
    "in-migration": in_migration,
}
PROTECTIONS: Final[Mapping[str, Callable[[], None]]] = {
    "look-up": without_look_up,
    "take-over": without_take_over,
    "inbox": without_inbox,
    "business-key": without_business_key,
    "one-transaction": without_one_transaction,
    "late-offset": without_late_offset,
    "idempotency": without_idempotency,
    "whole-migrations": without_whole_migrations,
}


def arm() -> None:
    """Plant what the environment names."""
    # Protections first: a place to die at may lie in what stands in for one.
    for name in filter(None, os.environ.get(WITHOUT, "").split(",")):
        PROTECTIONS[name]()
    if place := os.environ.get(KILL_AT):
        POINTS[place]()
    if wrong := os.environ.get(CLOCK):
        off_by(Path(wrong))
