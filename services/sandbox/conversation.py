"""What the phone page shows: handsets, and the talk on one of them, as its holder sees it."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from services.sandbox.entries import Origin, TextAccepted, TextReceived
from services.sandbox.ledger import Ledger
from services.sandbox.model.numbers import handset_id, shown
from services.sandbox.network import Network
from services.sandbox.patients import VirtualPatients


@dataclass(frozen=True)
class Bubble:
    """One text on the screen.

    Attributes:
        mine: whether the handset's holder wrote it.
        day: the day's heading above it, or empty.
        note: what there is to say about it: who answered, or that it was not taken.
    """

    mine: bool
    body: str
    at: datetime
    time: str
    day: str
    note: str
    failed: bool = False


@dataclass(frozen=True)
class Handset:
    """One handset in the list."""

    id: str
    number: str
    name: str
    last: str
    at: datetime
    when: str
    virtual: bool


class Screens:
    """Reads the ledger as handsets and talks.

    Args:
        secret: keys the handsets' names.
        zone: in which times are shown.
    """

    def __init__(
        self, ledger: Ledger, network: Network, patients: VirtualPatients, *, secret: str, zone: ZoneInfo
    ) -> None:
        self._ledger = ledger
        self._network = network
        self._patients = patients
        self._secret = secret
        self._zone = zone

    def number_of(self, handset: str) -> str | None:
        """Return the number of a handset, or None where there is no such handset."""
        return next((number for number in self._ledger.handsets if self.id_of(number) == handset), None)

    def id_of(self, number: str) -> str:
        """Return the name of a handset in web addresses."""
        return handset_id(number, self._secret)

    def name_of(self, number: str) -> str:
        """Return whose handset this is, where anybody said so."""
        return self._patients.name_of(number)

    def time_of(self, at: datetime) -> str:
        """Return an instant as the page shows it."""
        local = at.astimezone(self._zone)
        return f"{local:%a} {local.day} {local:%b %Y, %H:%M %Z}"

    def handsets(self, now: datetime) -> list[Handset]:
        """Return all handsets: those of people that are left to the visitor, then the one with the newest text."""
        found = []
        for number, opened in self._ledger.handsets.items():
            conversation = self._pieces(number, now)
            last = conversation[-1] if conversation else None
            at = last[0] if last else opened
            found.append(
                Handset(
                    id=self.id_of(number),
                    number=shown(number),
                    name=self.name_of(number),
                    last=last[1].body if last else "",
                    at=at,
                    when=self.time_of(at),
                    virtual=self._patients.is_virtual(number),
                )
            )
        return sorted(found, key=lambda handset: (bool(handset.name) and not handset.virtual, handset.at), reverse=True)

    def conversation(self, number: str, now: datetime) -> list[Bubble]:
        """Return the texts on a handset, the newest last. What never arrived is not on it."""
        pieces = self._pieces(number, now)
        days = [self._day(at) for at, _ in pieces]
        starts = [True, *(before != after for before, after in pairwise(days))]
        return [
            self._bubble(at, text, day if first else "")
            for (at, text), day, first in zip(pieces, days, starts, strict=False)
        ]

    def _pieces(self, number: str, now: datetime) -> list[tuple[datetime, TextAccepted | TextReceived]]:
        arrived: list[tuple[datetime, TextAccepted | TextReceived]] = []
        for text in self._ledger.texts_of.get(number, []):
            at = self._network.shown_at(text)
            if at is not None and at <= now:
                arrived.append((at, text))
        sent = [(text.at, text) for text in self._ledger.inbound_of.get(number, [])]
        return sorted([*sent, *arrived], key=lambda piece: (piece[0], self._ledger.place[piece[1].sid]))

    def _day(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return f"{local:%A} {local.day} {local:%B %Y}"

    def _bubble(self, at: datetime, text: TextAccepted | TextReceived, day: str) -> Bubble:
        time = f"{at.astimezone(self._zone):%H:%M}"
        if isinstance(text, TextAccepted):
            note = "from the phone network" if text.origin is Origin.NETWORK else ""
            return Bubble(mine=False, body=text.body, at=at, time=time, day=day, note=note)
        done = self._ledger.handed_over.get(text.sid)
        failed = done is not None and (done.answer is None or done.answer >= 300)  # noqa: PLR2004
        note = "on its way" if done is None else "Keepwell did not take it" if failed else ""
        return Bubble(mine=True, body=text.body, at=at, time=time, day=day, note=note, failed=failed)
