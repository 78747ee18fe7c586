"""Sealing of what may not be read on the bus or in a stolen table, and fingerprints to find it again."""

from shared.protection.keyring import Keyring, KeyringError, Sealed, SealedError
from shared.protection.masks import mask

__all__ = ["Keyring", "KeyringError", "Sealed", "SealedError", "mask"]
