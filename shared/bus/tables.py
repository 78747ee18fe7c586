"""The tables that every service's schema holds for the bus: outbox, inbox, and what it was to read and could not."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    literal_column,
)

SHARDS = 8
"""Into how many parts an outbox is split; a part has one relay at a time. A constant: rows hold their shard."""

AT_ONCE: ColumnElement[datetime] = literal_column("'-infinity'::timestamptz")
"""Due time of an event that is no timer: before every timer, and among themselves in the order they were written."""


@dataclass(frozen=True)
class BusTables:
    """The bus tables of one schema."""

    outbox: Table
    inbox: Table
    gaps: Table
    positions: Table


def bus_tables(metadata: MetaData, schema: str) -> BusTables:
    """Add the bus tables to a service's.

    The outbox holds events and timers alike: a row is claimed once its `due_at` has come, in the order of `due_at` and
    then `seq`. `timer` names a row that may still be replaced or cancelled.
    """
    outbox = Table(
        "outbox",
        metadata,
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("shard", SmallInteger, nullable=False),
        Column("due_at", DateTime(timezone=True), nullable=False),
        Column("written_at", DateTime(timezone=True), nullable=False),
        Column("timer", Text, unique=True),
        Column("id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("trace", Text, nullable=False),
        Column("body", Text, nullable=False),
        Index("outbox_due", "due_at", "seq"),
        # Names of timers are cancelled by their beginning.
        Index("outbox_timer_prefix", "timer", postgresql_ops={"timer": "text_pattern_ops"}),
        schema=schema,
    )
    inbox = Table(
        "inbox",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        schema=schema,
    )
    gaps = Table(
        "gaps",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("first", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False, comment="the offset after the last one that is missing"),
        Column("found_at", DateTime(timezone=True), nullable=False),
        Column("closed_at", DateTime(timezone=True), comment="when what it held was told anew"),
        UniqueConstraint("topic", "partition", "first", name="gaps_once"),
        schema=schema,
        comment="records that were gone before this service had read them",
    )
    positions = Table(
        "positions",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("at", BigInteger, nullable=False, comment="the offset it goes on from; Kafka forgets who was long away"),
        schema=schema,
    )
    return BusTables(outbox, inbox, gaps, positions)


_CACHE: dict[str, BusTables] = {}


def tables_of(schema: str) -> BusTables:
    """Return the bus tables of a schema, for statements alone."""
    if schema not in _CACHE:
        _CACHE[schema] = bus_tables(MetaData(), schema)
    return _CACHE[schema]
