"""Random values: the only module, apart from the field cipher, that draws them."""

import random
import secrets

_TOKEN_BYTES = 32
_LINK_CODE_BYTES = 16
_FRACTION_STEPS = 1_000_000


def generate_token() -> str:
    """Return a new bearer token of 256 random bits; scanners for leaked secrets recognise its prefix."""
    return f"daftar_{secrets.token_urlsafe(_TOKEN_BYTES)}"


def generate_link_code() -> str:
    """Return a new code of a link: 128 random bits as 22 characters of a URL."""
    return secrets.token_urlsafe(_LINK_CODE_BYTES)


def generate_write_id() -> str:
    """Return an id that distinguishes one write of an item from another."""
    return secrets.token_hex(8)


def reseed() -> None:
    """Give this process a sequence of its own of the numbers that the SDK's pauses are made of.

    The values of the other functions come from the operating system and need it not.
    """
    random.seed()


def random_index(length: int) -> int:
    """Return a random number from 0 up to, but not including, `length`."""
    return secrets.randbelow(length)


def random_fraction() -> float:
    """Return a random number from 0 up to, but not including, 1."""
    return secrets.randbelow(_FRACTION_STEPS) / _FRACTION_STEPS
