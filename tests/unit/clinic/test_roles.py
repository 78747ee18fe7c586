import pytest

from services.clinic.commands.first_start import administrator
from services.clinic.model.flaws import RefusedError
from services.clinic.model.roles import NotAllowedError, Permission, Role, may, may_appoint, require
from services.clinic.pages.page_request import scopes_of
from shared.web.tokens import Scope


@pytest.mark.parametrize("permission", [Permission.DECIDE, Permission.SIGN_RULES, Permission.START_PLANS])
def test_only_a_clinician_decides_about_treatment(permission: Permission) -> None:
    assert [role for role in Role if may(role, permission)] == [Role.CLINICIAN]


def test_everybody_sees_patients_and_the_desk_handles_alerts() -> None:
    assert all(may(role, Permission.SEE_PATIENTS) for role in Role)
    assert may(Role.STAFF, Permission.HANDLE_ALERTS)


def test_a_refusal_says_whose_role_it_takes() -> None:
    with pytest.raises(NotAllowedError, match=r"may not decide interval proposals\. It takes the role clinician"):
        require(Role.STAFF, Permission.DECIDE)


def test_the_desk_changes_neither_settings_nor_staff() -> None:
    for permission in (Permission.CHANGE_SETTINGS, Permission.MANAGE_STAFF):
        assert [role for role in Role if may(role, permission)] == [Role.CLINICIAN, Role.ADMIN]


def test_nobody_gives_a_password_for_a_role_that_decides_about_treatment_without_deciding_themselves() -> None:
    assert all(may_appoint(Role.CLINICIAN, role) for role in Role)
    assert [role for role in Role if may_appoint(Role.ADMIN, role)] == [Role.STAFF, Role.ADMIN]
    assert not any(may_appoint(Role.STAFF, role) for role in Role)


def test_an_administrator_lets_the_first_clinician_in_and_no_second() -> None:
    assert may_appoint(Role.ADMIN, Role.CLINICIAN, vacant=True)
    assert not may_appoint(Role.ADMIN, Role.CLINICIAN)
    assert not may_appoint(Role.STAFF, Role.CLINICIAN, vacant=True)


@pytest.mark.parametrize(
    ("name", "login", "expected"),
    [
        ("Dana Ruiz", None, "dana.ruiz"),
        ("José  Muñoz-Díaz", None, "jose.munoz.diaz"),
        ("李雷", None, "admin"),
        ("Dana Ruiz", "Dana", "dana"),
    ],
)
def test_the_first_administrators_login_follows_from_the_name_or_is_given(
    name: str, login: str | None, expected: str
) -> None:
    assert administrator(name, login).login == expected


@pytest.mark.parametrize(("name", "login"), [("", None), ("Dana Ruiz", "d"), ("Dana Ruiz", "dana ruiz")])
def test_nobody_is_let_in_under_no_name(name: str, login: str | None) -> None:
    with pytest.raises(RefusedError):
        administrator(name, login)


def test_no_role_asks_another_service_for_more_than_it_may_do_here() -> None:
    assert scopes_of(Role.CLINICIAN) == {Scope.READ, Scope.WRITE, Scope.DECIDE, Scope.CLOSE_ALERTS}
    assert scopes_of(Role.STAFF) == scopes_of(Role.ADMIN) == {Scope.READ, Scope.WRITE}
