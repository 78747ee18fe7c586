import pytest

from services.clinic.model.staff import NotAllowedError, Permission, Role, may, require


@pytest.mark.parametrize("permission", [Permission.DECIDE, Permission.SIGN_RULES, Permission.START_PLANS])
def test_only_a_clinician_decides_about_treatment(permission: Permission) -> None:
    assert [role for role in Role if may(role, permission)] == [Role.CLINICIAN]


def test_everybody_sees_patients_and_the_desk_handles_alerts() -> None:
    assert all(may(role, Permission.SEE_PATIENTS) for role in Role)
    assert may(Role.STAFF, Permission.HANDLE_ALERTS)


def test_a_refusal_says_whose_role_it_takes() -> None:
    with pytest.raises(NotAllowedError, match=r"may not decide interval proposals\. It takes the role clinician"):
        require(Role.STAFF, Permission.DECIDE)
