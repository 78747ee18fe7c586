"""The clinic's signatures under rules, those that hold and those that were withdrawn."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from services.assessments.tables import signatures, withdrawn_signatures
from shared.database import Reader, Transaction
from shared.ids import ClinicId, new_id
from shared.protection import Keyring

_WHY: Final = "signature-withdrawn"
Key = tuple[str, int]
"""A rule's id and version."""


@dataclass(frozen=True)
class Signature:
    """A clinic's word that a rule may run."""

    rule: str
    rule_version: int
    signed_by: str
    signed_at: datetime
    note: str | None


@dataclass(frozen=True)
class Withdrawal:
    """A signature that holds no more, who withdrew it and why, in clear."""

    signature: Signature
    by: str
    at: datetime
    reason: str


async def sign(tx: Transaction, *, clinic: UUID, rule: str, rule_version: int, by: str, note: str | None) -> None:
    """Keep a clinic's signature under a rule; while it holds, the first one stays."""
    await tx.execute(
        insert(signatures)
        .values(clinic=clinic, rule=rule, rule_version=rule_version, signed_by=by, signed_at=tx.now, note=note)
        .on_conflict_do_nothing()
    )


async def signed(reader: Reader, clinic_id: UUID) -> dict[Key, Signature]:
    """Return the signatures of a clinic that hold, by rule and version."""
    rows = await reader.fetch(
        "SELECT rule, rule_version, signed_by, signed_at, note FROM signatures WHERE clinic = $1", clinic_id
    )
    return {(row["rule"], row["rule_version"]): Signature(*row) for row in rows}


async def withdraw(
    tx: Transaction,
    keyring: Keyring,
    *,
    clinic: ClinicId,
    signature: Signature,
    by: str,
    staff: UUID | None,
    reason: str,
) -> None:
    """Let a signature hold no more; it stays on record with who withdrew it and why."""
    held = (signatures.c.rule == signature.rule) & (signatures.c.rule_version == signature.rule_version)
    await tx.execute(delete(signatures).where(signatures.c.clinic == clinic, held))
    await tx.execute(
        insert(withdrawn_signatures).values(
            id=new_id(),
            clinic=clinic,
            rule=signature.rule,
            rule_version=signature.rule_version,
            signed_by=signature.signed_by,
            signed_at=signature.signed_at,
            note=signature.note,
            withdrawn_by=by,
            staff=staff,
            withdrawn_at=tx.now,
            reason=keyring.seal(reason, context=_WHY),
        )
    )


async def ever_withdrawn(reader: Reader, clinic_id: UUID) -> set[Key]:
    """Return the rules and versions whose signature was withdrawn once, whether or not they were signed again."""
    rows = await reader.fetch(
        "SELECT DISTINCT rule, rule_version FROM withdrawn_signatures WHERE clinic = $1", clinic_id
    )
    return {(row["rule"], row["rule_version"]) for row in rows}


async def withdrawn(reader: Reader, keyring: Keyring, clinic_id: UUID) -> list[Withdrawal]:
    """Return what a clinic withdrew, the newest first."""
    kept = withdrawn_signatures
    rows = await reader.all(
        select(kept).where(kept.c.clinic == clinic_id).order_by(kept.c.withdrawn_at.desc(), kept.c.id.desc())
    )
    return [
        Withdrawal(
            Signature(row.rule, row.rule_version, row.signed_by, row.signed_at, row.note),
            row.withdrawn_by,
            row.withdrawn_at,
            keyring.open(row.reason, context=_WHY),
        )
        for row in rows
    ]
