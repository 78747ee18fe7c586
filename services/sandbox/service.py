"""The composition root of the sandbox: one ledger, and the network, mailbox, patients and pages around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from services.sandbox.api import MessagesApi
from services.sandbox.app import SandboxApp
from services.sandbox.caller import Caller, require_loopback
from services.sandbox.control import Control
from services.sandbox.entries import Source, TextHandedOver
from services.sandbox.journal import Journal
from services.sandbox.ledger import Ledger
from services.sandbox.mail import Mailbox
from services.sandbox.model.profiles import Profile
from services.sandbox.model.traits import PatientTraits
from services.sandbox.network import FaultOrder, Network
from services.sandbox.pages import LOOK, STATIC, Pages
from services.sandbox.patients import VirtualPatients
from services.sandbox.report import LedgerView, counts_of, ledger_view
from services.sandbox.settings import SandboxSettings
from services.sandbox.timers import Timers
from shared.clock import Clock
from shared.web import problems
from shared.web.pages import SHARED_STATIC, SafeHeaders

JOURNAL = Path("sandbox") / "ledger.jsonl"


class SandboxService:
    """A stand-in phone network and mailbox, ready to be started.

    Attributes:
        app: the web application; its lifespan starts and stops the sandbox where a server runs it as its own. Mounted
            or hosted otherwise, the host calls `start` and `stop`.
        ledger: the truth; read it, and leave the writing to the rooms.
        patients: the virtual patients.
        network: the phone network.
    """

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        self._clock = clock
        self._journal = Journal(settings.data_dir / JOURNAL)
        self.ledger = Ledger(self._journal, profile=settings.profile, seed=settings.seed, now=clock.now())
        self._timers = Timers(clock)
        self._caller = Caller(
            clock,
            auth_token=settings.auth_token,
            budget=settings.webhook_budget,
            retries=settings.webhook_retries,
            also=settings.also,
        )
        self._also = settings.also
        self.network = Network(settings, clock, self.ledger, self._timers, self._caller)
        self.patients = VirtualPatients(
            clock, self.ledger, self._timers, self._caller, self.network, everybody=settings.virtual_patients
        )
        self.network.on_text = self.patients.on_text
        self._mailbox = Mailbox(settings, clock, self.ledger)
        self._control = Control(clock, self.ledger, self.network, self.patients, self._timers)
        self._running = False
        self.app = self._build_app(settings)

    def _build_app(self, settings: SandboxSettings) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            await self.start()
            yield
            await self.stop()

        app = SandboxApp(
            title="Keepwell sandbox", openapi_url="/sandbox/openapi.json", docs_url=None, lifespan=lifespan
        )
        app.add_middleware(SafeHeaders)
        problems.install(app)
        app.include_router(MessagesApi(settings, self._clock, self.ledger, self.network).router())
        app.include_router(self._control.router())
        pages = Pages(
            settings,
            self._clock,
            ledger=self.ledger,
            network=self.network,
            patients=self.patients,
            control=self._control,
        )
        app.include_router(pages.router())
        app.mount(LOOK, StaticFiles(directory=SHARED_STATIC))
        app.mount(STATIC, StaticFiles(directory=Path(__file__).parent / "static"))
        return app

    async def start(self) -> None:
        """Listen for mail, and take up the callbacks and acts that are still to do. Started twice is started once."""
        if self._running:
            return
        self._running = True
        await self._caller.start()
        await self._mailbox.start()
        self.network.resume()
        self.patients.resume()
        await self._timers.start()

    async def stop(self) -> None:
        """Stop; what is still to do is taken up at the next start."""
        if not self._running:
            return
        self._running = False
        await self._timers.stop()
        await self._mailbox.stop()
        await self._caller.stop()
        self._timers.clear()

    def close(self) -> None:
        """Close the journal, after the last stop."""
        self._journal.close()

    @property
    def smtp_port(self) -> int:
        """Return the port that the mailbox listens on, once it is started."""
        return self._mailbox.port

    def point_to(self, inbound_url: str) -> None:
        """Say where texts from handsets go, once the host knows its own address.

        Raises:
            NotLoopbackError: where the address is neither of this machine nor of a host that was allowed.
        """
        self.network.inbound_url = require_loopback(inbound_url, self._also)

    def next_due(self) -> datetime | None:
        """Return the earliest instant at which a callback or a patient's act is due; it may have come already."""
        return self._timers.next_due()

    def busy(self) -> bool:
        """Tell whether something is due or under way right now."""
        return self._control.busy()

    async def run_due(self) -> None:
        """Do all that is due now, and return when it is done; the started sandbox also does so by itself."""
        await self._timers.run_due()

    def reset(self) -> None:
        """Forget all texts, mails and plans; keep how the network behaves."""
        self._control.reset()

    def tune(self, profile: Profile, seed: int) -> None:
        """Have the network behave like this from now on."""
        self.network.tune(profile, seed)

    def order(self, order: FaultOrder) -> None:
        """Have the next calls go wrong in a certain way."""
        self.network.order(order)

    def enrol(self, number: str, *, virtual: bool = True, name: str = "", traits: PatientTraits | None = None) -> None:
        """Let a virtual patient hold a handset, or keep it for a person; see `VirtualPatients.enrol`."""
        self.patients.enrol(number, virtual=virtual, name=name, traits=traits)

    def attended(self, number: str, at: datetime) -> None:
        """Let a virtual patient have been at a session."""
        self.patients.attended(number, at)

    async def send_from(self, number: str, body: str, *, to: str | None = None) -> TextHandedOver:
        """Send a text from a handset to Keepwell."""
        return await self.network.receive(number, body, source=Source.PROGRAM, to=to)

    def read(self) -> LedgerView:
        """Return the ledger as `GET /sandbox/ledger` shows it."""
        return ledger_view(self.ledger, self.network, self._clock.now())

    def counts(self) -> dict[str, int]:
        """Return the totals of the ledger by name."""
        return counts_of(self.ledger)


def build(settings: SandboxSettings, clock: Clock) -> SandboxService:
    """Build the sandbox.

    Args:
        settings: what it must be told.
        clock: the only one.

    Raises:
        JournalUnreadableError: where an earlier ledger in the data folder cannot be read.
    """
    return SandboxService(settings, clock)
