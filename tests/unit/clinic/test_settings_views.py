import pytest

from services.clinic.views.components import FormState
from services.clinic.views.settings import oncall_rows, settings_page
from tests.unit.clinic.samples import A_CLINIC, STAFF


def test_a_clinician_manages_everybody_else_who_is_active() -> None:
    page = settings_page(A_CLINIC, STAFF, own=STAFF[0])
    assert [(row.login, row.can_manage) for row in page.staff] == [
        ("alma", False),
        ("kim", True),
        ("ada", True),
        ("otto", False),
    ]
    assert [role.value for role in page.roles] == ["clinician", "staff", "admin"]


def test_an_administrator_manages_no_clinician() -> None:
    page = settings_page(A_CLINIC, STAFF, own=STAFF[2])
    assert [row.login for row in page.staff if row.can_manage] == ["kim"]
    assert [role.value for role in page.roles] == ["staff", "admin"]


def test_the_desk_sees_the_settings_and_changes_none() -> None:
    page = settings_page(A_CLINIC, STAFF, own=STAFF[1])
    assert not page.may_change
    assert page.roles == ()
    assert not any(row.can_manage for row in page.staff)


@pytest.mark.parametrize(("filled", "rows"), [((), 2), ((0,), 2), ((0, 1), 3), ((3,), 5), ((0, 1, 2, 3, 4), 5)])
def test_there_is_always_room_for_one_more_contact_point_up_to_five(filled: tuple[int, ...], rows: int) -> None:
    form = FormState({f"oncall-{row}": "+12025550123" for row in filled})
    assert oncall_rows(form) == tuple(range(rows))
