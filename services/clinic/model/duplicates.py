"""Who may be the same person, or shares a phone with them: named before a record is saved, for a person to judge."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.clinic.model.searching import Entry


class Shared(StrEnum):
    """What two records have in common."""

    NAME = "name"
    BIRTH_DATE = "birth date"
    NUMBER = "mobile number"
    ADDRESS = "e-mail address"
    RECORD = "record number"


@dataclass(frozen=True)
class Duplicate:
    """A record that has much in common with another one.

    Attributes:
        person: whether it is likely the same person; otherwise they share a phone or a mailbox, as families do.
    """

    entry: Entry
    shared: tuple[Shared, ...]
    person: bool


def duplicates_of(own: Entry, entries: Iterable[Entry]) -> list[Duplicate]:
    """Return whose duplicate a record may be, the likeliest first."""
    reached = {*own.numbers, *own.addresses}
    likely = [
        entry
        for entry in entries
        if (own.born is not None and own.born == entry.born)
        or (own.record and own.record == entry.record)
        or not reached.isdisjoint(entry.numbers)
        or not reached.isdisjoint(entry.addresses)
    ]
    found = [_compare(own, entry) for entry in likely if entry.id != own.id]
    return sorted((one for one in found if one is not None), key=lambda one: not one.person)


def is_twin(own: Entry, entry: Entry) -> bool:
    """Tell whether name, birth date and number all agree: a program is then stopped from enrolling a person twice."""
    return {Shared.NAME, Shared.BIRTH_DATE, Shared.NUMBER} <= set(_common(own, entry))


def _compare(own: Entry, entry: Entry) -> Duplicate | None:
    shared = _common(own, entry)
    named = Shared.NAME in shared
    reached = Shared.NUMBER in shared or Shared.ADDRESS in shared
    apart = own.born is not None and entry.born is not None and own.born != entry.born
    person = (named and (Shared.BIRTH_DATE in shared or (reached and not apart))) or Shared.RECORD in shared
    return Duplicate(entry, shared, person) if person or reached else None


def _common(own: Entry, entry: Entry) -> tuple[Shared, ...]:
    agree = {
        Shared.NAME: own.name == entry.name,
        Shared.BIRTH_DATE: own.born is not None and own.born == entry.born,
        Shared.NUMBER: not set(own.numbers).isdisjoint(entry.numbers),
        Shared.ADDRESS: not set(own.addresses).isdisjoint(entry.addresses),
        Shared.RECORD: bool(own.record) and own.record == entry.record,
    }
    return tuple(what for what, same in agree.items() if same)
