"""AES-256-GCM sealing under keys that rotate, and keyed fingerprints.

A sealed text is `<key id>.<base64url of nonce and ciphertext>`. The key id names the key that sealed it, so that an
older key opens what it sealed after a rotation. The context (`contact`, `score`) is bound to the ciphertext: a sealed
name cannot be passed off as a sealed number.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Final, NewType, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Sealed = NewType("Sealed", str)

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class KeyringError(Exception):
    """Keys that cannot be used: none, of the wrong length, or an unknown active id."""


class SealedError(Exception):
    """A sealed text that cannot be opened: altered, of another context, or under a key that is not held."""


class Keyring:
    """The clinic's keys: one seals, all open.

    Args:
        keys: 32-byte keys by id; ids hold no dot.
        active: the id of the key that seals.

    Raises:
        KeyringError: a key has another length, or `active` is not among them.
    """

    def __init__(self, keys: Mapping[str, bytes], *, active: str) -> None:
        for name, key in keys.items():
            if len(key) != KEY_BYTES or "." in name:
                raise KeyringError(f"Key {name!r} must be {KEY_BYTES} bytes and its id without a dot.")
        if active not in keys:
            raise KeyringError(f"The active key {active!r} is not among the keys {sorted(keys)}.")
        self.active = active
        self._keys = dict(keys)
        self._ciphers = {name: AESGCM(_derive(key, "seal")) for name, key in keys.items()}
        # Fingerprints must stay the same over a rotation, or nobody would be found any more: the oldest id makes them.
        self._print_key = _derive(keys[min(keys)], "fingerprint")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read `id:base64,id:base64`; the last one seals.

        Raises:
            KeyringError: the text does not have that form.
        """
        keys: dict[str, bytes] = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, colon, value = part.partition(":")
            try:
                keys[name] = base64.b64decode(value, validate=True)
            except ValueError as error:
                raise KeyringError(f"Key {name!r} is not base64.") from error
            if not colon:
                raise KeyringError("A key is written as id:base64.")
        if not keys:
            raise KeyringError("There is no key; `keepwell` makes one in its data directory where none is set.")
        return cls(keys, active=list(keys)[-1])

    @property
    def ids(self) -> list[str]:
        return sorted(self._keys)

    @staticmethod
    def generate(name: str = "k1") -> str:
        """Return the text of a new key, as `from_text` reads it."""
        return f"{name}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"

    def seal(self, text: str, *, context: str) -> Sealed:
        """Encrypt a text under the active key; the same text never gives the same result twice."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[self.active].encrypt(nonce, text.encode(), context.encode())
        return Sealed(f"{self.active}.{base64.urlsafe_b64encode(nonce + cipher).decode()}")

    def open(self, sealed: str, *, context: str) -> str:
        """Decrypt what `seal` made.

        Raises:
            SealedError: altered, sealed for another context, or under a key that is not held.
        """
        name, _, payload = sealed.partition(".")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise SealedError(f"Sealed under key {name[:16]!r}, which this keyring does not hold.")
        try:
            raw = base64.urlsafe_b64decode(payload)
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise SealedError(f"A sealed {context} was altered or belongs to another context.") from error

    def fingerprint(self, text: str, *, context: str) -> str:
        """Return a keyed hash of a text: equal texts are found again, the text is not."""
        return hmac.new(self._print_key, f"{context}\x1f{text}".encode(), hashlib.sha256).hexdigest()

    def derive(self, purpose: str) -> bytes:
        """Return a 32-byte secret of its own for a purpose, such as signing service tokens."""
        return _derive(self._keys[min(self._keys)], purpose)


def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"keepwell:{purpose}".encode()).derive(key)
