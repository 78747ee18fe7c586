"""What the acts of this service need besides a transaction."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.assessments.packs import Packs
from shared.events import Contact
from shared.protection import Keyring
from shared.settings import AssessmentsSettings

TOKEN_BYTES: Final = 24
"""192 random bits: nobody guesses a link."""


@dataclass(frozen=True)
class Kit:
    """The service's instruments, keys and times.

    Args:
        public_url: where patients reach their links, without a trailing slash.
        trial: this is trial time (demonstration, simulation, KEEPWELL_TRIAL): the interval rule runs unsigned.
    """

    keyring: Keyring
    packs: Packs
    times: AssessmentsSettings
    public_url: str
    trial: bool

    def link(self, token: str) -> str:
        """Return the address of a patient's check-in."""
        return f"{self.public_url}/c/{token}"

    def page_mark(self, checkin: UUID) -> str:
        """Return what a page of a check-in carries, so that its form is known to come from it."""
        return self.keyring.fingerprint(str(checkin), context="checkin-page")[:32]

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
