"""One process with any set of services: everything is built here, started in order and stopped in reverse."""

import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from keepwell.host import infrastructure, registry
from keepwell.host.app import application
from keepwell.host.data_directory import DataDirectory, Login, Running
from keepwell.host.engine import Engine
from keepwell.host.listen import Server, address, listen
from keepwell.host.starting import StartingApp
from keepwell.host.tracing import tracing
from keepwell.host.trial import TrialTime
from shared.bus.address import servers_of
from shared.clock import Clock, SteppedClock
from shared.database import Database
from shared.database.history import Part, working_name
from shared.protection import Keyring
from shared.service import Context, Provider, Service
from shared.settings import SERVICES, Settings, SettingsError
from shared.telemetry.log import get_logger
from shared.web.client import ServiceClient
from shared.web.outgoing import Lazily
from shared.web.tokens import Tokens

if TYPE_CHECKING:
    from keepwell.host.stand_ins import StandIns

log = get_logger(__name__)


@dataclass(frozen=True)
class Host:
    """A process that is up."""

    settings: Settings
    services: Sequence[Service]
    engine: Engine
    clock: Clock
    tokens: Tokens
    url: str
    public_url: str
    login: Login | None
    stand_ins: "StandIns | None"
    trial: TrialTime | None
    infrastructure: infrastructure.Infrastructure

    def lines(self) -> dict[str, Any]:
        """Return the addresses and the first login, as `keepwell up --json` prints them."""
        hosted = {service.name for service in self.services}
        return {
            "console": f"{self.url}/console/today" if "clinic" in hosted else None,
            "api": f"{self.url}/api/v1",
            "login": None
            if self.login is None
            else {"login": self.login.login, "password": self.login.password, "clinic": self.login.clinic},
            "phone": self.stand_ins.phone_url if self.stand_ins else None,
            "mail": self.stand_ins.mail_url if self.stand_ins else None,
        }


@asynccontextmanager
async def up(
    settings: Settings, names: Sequence[str] = (), progress: Any = None, *, clock: Clock | None = None
) -> AsyncIterator[Host]:
    """Start the services named, or all of them, and everything under them; stop all of it at the end.

    Args:
        settings: of the process.
        names: services to host; all, and the sandbox where no provider is set, when empty.
        progress: called with what the embedded parts are doing.
        clock: the one to live by; that of the settings where absent.

    Raises:
        SettingsError: the settings do not fit these services.
    """
    hosted = [name for name in names or SERVICES if name != "sandbox" and (names or name in settings.can_host)]
    _refuse_what_does_not_fit(settings, hosted)
    account = _account(settings, names)
    directory = DataDirectory(settings.data_dir)
    keyring = directory.keyring(settings)
    clock = clock or directory.clock(settings)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(tracing(settings, hosted))
        listening = listen(settings.http_host, settings.http_port)
        stack.callback(listening.close)
        more = (
            [] if settings.http_also in {None, settings.http_port} else [listen(settings.http_host, settings.http_also)]
        )
        url = address(listening, host=settings.http_host)
        public_url = settings.public_url or url
        starting = StartingApp()
        server = Server(starting, listening, *more, trusted_proxies=settings.trusted_proxies)
        stack.push_async_callback(server.stop)
        await server.start()
        built = await stack.enter_async_context(infrastructure.opened(settings, directory, progress))
        database_urls = await _migrated(settings, keyring, built, hosted, starting)
        stack.callback(directory.keep_clock, clock)
        stand: StandIns | None = None
        if account is None:
            stand = await stack.enter_async_context(_standing_in(settings, directory, clock, public_url))
            account = stand.provider
        tokens = Tokens(keyring, since=settings.tokens_since)
        http = Lazily()
        stack.push_async_callback(http.close)
        urls = {name: getattr(settings, name).url or url for name in SERVICES}
        services: list[Service] = []
        contexts: dict[str, Context] = {}
        for name in hosted:
            database = Database(
                database_urls[name], schema=name, clock=clock, name=working_name(name, registry.history(name).head)
            )
            stack.push_async_callback(database.close)
            contexts[name] = Context(
                settings=settings,
                clock=clock,
                keyring=keyring,
                database=database,
                tokens=tokens,
                http=http,
                client=ServiceClient(http, urls, tokens),
                public_url=public_url,
                provider=account,
                hosted=frozenset(hosted),
                urls=urls,
            )
            services.append(registry.module(name).build(contexts[name]))
        login = await _first_login(directory, contexts)
        engine = Engine(
            services,
            kafka=built.kafka,
            clock=clock,
            instance=socket.gethostname() if settings.instance == "hostname" else settings.instance,
            stop_seconds=settings.stop_seconds,
        )
        trial = None
        if settings.clock_factor is None and isinstance(clock, SteppedClock):
            trial = TrialTime(clock, engine, bystander=stand, keep=lambda: directory.keep_clock(clock))
        app = application(
            services,
            engine,
            keyring=keyring,
            tokens=tokens,
            kafka=built.kafka,
            trial=trial,
            page_seconds=settings.page_seconds,
        )
        # Stopped after the engine: pages' streams end with their loops, and what is in flight may still be looked at.
        stack.push_async_callback(server.stop)
        stack.push_async_callback(engine.stop)
        starting.wait_for("it connects to Kafka and looks at what is due")
        await engine.start()
        starting.open(app)
        directory.keep_running(
            Running(
                pid=os.getpid(),
                api=url,
                database_url=built.database and built.database.render_as_string(hide_password=False),
                kafka=servers_of(built.kafka),
            )
        )
        stack.callback(directory.forget_running)
        log.info("keepwell.ready", services=hosted, clock=settings.clock)
        yield Host(settings, services, engine, clock, tokens, url, public_url, login, stand, trial, built)


async def _migrated(
    settings: Settings,
    keyring: Keyring,
    built: infrastructure.Infrastructure,
    hosted: Sequence[str],
    starting: StartingApp,
) -> Mapping[str, URL]:
    """Bring every schema up to date, or wait until that was done elsewhere; return where each hosted service's is."""
    urls = infrastructure.database_urls(settings, keyring, built.database)
    own = {name: urls[name] for name in hosted}
    if built.database is None:
        await infrastructure.migrated(own, built.kafka, starting.wait_for)
    else:
        await infrastructure.migrate(settings, keyring, built, Part.FITTING)
    return own


def _standing_in(
    settings: Settings, directory: DataDirectory, clock: Clock, public_url: str
) -> AbstractAsyncContextManager["StandIns"]:
    from keepwell.host.stand_ins import stand_ins  # noqa: PLC0415 - the sandbox, where there is no provider

    return stand_ins(settings, directory, clock, inbound=f"{public_url}/webhooks/twilio/inbound")


def _refuse_what_does_not_fit(settings: Settings, hosted: Sequence[str]) -> None:
    _refuse_what_is_others(settings, hosted)
    if settings.clock != "real" and set(hosted) != set(SERVICES):
        raise SettingsError(
            f"KEEPWELL_CLOCK is {settings.clock!r}, but only {', '.join(hosted)} would run here: trial time is one "
            "process's. Start all services together, or use KEEPWELL_CLOCK=real."
        )


def _refuse_what_is_others(settings: Settings, hosted: Sequence[str]) -> None:
    """Hold a process that knows its own roles alone to what it was given.

    Raises:
        SettingsError: a service has no address, or there are no keys: new ones would open nothing that others sealed.
    """
    if not settings.split:
        return
    if missing := [f"KEEPWELL_{name.upper()}__DATABASE_URL" for name in hosted if name not in settings.can_host]:
        raise SettingsError(f"{' and '.join(missing)} is missing, and so is KEEPWELL_DATABASE_URL.")
    if settings.keys is None:
        raise SettingsError(
            "KEEPWELL_KEYS is missing: this process has its own role's address alone, so others share its data, and "
            "they have the keys. Give it the same."
        )


def _account(settings: Settings, names: Sequence[str]) -> Provider | None:
    """Return the accounts of the settings; None where the sandbox is to stand in.

    Raises:
        SettingsError: a mail server is set beside a sandbox that nobody asked for: no patient would get any mail.
    """
    if not settings.sandbox_on or (names and "sandbox" not in names):
        return _provider(settings)
    if settings.smtp_host is not None and settings.sandbox.enabled is None:
        raise SettingsError(
            f"KEEPWELL_SMTP_HOST is {settings.smtp_host!r}, but KEEPWELL_TWILIO_ACCOUNT_SID is not set: the sandbox "
            "would take all texts and all e-mail. Set the account; or KEEPWELL_SANDBOX__ENABLED=false to send e-mail "
            "alone, true where nothing is to leave."
        )
    return None


def _provider(settings: Settings) -> Provider:
    """Return the accounts of the settings.

    Raises:
        SettingsError: there is a mail server and nobody to write from: no server takes what a made-up address sends.
    """
    if settings.smtp_host is not None and settings.smtp_from is None:
        raise SettingsError(
            "KEEPWELL_SMTP_HOST is set, so set KEEPWELL_SMTP_FROM too: the address that patients see, of a domain that "
            "this mail server may send for."
        )
    token, password = settings.twilio_auth_token, settings.smtp_password
    other = settings.twilio_auth_token_other
    return Provider(
        twilio_base_url=settings.twilio_base_url,
        twilio_account_sid=settings.twilio_account_sid,
        twilio_auth_token=token.get_secret_value() if token else "",
        twilio_from=settings.twilio_from or "",
        smtp_host=settings.smtp_host,
        smtp_port=settings.smtp_port,
        smtp_from=settings.smtp_from or "clinic@localhost",
        smtp_username=settings.smtp_username,
        smtp_password=password.get_secret_value() if password else None,
        smtp_tls=settings.smtp_tls,
        twilio_auth_token_other=other.get_secret_value() if other else None,
        smtp_ca=None if settings.smtp_ca is None else str(settings.smtp_ca),
    )


async def _first_login(directory: DataDirectory, contexts: dict[str, Context]) -> Login | None:
    """Set up the first clinic where there is none, and remember the way in."""
    context = contexts.get("clinic")
    if context is not None:
        from keepwell.host import first_people  # noqa: PLC0415 - only where the console is hosted

        login = await first_people.let_in(context.database, context.keyring, context.settings)
        if login.password is not None or directory.login is None:
            directory.keep_login(login)
    return directory.login
