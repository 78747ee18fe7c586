"""The sandbox for programs: how tests and the simulator read it, set it up and order what shall go wrong."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.sandbox.entries import Source
from services.sandbox.ledger import Ledger
from services.sandbox.model.numbers import valid_number
from services.sandbox.model.profiles import Fault, Mark, Profile
from services.sandbox.network import FaultOrder, Network
from services.sandbox.patients import VirtualPatients
from services.sandbox.report import InboundView, LedgerView, View, inbound_view, ledger_view
from services.sandbox.timers import Timers
from shared.clock import Clock
from shared.web.problems import Invalid


class StateView(View):
    """What the sandbox is about to do."""

    now: datetime
    next_due: datetime | None
    busy: bool


class Wanted(BaseModel):
    """What a program sends; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProfileWanted(Wanted):
    """How the network shall behave from now on."""

    profile: Profile
    seed: int = 1


class FaultsWanted(Wanted):
    """What shall go wrong with the next calls."""

    to: str | None = None
    fault: Fault | None = None
    marks: frozenset[Mark] = frozenset()
    times: int = Field(1, ge=1, le=10_000)


class PatientWanted(Wanted):
    """Who holds a handset: a virtual patient, or a person."""

    number: str = Field(pattern=r"^\+\d{7,15}$")
    virtual: bool = True


class Attendance(Wanted):
    """A virtual patient was at a session."""

    number: str = Field(pattern=r"^\+\d{7,15}$")
    at: AwareDatetime


class Control:
    """The calls for programs, over one ledger."""

    def __init__(
        self, clock: Clock, ledger: Ledger, network: Network, patients: VirtualPatients, timers: Timers
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._network = network
        self._patients = patients
        self._timers = timers

    def reset(self) -> None:
        """Forget all texts, mails and plans; keep how the network behaves."""
        self._timers.clear()
        self._network.forget_orders()
        self._ledger.begin(self._clock.now())

    def busy(self) -> bool:
        """Tell whether something is due or under way."""
        return self._timers.busy() or self._network.in_flight > 0

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/sandbox", tags=["sandbox"])
        router.add_api_route("/ledger", self.read_ledger, methods=["GET"])
        router.add_api_route("/state", self.read_state, methods=["GET"])
        router.add_api_route("/reset", self.reset_all, methods=["POST"], status_code=204, response_class=Response)
        router.add_api_route("/profile", self.tune, methods=["PUT"])
        router.add_api_route("/faults", self.order, methods=["POST"], status_code=204, response_class=Response)
        router.add_api_route("/patients", self.enrol, methods=["POST"], status_code=204, response_class=Response)
        router.add_api_route(
            "/patients/attended", self.attended, methods=["POST"], status_code=204, response_class=Response
        )
        router.add_api_route("/inbound", self.send, methods=["POST"], status_code=201)
        return router

    async def read_ledger(self, after: Annotated[int, Query(ge=0)] = 0) -> LedgerView:
        """Return the ledger; `after` leaves out as many of the oldest messages."""
        return ledger_view(self._ledger, self._network, self._clock.now(), after)

    async def read_state(self) -> StateView:
        """Tell what the sandbox is about to do."""
        return StateView(now=self._clock.now(), next_due=self._timers.next_due(), busy=self.busy())

    async def reset_all(self) -> None:
        """Forget all texts, mails and plans; keep how the network behaves."""
        self.reset()

    async def tune(self, body: ProfileWanted) -> ProfileWanted:
        """Have the network behave like this from now on."""
        self._network.tune(body.profile, body.seed)
        return body

    async def order(self, body: FaultsWanted) -> None:
        """Have the next calls go wrong in a certain way."""
        self._network.order(FaultOrder(body.to, body.fault, body.marks, body.times))

    async def enrol(self, body: PatientWanted) -> None:
        """Let a virtual patient hold a handset, or keep it for a person."""
        self._patients.enrol(body.number, virtual=body.virtual)

    async def attended(self, body: Attendance) -> None:
        """Let a virtual patient have been at a session."""
        self._patients.attended(body.number, body.at)

    async def send(
        self,
        sender: Annotated[str, Form(alias="From")],
        body: Annotated[str, Form(alias="Body")],
        to: Annotated[str | None, Form(alias="To")] = None,
    ) -> InboundView:
        """Send a text from a handset to Keepwell, and return once Keepwell has answered."""
        if not valid_number(sender):
            raise Invalid.at("/From", "must be a number in E.164, such as +12125550123")
        if not body.strip():
            raise Invalid.at("/Body", "is empty; a text needs words")
        done = await self._network.receive(sender, body, source=Source.PROGRAM, to=to)
        return inbound_view(self._ledger, self._ledger.inbound[done.sid])
