"""Which partition a key belongs to: murmur2, as Kafka's own clients have it, so that all of them agree."""

from functools import lru_cache
from struct import unpack_from
from typing import Final

_FACTOR: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C
_WORD: Final = 0xFFFFFFFF
_POSITIVE: Final = 0x7FFFFFFF


@lru_cache(maxsize=65_536)
def partition_of(key: bytes | None, partitions: int) -> int:
    """Return the partition of a key; a record without one goes to the first.

    aiokafka's own reads the key byte by byte and takes twice as long. Patients come again and again, hence the cache.
    """
    return 0 if key is None else (_murmur2(key) & _POSITIVE) % partitions


def _murmur2(key: bytes) -> int:
    size = len(key)
    whole = size >> 2
    found = _SEED ^ size
    for word in unpack_from(f"<{whole}I", key):
        mixed = word * _FACTOR & _WORD
        found = (found * _FACTOR & _WORD) ^ ((mixed ^ mixed >> 24) * _FACTOR & _WORD)
    if size & 3:
        found = (found ^ int.from_bytes(key[whole << 2 :], "little")) * _FACTOR & _WORD
    found ^= found >> 13
    found = found * _FACTOR & _WORD
    return found ^ found >> 15
