"""Short hashes that NIKs with close serials share: consecutive ones may be invented. Pure."""

from collections.abc import Iterator

from chalicelib.crypto.hashing import KeyedHash
from chalicelib.registrations.nik import NIK, list_neighbourhoods

# Hexadecimal digits of a NIK neighbourhood's hash: enough that five close serials rarely share it by chance,
# and too few to identify a neighbourhood even with the key (some 30,000 runs of five serials share both).
_NEIGHBOURHOOD_HASH_DIGITS = 3


def hash_neighbourhoods(nik: NIK, hashing: KeyedHash) -> Iterator[str]:
    """Yield the hashes of the neighbourhoods of a NIK."""
    for neighbourhood in list_neighbourhoods(nik):
        yield hashing.digest("nik_neighbourhood", neighbourhood)[:_NEIGHBOURHOOD_HASH_DIGITS]
