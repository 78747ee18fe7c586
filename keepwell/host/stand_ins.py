"""The sandbox beside the services: a phone network, a mailbox and the account that reaches them."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import APIRouter

from keepwell.host.data_directory import DataDirectory
from keepwell.host.listen import Server, address, listen
from services.sandbox import service as sandbox
from services.sandbox.model.profiles import Profile
from services.sandbox.settings import SandboxSettings
from shared.clock import Clock
from shared.service import Provider
from shared.settings import Settings, SettingsError

PHONE: Final = "+15005550006"
"""Keepwell's own number in the sandbox: one that no real subscriber has."""
LOOPBACK: Final = "127.0.0.1"
KEEP_ALIVE: Final = 75
"""Seconds that an idle connection stays open, longer than a caller keeps it: if the server closed first, a call could
be lost on its way and its outcome be unknown."""


@dataclass(frozen=True)
class StandIns:
    """The sandbox, running."""

    service: sandbox.SandboxService
    url: str
    provider: Provider

    @property
    def phone_url(self) -> str:
        return f"{self.url}/sandbox/phone"

    @property
    def mail_url(self) -> str:
        return f"{self.url}/sandbox/mail"

    def next_due(self) -> datetime | None:
        """Return when the network or a virtual patient next does something."""
        return self.service.next_due()

    def busy(self) -> bool:
        """Tell whether something of theirs is due or under way."""
        return self.service.busy()


@asynccontextmanager
async def stand_ins(
    settings: Settings, directory: DataDirectory, clock: Clock, *, inbound: str
) -> AsyncIterator[StandIns]:
    """Run the sandbox on a port of its own, on loopback only.

    Args:
        settings: of the process; they name the profile and the seed.
        directory: where the ledger and the account's secret lie.
        clock: the process's clock.
        inbound: where texts from handsets go.

    Raises:
        SettingsError: there is no such profile.
    """
    listening = listen(LOOPBACK, 0)
    async with _running(_build(settings, directory, clock, inbound, smtp_host=LOOPBACK), listening) as built:
        account, token = _account(settings, directory)
        url = address(listening, host=LOOPBACK)
        yield StandIns(
            built,
            url,
            Provider(
                twilio_base_url=url,
                twilio_account_sid=account,
                twilio_auth_token=token,
                twilio_from=settings.twilio_from or PHONE,
                smtp_host=LOOPBACK,
                smtp_port=built.smtp_port,
                smtp_from=settings.smtp_from or "clinic@keepwell.example",
                smtp_username=None,
                smtp_password=None,
                smtp_tls="none",
            ),
        )


@asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[str]:
    """Run the sandbox as a process of its own, where the process listens; give its address.

    The account, its secret and Keepwell's number are those that the notifier was given; texts from handsets go to the
    public address, which is the one that the provider's signature is made over.

    Raises:
        SettingsError: one of these is missing, or there is no such profile.
    """
    needed = {
        "KEEPWELL_TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "KEEPWELL_TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "KEEPWELL_PUBLIC_URL": settings.public_url,
    }
    if missing := [name for name, value in needed.items() if value is None]:
        raise SettingsError(f"The sandbox by itself stands in for an account: set {' and '.join(missing)}.")
    directory = DataDirectory(settings.data_dir)
    inbound = f"{settings.public_url}/webhooks/twilio/inbound"
    built = _build(settings, directory, directory.clock(settings), inbound, smtp_host=settings.http_host)
    built.app.include_router(_health())
    listening = listen(settings.http_host, settings.http_port)
    async with _running(built, listening):
        yield address(listening, host=settings.http_host)


@asynccontextmanager
async def _running(built: sandbox.SandboxService, listening: socket.socket) -> AsyncIterator[sandbox.SandboxService]:
    server = Server(built.app, listening, timeout_keep_alive=KEEP_ALIVE)
    await built.start()
    try:
        await server.start()
        yield built
    finally:
        await built.stop()
        await server.stop()
        built.close()


def _build(
    settings: Settings, directory: DataDirectory, clock: Clock, inbound: str, *, smtp_host: str
) -> sandbox.SandboxService:
    account, token = _account(settings, directory)
    try:
        profile = Profile(settings.sandbox.profile)
    except ValueError:
        known = ", ".join(Profile)
        raise SettingsError(
            f"KEEPWELL_SANDBOX__PROFILE is {settings.sandbox.profile!r}: it must be one of {known}."
        ) from None
    return sandbox.build(
        SandboxSettings(
            account_sid=account,
            auth_token=token,
            data_dir=directory.folder,
            phone=settings.twilio_from or PHONE,
            inbound_url=inbound,
            profile=profile,
            seed=settings.sandbox.seed,
            smtp_host=smtp_host,
            smtp_port=settings.sandbox.smtp_port,
            virtual_patients=settings.sandbox.patients,
            zone=settings.zone,
            also=settings.sandbox.allowed_hosts,
        ),
        clock,
    )


def _account(settings: Settings, directory: DataDirectory) -> tuple[str, str]:
    """Return the account and its secret: the settings', or ones that this place keeps."""
    secret = settings.twilio_auth_token
    account = settings.twilio_account_sid or "AC" + directory.secret("sandbox-account")
    return account, secret.get_secret_value() if secret else directory.secret("sandbox-token")


def _health() -> APIRouter:
    """Return the routes that a supervisor asks; the sandbox waits for nobody."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    async def readyz() -> dict[str, object]:
        return {"ready": True, "problems": []}

    return routes
