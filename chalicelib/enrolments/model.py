"""One-time codes by which a device gets its token. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import pbkdf2_hmac

from chalicelib.callers import DeviceMode
from chalicelib.registrations.references import ALPHABET
from chalicelib.typed import clean_number

CODE_LIFETIME = timedelta(minutes=15)
# Wrong guesses at a code whose first half was right, and repeats of an exchange whose answer was lost.
MAX_ATTEMPTS = 5

# The first half finds the code, the second proves it: guesses can be counted for each code.
_HALF = 4

_EXIT_CODE_DIGITS = 6
_EXIT_CODE_ITERATIONS = 100_000


@dataclass(frozen=True)
class Code:
    """A code as it is shown: 39 random bits in an alphabet without look-alikes."""

    text: str

    @classmethod
    def generate(cls, random_index: Callable[[int], int]) -> "Code":
        """Return a new code. `random_index(n)` returns a cryptographically random integer below n."""
        return cls("".join(ALPHABET[random_index(len(ALPHABET))] for _ in range(2 * _HALF)))

    @classmethod
    def parse(cls, typed: str) -> "Code | None":
        """Return a typed code, in any case and grouping, or None if it cannot be one."""
        text = clean_number(typed).replace("-", "").replace(" ", "")
        # Upper case makes two letters of some others, and plain ones of some strange ones.
        text = text.upper() if text.isascii() else ""
        is_code = len(text) == 2 * _HALF and all(each in ALPHABET for each in text)
        return cls(text) if is_code else None

    @property
    def locator(self) -> str:
        return self.text[:_HALF]


@dataclass(frozen=True)
class ExitCode:
    """The code that ends the kiosk mode of a device, as the device keeps it: it works offline."""

    salt: bytes
    hash: bytes
    iterations: int = _EXIT_CODE_ITERATIONS

    @classmethod
    def create(cls, code: str, salt: bytes) -> "ExitCode":
        return cls(salt, pbkdf2_hmac("sha256", code.encode(), salt, _EXIT_CODE_ITERATIONS))


def generate_exit_code(random_index: Callable[[int], int]) -> str:
    """Return six random digits."""
    return f"{random_index(10**_EXIT_CODE_DIGITS):0{_EXIT_CODE_DIGITS}}"


@dataclass(frozen=True)
class Grant:
    """The right that a code gives until it expires: a token of a client, for a device of one mode."""

    client_id: str
    mode: DeviceMode
    expires_at: datetime
    exit_code: ExitCode | None = None
