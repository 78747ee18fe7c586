"""Patients in care whom a message may not reach: bad numbers and addresses, and none that may be used."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import JSONB

from services.clinic.model.patient import PatientState
from services.clinic.model.worklist import Dead, Found, Unreached
from services.clinic.store.reads import WHOLE
from services.clinic.tables import CHECKS, CONSENTS, CONTACTS, PATIENTS
from shared.database import Reader
from shared.ids import ClinicId, PatientId


async def unreached(reader: Reader, clinic: ClinicId, *, limit: int, skip: int = 0) -> Found[Unreached]:
    """Return patients in care with a contact point that does not work or none that may be used; the latter first."""
    reached, dead = _reached(), _dead()
    in_care = (PATIENTS.c.clinic == clinic) & (PATIENTS.c.state == str(PatientState.ENROLLED))
    number = select(func.count()).where(CONTACTS.c.patient == PATIENTS.c.id).scalar_subquery()
    wanted = select(PATIENTS.c.id, reached.label("reached"), number.label("number")).where(in_care & (~reached | dead))
    ordered = wanted.order_by(reached, PATIENTS.c.id).limit(limit).offset(skip)
    rows = await reader.all(ordered)
    bad = await _bad(reader, [row.id for row in rows])
    found = [Unreached(PatientId(row.id), row.reached, row.number, tuple(bad.get(row.id, ()))) for row in rows]
    total = select(func.count()).select_from(PATIENTS).where(in_care & (~reached | dead))
    return Found(found, int(await reader.scalar(total)))


async def _bad(reader: Reader, patients: Collection[UUID]) -> dict[UUID, list[Dead]]:
    if not patients:
        return {}
    held = select(CONTACTS.c.patient, CONTACTS.c.kind, CHECKS.c.why, CHECKS.c.words, CHECKS.c.by, CHECKS.c.at).join(
        CHECKS, CHECKS.c.contact == CONTACTS.c.id
    )
    mine = held.where(CONTACTS.c.patient.in_(patients), ~CHECKS.c.works)
    found: dict[UUID, list[Dead]] = {}
    for row in await reader.all(mine.order_by(CONTACTS.c.patient, CONTACTS.c.place)):
        found.setdefault(row.patient, []).append(Dead(row.kind, row.why, row.by, row.at, row.words))
    return found


def _dead() -> ColumnElement[bool]:
    broken = select(CHECKS.c.contact).join(CONTACTS, CONTACTS.c.id == CHECKS.c.contact)
    return broken.where(CONTACTS.c.patient == PATIENTS.c.id, ~CHECKS.c.works).exists()


def _reached() -> ColumnElement[bool]:
    """Return whether a contact point works, was consented to, and has taken none of it back for some purpose."""
    given = func.jsonb_array_elements(CONTACTS.c.consents, type_=JSONB).table_valued("value", name="given")
    value: ColumnElement[Any] = given.c.value.cast(JSONB)
    purpose = value["purpose"].astext
    taken_back = select(CONSENTS.c.contact).where(
        CONSENTS.c.contact == CONTACTS.c.id, ~CONSENTS.c.granted, CONSENTS.c.purpose.in_([purpose, WHOLE])
    )
    broken = select(CHECKS.c.contact).where(CHECKS.c.contact == CONTACTS.c.id, ~CHECKS.c.works)
    agreed = select(1).select_from(given).where(~taken_back.correlate(CONTACTS, given).exists())
    usable = select(CONTACTS.c.id).where(
        CONTACTS.c.patient == PATIENTS.c.id,
        ~broken.correlate(CONTACTS).exists(),
        agreed.correlate(CONTACTS).exists(),
    )
    return usable.correlate(PATIENTS).exists()
