"""Who works in a clinic, and what each role may do."""

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """A member of staff's role."""

    CLINICIAN = "clinician"
    STAFF = "staff"
    ADMIN = "admin"


class Permission(StrEnum):
    """Something that not everybody may do."""

    SEE_PATIENTS = "see patients"
    ENROL = "enrol and change patients"
    PLAN_SESSIONS = "book, move and cancel sessions"
    RECORD_CHECKINS = "ask for check-ins and enter their answers"
    HANDLE_ALERTS = "acknowledge alerts"
    CLOSE_ALERTS = "close alerts"
    START_PLANS = "start treatment plans"
    DECIDE = "decide interval proposals"
    SIGN_RULES = "sign rules"
    DISCHARGE = "discharge patients"
    CHANGE_SETTINGS = "change the clinic's settings"
    MANAGE_STAFF = "add and deactivate staff"


_STAFF_PERMISSIONS: Final = frozenset(
    {
        Permission.SEE_PATIENTS,
        Permission.ENROL,
        Permission.PLAN_SESSIONS,
        Permission.RECORD_CHECKINS,
        Permission.HANDLE_ALERTS,
    }
)
_OFFICE_PERMISSIONS: Final = frozenset({Permission.CHANGE_SETTINGS, Permission.MANAGE_STAFF})
PERMISSIONS: Final = MappingProxyType(
    {
        Role.STAFF: _STAFF_PERMISSIONS,
        Role.CLINICIAN: _STAFF_PERMISSIONS
        | _OFFICE_PERMISSIONS
        | {
            Permission.CLOSE_ALERTS,
            Permission.START_PLANS,
            Permission.DECIDE,
            Permission.SIGN_RULES,
            Permission.DISCHARGE,
        },
        Role.ADMIN: _OFFICE_PERMISSIONS | {Permission.SEE_PATIENTS, Permission.ENROL, Permission.PLAN_SESSIONS},
    }
)
"""What a role may do. Only a clinician decides about treatment; an administrator runs the office."""


_APPOINTS: Final = MappingProxyType(
    {Role.CLINICIAN: frozenset(Role), Role.ADMIN: frozenset({Role.STAFF, Role.ADMIN}), Role.STAFF: frozenset[Role]()}
)
"""Whom a role may add, deactivate and give a new password. Who gives a password could log in with it: so nobody may
do that for a role that decides about treatment who may not decide it themselves; but somebody must let the first
clinician in, and a new clinic has an administrator alone."""


class NotAllowedError(Exception):
    """A member of staff may not do this; the message says who may."""

    def __init__(self, role: Role, permission: Permission) -> None:
        able = [str(other) for other, held in PERMISSIONS.items() if permission in held]
        super().__init__(f"The role {role} may not {permission}. It takes the role {' or '.join(able)}.")


def may(role: Role, permission: Permission) -> bool:
    """Tell whether a role may do something."""
    return permission in PERMISSIONS[role]


def may_appoint(role: Role, other: Role, *, vacant: bool = False) -> bool:
    """Tell whether a role may add, deactivate and give a new password to members of another.

    With `vacant` no clinician works in the clinic: then an administrator may add one.
    """
    return other in _APPOINTS[role] or (vacant and role is Role.ADMIN and other is Role.CLINICIAN)


def require(role: Role, permission: Permission) -> None:
    """Return if the role may do this; raise `NotAllowedError` otherwise."""
    if not may(role, permission):
        raise NotAllowedError(role, permission)
