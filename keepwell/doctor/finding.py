"""What was found, and what the checks have in common."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from sqlalchemy.engine import URL

from keepwell.host import infrastructure
from keepwell.host.data_directory import DataDirectory, NotRunningError, Running
from shared.bus.address import Address, kafka_of
from shared.database.address import async_url
from shared.settings import SERVICES, Settings

PATIENCE: Final = 10.0
"""Real seconds for an answer of anybody."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        remedy: what to do about it; empty where all is well.
    """

    what: str
    well: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Installation:
    """What the doctor is called to: a data directory, settings, and the Keepwell that runs there, if one does."""

    directory: DataDirectory
    settings: Settings
    running: Running | None

    @classmethod
    def of(cls, settings: Settings) -> "Installation":
        """Look for a running Keepwell and return where the doctor is."""
        directory = DataDirectory(settings.data_dir)
        try:
            return cls(directory, settings, directory.running)
        except NotRunningError:
            return cls(directory, settings, None)

    @property
    def common(self) -> URL | None:
        """Return the address that reaches every schema, where there is one here."""
        given = self.settings.database_url
        if given is not None:
            return async_url(given.get_secret_value())
        if self.settings.split or self.running is None or self.running.database_url is None:
            return None
        return async_url(self.running.database_url)

    @property
    def databases(self) -> dict[str, URL]:
        """Return the addresses of the roles that are known here, by service; none where nothing runs."""
        if self.common is None and not self.settings.split:
            return {}
        found = infrastructure.database_urls(self.settings, self.directory.keyring(self.settings), self.common)
        return {name: found[name] for name in SERVICES if name in found}

    @property
    def kafka(self) -> Address | None:
        """Return where Kafka is, as far as it is known here."""
        servers = self.settings.kafka_bootstrap_servers or (self.running.kafka if self.running else None)
        return None if servers is None else kafka_of(self.settings, servers)

    @property
    def base(self) -> str | None:
        """Return the address that patients and the provider reach, as far as it is known here."""
        return self.settings.public_url or (self.running.api if self.running else None)

    @property
    def token(self) -> str | None:
        """Return the secret that webhooks are signed with, as far as it is known here."""
        if self.settings.twilio_auth_token is not None:
            return self.settings.twilio_auth_token.get_secret_value()
        file = self.directory.folder / "sandbox-token"
        return file.read_text(encoding="utf-8") if file.exists() else None


def skew_of(date: str | None, now: datetime) -> float | None:
    """Return by how many seconds a `Date` header differs from now; None where there is none."""
    try:
        return abs((now - parsedate_to_datetime(date)).total_seconds()) if date else None
    except ValueError:
        return None
