"""What patients took back of what they agreed to, as the console knows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

WRONG_NUMBER: Final = "wrong number"
"""How the notifier says that a number is somebody else's."""


@dataclass(frozen=True)
class Stop:
    """A number's word that it wants nothing more; `how` is the notifier's, such as `text`."""

    how: str
    at: datetime

    @property
    def blocked_by_carrier(self) -> bool:
        """Tell whether the provider itself refuses texts to the number."""
        return self.how.startswith("provider")


@dataclass(frozen=True)
class Stopped:
    """What was taken back.

    Attributes:
        purposes: contact id and purpose, each that was taken back by itself.
        contacts: contact points that said stop, by id: for every purpose, whatever the clinic's ledger says.
    """

    purposes: frozenset[tuple[str, str]] = frozenset()
    contacts: Mapping[str, Stop] = field(default_factory=dict)

    def is_anothers(self, contact: str) -> bool:
        """Tell whether whoever has a number said that it is not this patient's."""
        return contact in self.contacts and self.contacts[contact].how == WRONG_NUMBER

    def holds(self, contact: str, purpose: str) -> bool:
        """Tell whether nothing may be sent to a contact point for a purpose."""
        return contact in self.contacts or (contact, purpose) in self.purposes
