import pytest

from services.clinic.model.contacts import read_email, read_phone, show_phone
from services.clinic.model.flaws import RefusedError


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("+1 202 555 0123", "+12025550123"),
        ("(202) 555-0123", "+12025550123"),
        ("+1 555 010 0001", "+15550100001"),
        ("+15555550100", "+15555550100"),
        ("+44 7700 900123", "+447700900123"),
        ("+34 612 34 56 78", "+34612345678"),
    ],
)
def test_a_number_is_kept_in_e164_however_it_was_typed(typed: str, expected: str) -> None:
    assert read_phone(typed) == expected


@pytest.mark.parametrize("typed", ["", "12", "call me", "+1 000 000 0000", "+999 12345678", "+1 202 555 0123 ext. 7"])
def test_what_is_no_number_is_refused_with_its_value_and_the_remedy(typed: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_phone(typed)
    assert repr(typed) in str(refused.value)
    assert "+1 202 555 0123" in str(refused.value)


def test_a_number_is_shown_as_people_read_it() -> None:
    assert show_phone("+12025550123") == "+1 202-555-0123"


def test_the_host_of_an_address_is_kept_in_lower_case_and_its_name_as_typed() -> None:
    assert read_email(" Maya.O@Example.ORG ") == "Maya.O@example.org"


@pytest.mark.parametrize(
    "typed",
    ["", "maya", "maya@", "@example.org", "a b@example.org", "a@b", "a..b@example.org", "a.@example.org", "a@-b.org"],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(RefusedError, match="name@example"):
        read_email(typed)
