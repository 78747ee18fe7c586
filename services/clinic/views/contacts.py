"""A patient's contact points: what each may be used for, and why nothing is sent to one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from services.clinic.model.contacts import Contact, ContactKind, Purpose, country_abroad, show_phone
from services.clinic.model.stopped import Stop, Stopped
from services.clinic.model.worklist import Unreached
from services.clinic.store.checks import Broken
from services.clinic.store.doubts import Doubt
from services.clinic.views.components import Chip, Tone, moment, say_date
from services.clinic.views.patient import ContactView, DoubtView
from services.clinic.views.rows import Names, broken_words, found_words, person
from services.clinic.views.today import UnreachedRow
from shared.walltime import to_wall

_PURPOSES: Final = {
    Purpose.REMINDERS: "reminders",
    Purpose.CHECKINS: "check-ins",
    Purpose.BOOKING: "booking",
}


@dataclass(frozen=True)
class Findings:
    """What was found of a patient's contact points: which said stop, do not work, or may want no texts."""

    stopped: Stopped
    broken: Mapping[UUID, Broken] = field(default_factory=dict)
    doubts: Mapping[UUID, Doubt] = field(default_factory=dict)


def contact_view(contact: Contact, found: Findings, zone: str, region: str) -> ContactView:
    """Return a contact point with what was agreed to, and why nothing is sent there where nothing is."""
    stopped, dead, doubt = found.stopped, found.broken.get(contact.id), found.doubts.get(contact.id)
    sms = contact.kind is ContactKind.SMS
    kept = [c for c in contact.consents if not stopped.holds(str(contact.id), str(c.purpose))]
    notes = [
        f"{_PURPOSES[c.purpose].capitalize()}: agreed {c.how}, {say_date(to_wall(c.at, zone).date())}"
        + (f", noted by {c.by}" if c.by else "")
        for c in kept
    ]
    stop = stopped.contacts.get(str(contact.id))
    if stop is not None:
        notes.append(_stop_words(stop, zone))
    elif len(kept) < len(contact.consents):
        notes.append("They took back their consent.")
    if dead is not None:
        notes.append(broken_words(dead, say_date(to_wall(dead.at, zone).date())))
    return ContactView(
        id=contact.id,
        works=dead is None,
        kind="mobile" if sms else "e-mail",
        value=f"{show_phone(contact.value)}{_abroad(contact.value, region)}" if sms else contact.value,
        consents=tuple(Chip(_PURPOSES[c.purpose], Tone.GOOD) for c in kept),
        notes=tuple(notes),
        # Of a number that said stop, or may be used for nothing, there is no doubt to end.
        doubt=DoubtView(moment(doubt.at, zone), doubt.wrote) if doubt and kept and stop is None else None,
    )


def unreached_row(one: Unreached, names: Names, zone: str) -> UnreachedRow:
    """Return a patient with what is wrong with their contact points."""
    why = tuple(
        f"{'Mobile' if dead.kind == 'sms' else 'E-mail'}: " + found_words(dead, say_date(to_wall(dead.at, zone).date()))
        for dead in one.dead
    )
    if not one.contacts:
        why = ("They have no number and no address here.",)
    elif not one.reached and len(one.dead) < one.contacts:
        why = (*why, "Of the others none may be used: they said stop there, or agreed to nothing.")
    return UnreachedRow(
        person=person(one.patient, names),
        reached=Chip("reached another way") if one.reached else Chip("nothing reaches them", Tone.WARN),
        why=why,
    )


def _abroad(number: str, region: str) -> str:
    country = country_abroad(number, region)
    return f" ({country})" if country else ""


def _stop_words(stop: Stop, zone: str) -> str:
    """Return what a stop means, and who can lift it: never the clinic."""
    day = say_date(to_wall(stop.at, zone).date())
    if stop.how == "wrong number":
        return (
            f"Nothing is sent to this number: on {day} whoever has it said that it is not the patient's. Ask the "
            "patient, and correct it."
        )
    if stop.how == "staff":
        return (
            f"Nothing is sent to this number: on {day} staff noted that no more texts are wanted. Texts begin again "
            "when whoever has the phone texts START from it."
        )
    if stop.blocked_by_carrier:
        return (
            f"On {day} the carrier refused a text: this number has opted out there. The carrier blocks texts until "
            "they text START from this number."
        )
    return (
        f"Nothing is sent to this number: on {day} it asked for no more texts. Only whoever has the phone can lift "
        "that: texts begin again when they text START from it."
    )
