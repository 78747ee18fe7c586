from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from shared.bus import Handlers, Heard
from shared.bus.envelope import Received
from shared.database import Transaction
from shared.events import PatientDischarged, SessionDue
from shared.ids import ClinicId, new_id

TX = cast("Transaction", None)
CLINIC = ClinicId(uuid4())


def discharged() -> Received:
    return received(PatientDischarged(clinic=CLINIC, patient=uuid4(), version=1))


def due() -> Received:
    event = SessionDue(
        clinic=CLINIC,
        patient=uuid4(),
        version=1,
        session=uuid4(),
        occurrence="1d",
        starts_at="2026-12-01T10:00",
        zone="America/New_York",
        starts_at_utc="2026-12-01T15:00:00Z",
        minutes=90,
    )
    return received(event)


def received(event: Any) -> Received:
    return Received(new_id(), event.TYPE, None, event)


async def test_events_that_come_in_crowds_are_handled_together_and_in_order_with_the_others() -> None:
    handlers, calls = Handlers(), list[list[UUID]]()

    @handlers.on(PatientDischarged)
    async def one(_tx: Transaction, event: PatientDischarged) -> None:
        calls.append([event.patient])

    @handlers.on_many(SessionDue)
    async def many(_tx: Transaction, heard: Sequence[Heard[SessionDue]]) -> None:
        calls.append([each.event.patient for each in heard])

    batch = [due(), due(), discharged(), discharged(), due()]
    await handlers.handle_all(TX, batch)
    patients = [cast("SessionDue", each.event).patient for each in batch]
    assert calls == [patients[:2], [patients[2]], [patients[3]], [patients[4]]]
    assert handlers.wants(SessionDue.TYPE)
    assert len(handlers.topics) == 2


async def test_a_type_has_one_handler() -> None:
    handlers = Handlers()

    async def many(_tx: Transaction, _heard: Sequence[Heard[SessionDue]]) -> None: ...

    async def one(_tx: Transaction, _event: SessionDue) -> None: ...

    handlers.on_many(SessionDue)(many)
    with pytest.raises(ValueError, match="already has a handler"):
        handlers.on(SessionDue)(one)
