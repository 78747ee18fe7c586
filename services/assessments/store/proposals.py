"""Interval proposals and what was decided, and outside changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from services.assessments.model.interval.history import Change, Code, Direction, OutsideChange
from services.assessments.model.lifecycles import ProposalState
from services.assessments.tables import outside_changes, proposals
from shared.database import Reader, Transaction
from shared.ids import ClinicId, new_id
from shared.protection import Keyring
from shared.walltime import to_wall

_OUTSIDE: Final = Code.OUTSIDE_CHANGE.value
_DECIDED: Final = 20
"""Decided proposals that are held against a new one."""


@dataclass(frozen=True)
class Proposal:
    """A proposal as it stands.

    Sealed are: `sealed`, its reasons and evidence; `reason`, the clinician's own; `overruled`, what stood against the
    decision and why it was taken all the same; `taken_back_why`, why it was taken back.
    """

    id: UUID
    clinic: ClinicId
    patient: UUID
    plan: UUID
    checkin: UUID
    version: int
    direction: Direction
    review: bool
    from_days: int
    to_days: int
    rule: str
    rule_version: int
    sealed: str
    state: ProposalState
    proposed_at: datetime
    expires_at: datetime
    decision: str | None = None
    interval_days: int | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    overruled: str | None = None
    taken_back_by: str | None = None
    taken_back_staff: UUID | None = None
    taken_back_at: datetime | None = None
    taken_back_why: str | None = None


@dataclass(frozen=True)
class OpenAlert:
    """A safety alert that nobody has closed."""

    level: str
    raised_at: datetime


def _proposal(row: Row[Any]) -> Proposal:
    return _built(dict(row._mapping))  # noqa: SLF001 - a row's public way to its columns by name


def _built(values: Mapping[str, Any]) -> Proposal:
    known = {"direction": Direction(values["direction"]), "state": ProposalState(values["state"])}
    return Proposal(**{**values, **known})


_ADD: Final = f"""
    INSERT INTO proposals ({", ".join(field.name for field in fields(Proposal))})
    VALUES ({", ".join(f"${place}" for place, _ in enumerate(fields(Proposal), 1))})
"""  # noqa: S608 - names of ours
_CURRENT: Final = f"""
    SELECT {", ".join(field.name for field in fields(Proposal))} FROM proposals
    WHERE plan = $1 AND state IN ('open', 'held') ORDER BY proposed_at DESC
"""  # noqa: S608 - the same


async def add(tx: Transaction, proposal: Proposal) -> None:
    """Insert a proposal; its plan has no other open one."""
    await tx.fetch(_ADD, *(getattr(proposal, field.name) for field in fields(Proposal)))


async def get(reader: Reader, proposal_id: UUID) -> Proposal | None:
    row = await reader.one_or_none(select(proposals).where(proposals.c.id == proposal_id))
    return None if row is None else _proposal(row)


async def current_of_plan(reader: Reader, plan_id: UUID) -> Proposal | None:
    """Return the proposal that a plan now has, to be decided or for information, or None."""
    rows = await reader.fetch(_CURRENT, plan_id)
    return _built(dict(rows[0])) if rows else None


async def decided(reader: Reader, plan_id: UUID) -> list[Proposal]:
    """Return the proposals of a plan that a clinician decided and did not take back, newest first."""
    counts = proposals.c.decision.is_not(None) & proposals.c.taken_back_at.is_(None)
    wanted = select(proposals).where(proposals.c.plan == plan_id, counts)
    rows = await reader.all(wanted.order_by(proposals.c.proposed_at.desc()).limit(_DECIDED))
    return [_proposal(row) for row in rows]


async def waiting_patients(reader: Reader, clinic_id: UUID) -> list[UUID]:
    """Return the patients of a clinic with a proposal that waits, in the order in which rows are locked."""
    wanted = select(proposals.c.patient).where(proposals.c.clinic == clinic_id, proposals.c.state == ProposalState.OPEN)
    return [row.patient for row in await reader.all(wanted.distinct().order_by(proposals.c.patient))]


async def open_alerts(reader: Reader, patient_id: UUID) -> list[OpenAlert]:
    """Return the safety alerts of a patient that nobody has closed, oldest first."""
    rows = await reader.fetch(
        "SELECT level, raised_at FROM alerts WHERE patient = $1 AND state <> 'closed' ORDER BY raised_at, id",
        patient_id,
    )
    return [OpenAlert(row["level"], row["raised_at"]) for row in rows]


async def of_patient(reader: Reader, patient_id: UUID, *, limit: int, after: UUID | None) -> list[Proposal]:
    """Return a patient's proposals, newest first."""
    wanted = select(proposals).where(proposals.c.patient == patient_id)
    if after is not None:
        edge = select(proposals.c.proposed_at).where(proposals.c.id == after).scalar_subquery()
        same = (proposals.c.proposed_at == edge) & (proposals.c.id < after)
        wanted = wanted.where((proposals.c.proposed_at < edge) | same)
    rows = await reader.all(wanted.order_by(proposals.c.proposed_at.desc(), proposals.c.id.desc()).limit(limit + 1))
    return [_proposal(row) for row in rows]


async def change(tx: Transaction, proposal_id: UUID, values: Mapping[str, object]) -> Proposal:
    """Change a proposal, one version on; return it as it now stands."""
    result = await tx.execute(
        update(proposals)
        .where(proposals.c.id == proposal_id)
        .values(version=proposals.c.version + 1, **values)
        .returning(proposals)
    )
    return _proposal(result.one())


async def decided_changes(reader: Reader, plan_id: UUID, zone: str) -> tuple[Change, ...]:
    """Return the decided changes of a plan's interval, by the date of the decision where the patient lives."""
    rows = await reader.fetch(
        "SELECT decided_at, from_days, interval_days FROM proposals"
        " WHERE plan = $1 AND interval_days IS NOT NULL AND interval_days <> from_days AND taken_back_at IS NULL"
        " ORDER BY decided_at",
        plan_id,
    )
    return tuple(
        Change(on=to_wall(decided_at, zone).date(), from_days=from_days, to_days=interval_days)
        for decided_at, from_days, interval_days in rows
    )


async def add_outside(
    tx: Transaction, keyring: Keyring, *, clinic: UUID, patient: UUID, happened_on: date, kind: str, noted_by: str
) -> UUID:
    """Keep that something other than the interval moved a patient's scores."""
    change_id = new_id()
    await tx.execute(
        insert(outside_changes).values(
            id=change_id,
            clinic=clinic,
            patient=patient,
            happened_on=happened_on,
            sealed=keyring.seal(json.dumps({"kind": kind}), context=_OUTSIDE),
            noted_by=noted_by,
            noted_at=tx.now,
        )
    )
    return change_id


async def outside(reader: Reader, keyring: Keyring, patient_id: UUID) -> tuple[OutsideChange, ...]:
    """Return what else moved a patient's scores."""
    rows = await reader.fetch("SELECT happened_on, sealed FROM outside_changes WHERE patient = $1", patient_id)
    return tuple(
        OutsideChange(happened_on, json.loads(keyring.open(sealed, context=_OUTSIDE))["kind"])
        for happened_on, sealed in rows
    )
