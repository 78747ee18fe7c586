import pytest

from services.clinic.model.contacts import country_abroad, read_email, read_mobile, read_phone, region_of, show_phone
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


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("1-800-FLOWERS", "toll-free"),
        ("+1 888 555 1212", "toll-free"),
        ("+44 800 111111", "toll-free"),
        ("+1 900 234 5678", "premium"),
        ("+1 212 976 1234", "premium"),
        ("+44 909 879 0000", "premium"),
        ("+979 123456789", "premium"),
        ("+808 12345678", "shared-cost"),
        ("+1 500 234 5678", "follow-me"),
        ("+870 773 111 632", "satellite"),
        ("+881 6 12345678", "satellite"),
        ("+882 16 1234567", "satellite"),
        ("+883 510 012345", "satellite"),
        ("+34 912 34 56 78", "landline"),
    ],
)
def test_a_number_that_takes_no_texts_or_charges_for_them_is_never_kept_without_a_word(typed: str, why: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_mobile(typed)
    assert repr(typed) in str(refused.value)
    assert why in str(refused.value)
    assert "Give a mobile number" in str(refused.value)


@pytest.mark.parametrize("typed", ["1-800-356-9377", "+34 912 34 56 78", "(202) 456-1111"])
def test_a_number_to_call_may_be_toll_free_or_a_landline(typed: str) -> None:
    assert read_phone(typed).startswith("+")


@pytest.mark.parametrize("typed", ["+1 900 234 5678", "+870 773 111 632"])
def test_no_patient_is_told_to_call_a_number_that_charges(typed: str) -> None:
    with pytest.raises(RefusedError):
        read_phone(typed)


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("(242) 359-1234", "Bahamas"),
        ("876 555 1234", "Jamaica"),
        ("+1 416 967 1111", "Canada"),
        ("+34 612 34 56 78", "Spain"),
    ],
)
def test_a_number_abroad_is_never_kept_without_its_countrys_name(typed: str, country: str) -> None:
    with pytest.raises(RefusedError, match=country):
        read_mobile(typed, "US", ())
    kept = read_mobile(typed, "US", {"BS", "CA", "ES", "JM"})
    assert country in (country_abroad(kept, "US") or "")


@pytest.mark.parametrize("typed", ["+1 202 555 0123", "+1 787 399 1234", "+1 555 010 0001", "(671) 646-9126"])
def test_a_number_of_a_territory_is_not_abroad(typed: str) -> None:
    assert country_abroad(read_mobile(typed, "US", ()), "US") is None


def test_a_number_without_a_country_code_is_the_clinics_own_countrys() -> None:
    assert read_mobile("612 34 56 78", "ES", ()) == "+34612345678"
    assert region_of("+34612345678") == "ES"


def test_a_mexican_mobile_number_is_one_in_both_spellings() -> None:
    assert read_mobile("+52 1 55 1234 5678") == read_mobile("+52 55 1234 5678") == "+525512345678"
