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
    HANDLE_ALERTS = "acknowledge and close alerts"
    START_PLANS = "start treatment plans"
    DECIDE = "decide interval proposals"
    SIGN_RULES = "sign rules"
    DISCHARGE = "discharge patients"


_DESK: Final = frozenset(
    {
        Permission.SEE_PATIENTS,
        Permission.ENROL,
        Permission.PLAN_SESSIONS,
        Permission.RECORD_CHECKINS,
        Permission.HANDLE_ALERTS,
    }
)
PERMISSIONS: Final = MappingProxyType(
    {
        Role.STAFF: _DESK,
        Role.CLINICIAN: _DESK
        | {Permission.START_PLANS, Permission.DECIDE, Permission.SIGN_RULES, Permission.DISCHARGE},
        Role.ADMIN: frozenset({Permission.SEE_PATIENTS, Permission.ENROL, Permission.PLAN_SESSIONS}),
    }
)
"""What a role may do. Only a clinician decides about treatment; an administrator runs the desk."""


class NotAllowedError(Exception):
    """A member of staff may not do this; the message says who may."""

    def __init__(self, role: Role, permission: Permission) -> None:
        able = [str(other) for other, held in PERMISSIONS.items() if permission in held]
        super().__init__(f"The role {role} may not {permission}. It takes the role {' or '.join(able)}.")


def may(role: Role, permission: Permission) -> bool:
    """Tell whether a role may do something."""
    return permission in PERMISSIONS[role]


def require(role: Role, permission: Permission) -> None:
    """Return if the role may do this; raise `NotAllowedError` otherwise."""
    if not may(role, permission):
        raise NotAllowedError(role, permission)
