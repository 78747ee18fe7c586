"""The clinic's settings, its staff, and passwords."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.clinic.model.clinic import Clinic
from services.clinic.model.contacts import ContactKind, show_phone
from services.clinic.model.roles import Permission, Role, may, may_appoint
from services.clinic.model.settings import MOST_ONCALL
from services.clinic.store.staff import Member
from services.clinic.views.components import Chip, FormState, Tone, say_language
from services.clinic.views.patient import Choice
from shared.protection import mask

_FEWEST_ROWS: Final = 2
_ROLES: Final = {
    Role.CLINICIAN: "Clinician: decides treatment",
    Role.STAFF: "Staff: desk and alerts",
    Role.ADMIN: "Admin: settings and desk",
}


@dataclass(frozen=True)
class StaffRow:
    """A member of staff with what the viewer may do about them."""

    id: UUID
    name: str
    login: str
    role: str
    state: Chip
    can_manage: bool


@dataclass(frozen=True)
class SettingsPage:
    """A clinic's settings, to read, and its staff."""

    name: str
    sender_name: str
    zone: str
    phone: str
    quiet: str
    crisis: tuple[tuple[str, str], ...]
    oncall: tuple[str, ...]
    pages_somebody: bool
    may_change: bool
    staff: tuple[StaffRow, ...]
    roles: tuple[Choice, ...]
    form: FormState
    mailbox: str | None = None


@dataclass(frozen=True)
class ChangePage:
    """The form that changes a clinic's settings; `oncall` are the numbers of its rows of contact points."""

    version: int
    form: FormState
    zones: tuple[Choice, ...]
    crisis: tuple[Choice, ...]
    oncall: tuple[int, ...]


@dataclass(frozen=True)
class PasswordPage:
    """The form with which a member of staff chooses their password; `forced` where theirs was for one login."""

    form: FormState
    login: str
    forced: bool
    shortest: int


@dataclass(frozen=True)
class HandedPage:
    """A password for one login, shown once to whoever hands it over."""

    name: str
    login: str
    password: str


def settings_page(
    clinic: Clinic, members: Sequence[Member], *, own: Member, form: FormState | None = None, mailbox: str | None = None
) -> SettingsPage:
    """Return the page as a member of staff sees it; mail that cannot be delivered comes back to `mailbox`."""
    manages = may(own.role, Permission.MANAGE_STAFF)
    vacant = not any(one.role is Role.CLINICIAN and one.active for one in members)
    return SettingsPage(
        name=clinic.name,
        sender_name=clinic.sender_name,
        zone=clinic.zone,
        phone=show_phone(clinic.phone),
        quiet=f"from {clinic.texts_from} to {clinic.texts_until}, by the patient's own clock"
        + (f". At unusual hours because: {clinic.hours_reason}" if clinic.hours_reason else ""),
        crisis=tuple((say_language(language), text) for language, text in clinic.crisis.items()),
        oncall=tuple(
            f"{'text to' if one.kind is ContactKind.SMS else 'e-mail to'} {mask(one.value)}" for one in clinic.oncall
        ),
        pages_somebody=clinic.pages_somebody,
        may_change=may(own.role, Permission.CHANGE_SETTINGS),
        staff=tuple(_row(member, own, manages=manages) for member in sorted(members, key=lambda one: not one.active)),
        roles=tuple(
            Choice(str(role), _ROLES[role]) for role in Role if manages and may_appoint(own.role, role, vacant=vacant)
        ),
        form=form or FormState(),
        mailbox=mailbox,
    )


def oncall_rows(form: FormState) -> tuple[int, ...]:
    """Return the rows that a form shows for contact points: those with a value and one more, at least two."""
    filled = [row for row in range(MOST_ONCALL) if form.value(f"oncall-{row}")]
    return tuple(range(min(max((filled[-1] + 2) if filled else 0, _FEWEST_ROWS), MOST_ONCALL)))


def _row(member: Member, own: Member, *, manages: bool) -> StaffRow:
    state = Chip("active", Tone.GOOD) if member.active else Chip("left")
    if member.active and member.must_change:
        state = Chip("has a password for one login", Tone.WARN)
    return StaffRow(
        id=member.id,
        name=member.name,
        login=member.login,
        role=str(member.role),
        state=state,
        can_manage=manages and member.active and member.id != own.id and may_appoint(own.role, member.role),
    )
