"""Contact points: mobile numbers in E.164, e-mail addresses, and what each may be used for."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import phonenumbers

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
"""Region of a number that is written without a country code."""

_FICTIONAL: Final = re.compile(r"\+1(555\d{7}|[2-9]\d{2}555\d{4})|\+447700900\d{3}")
"""Numbers that films, tests and demonstrations use; the numbering plan gives them to nobody."""
_MAILBOX: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_LONGEST_ADDRESS: Final = 254


def read_phone(text: str) -> str:
    """Return a mobile number in E.164, such as `+12025550123`.

    Raises:
        RefusedError: if it is no number that can be called.
    """
    remedy = "Give a mobile number with its country code, such as +1 202 555 0123."
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException as error:
        raise RefusedError(f"{text!r} is not a phone number. {remedy}") from error
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not (phonenumbers.is_valid_number(number) or _FICTIONAL.fullmatch(e164)) or number.extension:
        raise RefusedError(f"{text!r} is not a phone number that exists. {remedy}")
    return e164


def likely_number(text: str, region: str = HOME_REGION) -> str | None:
    """Return the number in E.164 that was probably meant, or None where this is none."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


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


def read_value(kind: ContactKind, text: str) -> str:
    """Return a contact point's value in its one form.

    Raises:
        RefusedError: if it is not of its kind.
    """
    return read_phone(text) if kind is ContactKind.SMS else read_email(text)
