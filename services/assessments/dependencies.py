"""What the commands of this service need besides a transaction."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from services.assessments.packs import Packs
from shared.events import Contact
from shared.protection import Keyring
from shared.settings import AssessmentsSettings

TOKEN_BYTES: Final = 24
"""192 random bits: nobody guesses a link."""
_DIGITS: Final = 11
"""Of seconds since 1970, for some thousand years."""


@dataclass(frozen=True)
class Dependencies:
    """The service's instruments, keys and times.

    Args:
        public_url: where patients reach their links, without a trailing slash.
        trial: this is trial time (demonstration, simulation, KEEPWELL_TRIAL): the interval rule runs unsigned.
        at_least: how long a page must have been looked at before its answers are kept without a second tap; nothing
            where the clock is not the world's, for then it tells nothing of how long somebody looked.
    """

    keyring: Keyring
    packs: Packs
    times: AssessmentsSettings
    public_url: str
    trial: bool
    at_least: timedelta = timedelta()

    def link(self, token: str) -> str:
        """Return the address of a patient's check-in."""
        return f"{self.public_url}/c/{token}"

    def page_mark(self, checkin: UUID, shown_at: datetime) -> str:
        """Return what a page of a check-in carries: since when it is looked at, and that it is ours."""
        second = int(shown_at.timestamp())
        return f"{second}.{self.keyring.fingerprint(f'{checkin}:{second}', context='checkin-page')[:32]}"

    def shown_at(self, checkin: UUID, mark: str) -> datetime | None:
        """Return since when a page is looked at whose form carries this mark; None where it is no page of ours."""
        second = mark.partition(".")[0]
        if not (second.isascii() and second.isdigit() and len(second) <= _DIGITS):
            return None
        shown_at = datetime.fromtimestamp(int(second), UTC)
        return shown_at if hmac.compare_digest(self.page_mark(checkin, shown_at), mark) else None

    def way_of(self, contact: Contact) -> str:
        """Return the fingerprint of a contact point: a phone is the same in every spelling, a mailbox in every case."""
        value = self.keyring.open(contact.value, context="contact")
        one_form = re.sub(r"[^+0-9]", "", value) if contact.kind == "sms" else value.casefold()
        return self.keyring.fingerprint(f"{contact.kind}:{one_form}", context="way")


def new_token() -> str:
    """Return a new token for a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> str:
    """Return what is kept of a token: a stolen table opens no link."""
    return hashlib.sha256(token.encode()).hexdigest()
