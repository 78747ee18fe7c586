"""Who a mail is from, as operators write it: an address, with or without a name before it."""

from email.errors import InvalidHeaderDefect
from email.headerregistry import HeaderRegistry
from typing import Annotated, Any, Final

from pydantic import AfterValidator

_HEADERS: Final = HeaderRegistry()


def check_sender(value: str) -> str:
    """Return a sender as it was given.

    Raises:
        ValueError: it is not one address, with or without a name before it.
    """
    found = _addresses(value)
    fits = len(found) == 1 and found[0].username and "." in found[0].domain and " " not in found[0].addr_spec
    if not fits:
        raise ValueError(
            f"{value!r} is no sender: give an address such as visits@clinic.example, with a name before it as in "
            "Riverside <visits@clinic.example>, quoted where it has a comma"
        )
    return value.strip()


def _addresses(value: str) -> Any:
    # A line that ends here would begin another header.
    if not value.isprintable():
        return ()
    try:
        header: Any = _HEADERS("From", value)
    except IndexError:  # Python's parser falls over an address that ends early, such as `clinic@`
        return ()
    # Python's parser mends what it can, such as a bracket that nobody closed; what goes out would be its guess.
    if any(isinstance(flaw, InvalidHeaderDefect) for flaw in header.defects):
        return ()
    return header.addresses


Sender = Annotated[str, AfterValidator(check_sender)]
