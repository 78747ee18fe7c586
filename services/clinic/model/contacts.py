"""Contact points: mobile numbers in E.164, e-mail addresses, and what each may be used for."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import phonenumbers
from babel import Locale
from phonenumbers import PhoneNumber, PhoneNumberType

from services.clinic.model.flaws import RefusedError
from shared.ids import ContactId


class ContactKind(StrEnum):
    """How a contact point is reached."""

    SMS = "sms"
    EMAIL = "email"


class Purpose(StrEnum):
    """What a patient may allow a contact point to be used for."""

    REMINDERS = "reminders"
    CHECKINS = "checkins"
    BOOKING = "booking"


@dataclass(frozen=True)
class Consent:
    """A patient's word: for what, how it was given, and when; and who wrote it down, as far as that is known."""

    purpose: Purpose
    how: str
    at: datetime
    by: str | None = None
    noted_at: datetime | None = None


@dataclass(frozen=True)
class Contact:
    """A contact point with what was consented to."""

    id: ContactId
    kind: ContactKind
    value: str
    consents: tuple[Consent, ...]


HOME_REGION: Final = "US"
"""Region of a number that is written without a country code, where the clinic's own number does not say another."""
_ONE_TARIFF: Final = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
"""Regions that count as one country: a text to Puerto Rico is none abroad."""

_COUNTRIES: Final = Locale("en")
_FICTIONAL: Final = re.compile(r"\+1(555\d{7}|[2-9]\d{2}555\d{4})|\+447700900\d{3}")
"""Numbers that films, tests and demonstrations use; the numbering plan gives them to nobody."""
_MAILBOX: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_LONGEST_ADDRESS: Final = 254


def read_phone(text: str, region: str = HOME_REGION) -> str:
    """Return a number that can be called in E.164, such as `+12025550123`.

    Raises:
        RefusedError: if it is no number that can be called, or one that charges whoever calls it.
    """
    return _e164(_read(text, region, _COSTLY))


def read_mobile(text: str, region: str = HOME_REGION, countries: Collection[str] | None = None) -> str:
    """Return a number that can get texts in E.164.

    Args:
        text: as it was typed.
        region: of a number that is written without a country code, such as `US`; the clinic's own.
        countries: regions beside that one whose numbers are taken; None takes them all.

    Raises:
        RefusedError: if it is no number, one that takes no texts or charges for them, or one of another country.
    """
    number = _read(text, region, {**_COSTLY, **_TEXTLESS})
    there = _region_of(number)
    home = _ONE_TARIFF if region in _ONE_TARIFF else {region}
    if countries is not None and there not in home and there not in countries:
        raise RefusedError(
            f"{text!r} is a number in {country_name(there)}, not in {country_name(region)}. Check it. For texts to "
            f"that country, whoever runs Keepwell adds {there} to KEEPWELL_COUNTRIES."
        )
    return _e164(number)


_COSTLY: Final = MappingProxyType(
    {
        PhoneNumberType.PREMIUM_RATE: "is a premium number, which charges whoever calls or texts it",
        PhoneNumberType.SHARED_COST: "is a shared-cost number, which charges whoever calls or texts it",
        PhoneNumberType.PERSONAL_NUMBER: "is a follow-me number, which charges whoever calls or texts it",
    }
)
_TEXTLESS: Final = MappingProxyType(
    {
        PhoneNumberType.TOLL_FREE: "is a toll-free number, which takes no texts from us",
        PhoneNumberType.FIXED_LINE: "is a landline, which takes no texts",
        PhoneNumberType.PAGER: "is a pager, which takes no texts",
        PhoneNumberType.VOICEMAIL: "is a voice mailbox, which takes no texts",
        PhoneNumberType.UAN: "is a company's common number, which takes no texts",
    }
)
_NO_COUNTRY: Final = "001"
_PREMIUM_EXCHANGE: Final = re.compile(r"\+1\d{3}976\d{4}")
"""North American numbers after 976 are charged by the call in every area."""
_REMEDY: Final = "Give a mobile number with its country code, such as +1 202 555 0123."


def _read(text: str, region: str, refused: Mapping[int, str]) -> PhoneNumber:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise RefusedError(f"{text!r} is not a phone number. {_REMEDY}") from error
    number = _without_old_prefix(number)
    e164, kind = _e164(number), phonenumbers.number_type(number)
    if kind in refused:
        raise RefusedError(f"{text!r} {refused[kind]}. {_REMEDY}")
    if _PREMIUM_EXCHANGE.fullmatch(e164):
        raise RefusedError(f"{text!r} {_COSTLY[PhoneNumberType.PREMIUM_RATE]}. {_REMEDY}")
    if not (phonenumbers.is_valid_number(number) or _FICTIONAL.fullmatch(e164)) or number.extension:
        raise RefusedError(f"{text!r} is not a phone number that exists. {_REMEDY}")
    if _region_of(number) == _NO_COUNTRY:
        raise RefusedError(
            f"{text!r} is a satellite or international service number, which costs by the message. {_REMEDY}"
        )
    return number


def _without_old_prefix(number: PhoneNumber) -> PhoneNumber:
    """Return a Mexican mobile number without the 1 that came after +52 until 2019: both spellings are one phone."""
    national = str(number.national_number)
    if number.country_code == _MEXICO and len(national) == _MEXICAN_DIGITS + 1 and national.startswith("1"):
        return phonenumbers.parse(f"+{_MEXICO}{national[1:]}")
    return number


_MEXICO: Final = 52
_MEXICAN_DIGITS: Final = 10


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _region_of(number: PhoneNumber) -> str:
    """Return a number's region; a made-up number, which no plan knows, is of the country of its code."""
    found = phonenumbers.region_code_for_number(number)
    return found or phonenumbers.region_code_for_country_code(number.country_code or 0)


def region_of(e164: str) -> str:
    """Return the region of a number that was read before, such as `US`."""
    return _region_of(phonenumbers.parse(e164))


def country_name(region: str) -> str:
    """Return a region's English name."""
    return str(_COUNTRIES.territories.get(region, region))


def country_abroad(e164: str, region: str) -> str | None:
    """Return the name of a number's country where it is another one than the clinic's, else None."""
    there = region_of(e164)
    at_home = there == region or {there, region} <= _ONE_TARIFF
    return None if at_home else country_name(there)


def likely_number(text: str, region: str = HOME_REGION) -> str | None:
    """Return the number in E.164 that was probably meant, or None where this is none."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return _e164(_without_old_prefix(number))


def is_made_up(value: str) -> bool:
    """Tell whether a number belongs to nobody: it serves tests and demonstrations, and reaches no one."""
    return _FICTIONAL.fullmatch(value) is not None


def show_phone(e164: str) -> str:
    """Return a number as people read it, such as `+1 202-555-0123`."""
    return phonenumbers.format_number(phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def read_email(text: str) -> str:
    """Return an address with its host in lower case.

    Raises:
        RefusedError: if it is not of the form name@host.
    """
    address = text.strip()
    name, _, host = address.rpartition("@")
    if len(address) > _LONGEST_ADDRESS or not _MAILBOX.fullmatch(address) or ".." in address or name.endswith("."):
        raise RefusedError(f"{text!r} is not an e-mail address. Give one such as name@example.org.")
    return f"{name}@{host.lower()}"


def read_value(
    kind: ContactKind, text: str, *, region: str = HOME_REGION, countries: Collection[str] | None = None
) -> str:
    """Return a contact point's value in its one form; see `read_mobile`.

    Raises:
        RefusedError: if it is not of its kind.
    """
    return read_mobile(text, region, countries) if kind is ContactKind.SMS else read_email(text)
