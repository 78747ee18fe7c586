"""How passwords are kept: as argon2id, at the costs that the library takes from RFC 9106 for little memory."""

from typing import Final

from argon2 import PasswordHasher

HASHER: Final = PasswordHasher()
