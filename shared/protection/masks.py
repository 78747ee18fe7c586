"""How a phone number or an address is shown to staff who need only recognise it."""

from typing import Final

_SHOWN_DIGITS: Final = 4


def mask(value: str) -> str:
    """Return `+1•••••••0123` for a number and `a•••@example.org` for an address."""
    name, at, host = value.partition("@")
    if at:
        return f"{name[:1]}•••@{host}"
    if len(value) <= _SHOWN_DIGITS:
        return "•" * len(value)
    return value[:2] + "•" * (len(value) - 2 - _SHOWN_DIGITS) + value[-_SHOWN_DIGITS:]
