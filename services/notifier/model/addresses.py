"""One phone is one, however its number is written."""

import re
from typing import Final

HOME_REGION: Final = "US"
"""Region of a number that is written without a country code."""
_SCHEME: Final = re.compile(r"^(?:whatsapp|sms|rcs|tel):", re.IGNORECASE)
_NO_PLUS: Final = re.compile(r"\s*\d{11,15}\s*")
"""A plus sign that was not escaped in a form arrives as a space."""
_SPELLED_OUT: Final = re.compile(r"\+(?!521)[1-9]\d{7,14}")
"""What is one form already; nearly all that comes is."""
_MEXICO: Final = 52
_OLD_MOBILE: Final = re.compile(r"1(\d{10})")
"""Mobile numbers of Mexico were once called from abroad with a 1 after the country code, and some networks still write
it. To `phonenumbers` that form is no longer a possible number."""


def canonical(value: str) -> str:
    """Return the one form of a number (E.164) or mail address; what is neither is put in lower case."""
    plain = _SCHEME.sub("", value.strip()).strip()
    if "@" in plain:
        return plain.casefold()
    if _NO_PLUS.fullmatch(plain):
        plain = f"+{plain}"
    if _SPELLED_OUT.fullmatch(plain):
        return plain
    import phonenumbers  # noqa: PLC0415 - loaded with the first number that is written in another way

    try:
        number = phonenumbers.parse(plain, HOME_REGION)
    except phonenumbers.NumberParseException:
        return plain.casefold()
    national = str(number.national_number)
    if number.country_code == _MEXICO and (old := _OLD_MOBILE.fullmatch(national)):
        return f"+{_MEXICO}{old[1]}"
    if not phonenumbers.is_possible_number(number):
        return plain.casefold()
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def older_spellings(value: str) -> list[str]:
    """Return the forms under which earlier versions may have kept the same number."""
    here = canonical(value)
    found = {value.strip().casefold()}
    if here.startswith(f"+{_MEXICO}"):
        found.add(f"+{_MEXICO}1{here.removeprefix(f'+{_MEXICO}')}")
    return sorted(found - {here})
