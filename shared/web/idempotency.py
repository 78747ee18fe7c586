"""A repeated POST answers as the first did: the answer is kept in the transaction that earned it.

An answer tells of a patient. It is kept sealed, for a day, and what is needed to find it again is a keyed hash: neither
a stolen table nor a backup shows what was asked or answered.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, select, update
from sqlalchemy.dialects.postgresql import insert

from shared.bus.retention import Retention
from shared.database import Transaction
from shared.protection import Keyring
from shared.web.problems import Invalid
from shared.web.tokens import Principal

LONGEST_KEY = 200
KEPT: Final = timedelta(days=1)
"""For how long a repeat is answered: whoever sends one again does so within minutes, or after a night at most."""


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    body: str
    etag: str | None


def idempotency_table(metadata: MetaData, schema: str) -> Table:
    """Add the table of answers to a service's tables."""
    return Table(
        "idempotency",
        metadata,
        Column("key", Text, primary_key=True),  # keyed hash
        Column("fingerprint", Text, nullable=False),  # keyed hash
        Column("status", Integer),
        Column("body", Text),  # sealed
        Column("etag", Text),
        Column("created_at", DateTime(timezone=True), nullable=False),
        schema=schema,
    )


def forgotten(table: Table) -> Retention:
    """Return how a service's answers are forgotten."""
    return Retention(table, "created_at", keep=KEPT)


class Idempotency:
    """The answers of one service's schema, sealed under its keyring."""

    def __init__(self, schema: str, keyring: Keyring) -> None:
        self._table = idempotency_table(MetaData(), schema)
        self._keyring = keyring

    def fingerprint(self, method: str, path: str, body: bytes) -> str:
        """Return a keyed hash of a request; JSON that differs only in white space or order is the same request.

        Keyed, because nine answers of four choices each are guessed from a plain hash within a second.
        """
        try:
            canonical = json.dumps(json.loads(body or b"null"), sort_keys=True).encode()
        except ValueError:
            canonical = body
        plain = hashlib.sha256(b"\x1f".join((method.encode(), path.encode(), canonical))).hexdigest()
        return self._keyring.fingerprint(plain, context="request")

    async def begin(self, tx: Transaction, principal: Principal, key: str, print_of_request: str) -> Answer | None:
        """Claim a key; return the earlier answer where there is one. A request under way with it is waited for.

        Raises:
            Invalid: the key was used for another request.
        """
        if not 0 < len(key) <= LONGEST_KEY:
            raise Invalid(f"Idempotency-Key must have 1 to {LONGEST_KEY} characters.")
        table, mark = self._table, self.mark(principal, key)
        claimed = await tx.execute(
            insert(table)
            .values(key=mark, fingerprint=print_of_request, created_at=tx.now)
            .on_conflict_do_nothing()
            .returning(table.c.key)
        )
        if claimed.first() is not None:
            return None
        earlier = await tx.one(select(table).where(table.c.key == mark))
        if earlier.fingerprint != print_of_request:
            raise Invalid("This Idempotency-Key was used for another request; take a new one.")
        body = self._keyring.open(earlier.body, context=_context(mark, earlier.fingerprint))
        return Answer(earlier.status, body, earlier.etag)

    async def finish(
        self, tx: Transaction, principal: Principal, key: str, print_of_request: str, answer: Answer
    ) -> None:
        """Keep the answer under its key."""
        mark = self.mark(principal, key)
        body = self._keyring.seal(answer.body, context=_context(mark, print_of_request))
        values = {"status": answer.status, "body": body, "etag": answer.etag}
        await tx.execute(update(self._table).where(self._table.c.key == mark).values(values))

    def mark(self, principal: Principal, key: str) -> str:
        """Return what a caller's key is kept as: they choose its words."""
        return self._keyring.fingerprint(f"{principal.clinic}\x1f{principal.name}\x1f{key}", context="idempotency")


def _context(mark: str, print_of_request: str) -> str:
    """Return what a sealed answer is bound to: clinic, caller, key, route and body, each by its keyed hash."""
    return f"answer {mark} {print_of_request}"
