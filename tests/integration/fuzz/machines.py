"""What the state machines have in common: a patient of their own, the interface, the outbox, and time."""

from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import requests
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import delete, select

from shared.bus.envelope import Received
from shared.bus.tables import AT_ONCE, tables_of
from shared.events import BY_TYPE, Event
from shared.ids import new_id
from tests.integration.fuzz.world import PATIENCE, World

E = TypeVar("E", bound=Event)
ZONE: Final = "America/Phoenix"
"""Seven hours behind UTC all year: a model can count hours without our code for zones."""
BEHIND: Final = timedelta(hours=7)


class Machine(RuleBasedStateMachine):
    """One patient of one service, and what has become of them in the model.

    Subclasses keep their model in plain Python. They call the product over HTTP or by events, and ask its tables only
    to compare.
    """

    service: str

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.patient = uuid4()
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {world.token()}"

    def teardown(self) -> None:
        self._http.close()

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Call the interface for programs; no answer may be the server's fault."""
        answer = self._http.request(
            method, f"{self.world.base}/api/v1{path}", json=body, headers=headers, timeout=PATIENCE
        )
        assert answer.status_code < 500, answer.text
        return answer.status_code, answer.json()

    def tell(self, event: Event, *, event_id: UUID | None = None) -> None:
        """Let the service handle an event."""
        self.world.run(self._tell(event, event_id or new_id()))

    async def _tell(self, event: Event, event_id: UUID) -> None:
        service = self.world.service(self.service)
        async with service.database.transaction() as tx:
            await service.handlers.handle(tx, Received(event_id, event.TYPE, None, event))

    def said(self, kind: type[E]) -> list[E]:
        """Return what the service has said of this patient, in order."""

        async def read() -> list[Any]:
            service = self.world.service(self.service)
            outbox = tables_of(service.name).outbox
            async with service.database.reading() as reader:
                mine = select(outbox).where(outbox.c.due_at == AT_ONCE, outbox.c.key == str(self.patient))
                return list(await reader.all(mine.order_by(outbox.c.seq)))

        events = [BY_TYPE[row.type].model_validate_json(row.body) for row in self.world.run(read())]
        return [event for event in events if type(event) is kind]

    def timers(self) -> dict[str, tuple[datetime, Event]]:
        """Return this patient's pending timers by name."""

        async def read() -> list[Any]:
            service = self.world.service(self.service)
            outbox = tables_of(service.name).outbox
            async with service.database.reading() as reader:
                mine = select(outbox).where(outbox.c.due_at != AT_ONCE, outbox.c.key == str(self.patient))
                return list(await reader.all(mine))

        rows = self.world.run(read())
        assert len({row.timer for row in rows}) == len(rows), "two live timers of one name"
        return {row.timer: (row.due_at, BY_TYPE[row.type].model_validate_json(row.body)) for row in rows}

    def live(self, span: timedelta) -> list[tuple[datetime, Event]]:
        """Live on for a span; return the timers of this patient that fired, each when it was due."""
        return self.world.run(self._live(self.now + span))

    async def _live(self, until: datetime) -> list[tuple[datetime, Event]]:
        service = self.world.service(self.service)
        outbox = tables_of(service.name).outbox
        fired: list[tuple[datetime, Event]] = []
        while True:
            async with service.database.transaction() as tx:
                due = select(outbox).where(
                    outbox.c.due_at != AT_ONCE, outbox.c.due_at <= until, outbox.c.key == str(self.patient)
                )
                row = await tx.one_or_none(due.order_by(outbox.c.due_at, outbox.c.seq).limit(1))
                if row is None:
                    break
                await tx.execute(delete(outbox).where(outbox.c.seq == row.seq))
            await self.world.clock.move_to(max(row.due_at, self.now))
            event = BY_TYPE[row.type].model_validate_json(row.body)
            fired.append((row.due_at, event))
            if service.handlers.wants(event.TYPE):
                await self._tell(event, row.id)
        await self.world.clock.move_to(max(until, self.now))
        return fired
