"""A repeated POST answers as the first did: the answer is kept in the transaction that earned it."""

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, select, update
from sqlalchemy.dialects.postgresql import insert

from shared.database import Transaction
from shared.web.problems import Invalid
from shared.web.tokens import Principal

LONGEST_KEY = 200


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
        Column("key", Text, primary_key=True),
        Column("fingerprint", Text, nullable=False),
        Column("status", Integer),
        Column("body", Text),
        Column("etag", Text),
        Column("created_at", DateTime(timezone=True), nullable=False),
        schema=schema,
    )


def fingerprint(method: str, path: str, body: bytes) -> str:
    """Return a hash of a request; JSON that differs only in white space or order is the same request."""
    try:
        canonical = json.dumps(json.loads(body or b"null"), sort_keys=True).encode()
    except ValueError:
        canonical = body
    return hashlib.sha256(b"\x1f".join((method.encode(), path.encode(), canonical))).hexdigest()


class Idempotency:
    """The answers of one service's schema."""

    def __init__(self, schema: str) -> None:
        self._table = idempotency_table(MetaData(), schema)

    async def begin(self, tx: Transaction, principal: Principal, key: str, print_of_request: str) -> Answer | None:
        """Claim a key; return the earlier answer where there is one. A request under way with it is waited for.

        Raises:
            Invalid: the key was used for another request.
        """
        if not 0 < len(key) <= LONGEST_KEY:
            raise Invalid(f"Idempotency-Key must have 1 to {LONGEST_KEY} characters.")
        table, whole = self._table, f"{principal.clinic}\x1f{principal.name}\x1f{key}"
        claimed = await tx.execute(
            insert(table)
            .values(key=whole, fingerprint=print_of_request, created_at=tx.now)
            .on_conflict_do_nothing()
            .returning(table.c.key)
        )
        if claimed.first() is not None:
            return None
        earlier = await tx.one(select(table).where(table.c.key == whole))
        if earlier.fingerprint != print_of_request:
            raise Invalid("This Idempotency-Key was used for another request; take a new one.")
        return Answer(earlier.status, earlier.body, earlier.etag)

    async def finish(self, tx: Transaction, principal: Principal, key: str, answer: Answer) -> None:
        """Keep the answer under its key."""
        whole = f"{principal.clinic}\x1f{principal.name}\x1f{key}"
        values = {"status": answer.status, "body": answer.body, "etag": answer.etag}
        await tx.execute(update(self._table).where(self._table.c.key == whole).values(values))
