"""The sandbox beside the services: a phone network, a mailbox and the account that reaches them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keepwell.listen import Server, address, listen
from keepwell.place import Place
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
        """Return the page with the handsets."""
        return f"{self.url}/sandbox/phone"

    @property
    def mail_url(self) -> str:
        """Return the page with the mailbox."""
        return f"{self.url}/sandbox/mail"

    def next_due(self) -> datetime | None:
        """Return when the network or a virtual patient next does something."""
        return self.service.next_due()

    def busy(self) -> bool:
        """Tell whether something of theirs is due or under way."""
        return self.service.busy()


@asynccontextmanager
async def stand_ins(settings: Settings, place: Place, clock: Clock, *, inbound: str) -> AsyncIterator[StandIns]:
    """Run the sandbox on a port of its own, on loopback only.

    Args:
        settings: of the process; they name the profile and the seed.
        place: where the ledger and the account's secret lie.
        clock: the process's clock.
        inbound: where texts from handsets go.

    Raises:
        SettingsError: there is no such profile.
    """
    account, secret = settings.twilio_account_sid, settings.twilio_auth_token
    account_sid = account or "AC" + place.secret("sandbox-account")
    token = secret.get_secret_value() if secret else place.secret("sandbox-token")
    try:
        profile = Profile(settings.sandbox.profile)
    except ValueError:
        known = ", ".join(Profile)
        raise SettingsError(
            f"KEEPWELL_SANDBOX__PROFILE is {settings.sandbox.profile!r}: it must be one of {known}."
        ) from None
    built = sandbox.build(
        SandboxSettings(
            account_sid=account_sid,
            auth_token=token,
            data_dir=place.folder,
            phone=settings.twilio_from or PHONE,
            inbound_url=inbound,
            profile=profile,
            seed=settings.sandbox.seed,
            virtual_patients=settings.sandbox.patients,
            zone=settings.zone,
        ),
        clock,
    )
    listening = listen(LOOPBACK, 0)
    url = address(listening, host=LOOPBACK)
    server = Server(built.app, listening, timeout_keep_alive=KEEP_ALIVE)
    await built.start()
    try:
        await server.start()
        yield StandIns(
            built,
            url,
            Provider(
                twilio_base_url=url,
                twilio_account_sid=account_sid,
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
    finally:
        await built.stop()
        await server.stop()
        built.close()
