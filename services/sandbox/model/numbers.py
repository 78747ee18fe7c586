"""Phone numbers as the network knows them."""

import hmac
from functools import lru_cache
from hashlib import sha256
from typing import Final

import phonenumbers

INCAPABLE: Final = frozenset({"+15005550009"})
"""Twilio's own test number that cannot receive texts (error 21614)."""

INVALID: Final = frozenset({"+15005550001"})
"""Twilio's own test number that is refused as invalid (error 21211)."""


@lru_cache(maxsize=65536)
def valid_number(number: str) -> bool:
    """Tell whether this is a possible number in E.164; numbers reserved for fiction count as possible."""
    if not number.startswith("+") or not number[1:].isascii() or not number[1:].isdigit() or number in INVALID:
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


def shown(number: str) -> str:
    """Return a number as people write it, for a page that the handset's holder reads."""
    if not valid_number(number):
        return number
    return phonenumbers.format_number(phonenumbers.parse(number, None), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def handset_id(number: str, secret: str) -> str:
    """Return the name of a handset in web addresses: keyed, so that it does not give the number away."""
    return hmac.new(secret.encode(), number.encode(), sha256).hexdigest()[:16]
