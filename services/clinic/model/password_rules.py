"""Password rules: what a login and a password must be like."""

import re
import secrets
from typing import Final

from services.clinic.model.flaws import RefusedError

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 200
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.ASCII)
_PASSWORD_BYTES: Final = 12


def read_login(text: str) -> str:
    """Return a login in lower case.

    Raises:
        RefusedError: too short or long, or with other characters.
    """
    login = text.strip().casefold()
    if _LOGIN.fullmatch(login) is None:
        raise RefusedError("Give 2 to 40 letters a to z, digits, dots, dashes or underscores, such as kim.lee.")
    return login


def read_password(new: str, *, old: str, login: str) -> str:
    """Return a password that somebody chose; length is what counts, not the kinds of characters.

    Raises:
        RefusedError: too short or long, the old one again, or the login.
    """
    if not SHORTEST_PASSWORD <= len(new) <= LONGEST_PASSWORD:
        raise RefusedError(f"Give {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a few words will do.")
    if new == old:
        raise RefusedError("This is the old password. Give another one.")
    if new.strip().casefold() == login:
        raise RefusedError("This is your login. Give something that nobody can guess.")
    return new


def one_time_password() -> str:
    """Return a password for one login, which its owner then replaces."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)
