"""The states of a registration in the words of the worker whom it is about."""

from enum import StrEnum
from functools import cache
from pathlib import Path

from chalicelib.languages import Language
from chalicelib.registrations.model import Status
from chalicelib.strict_json import parse_data_file

_TEXTS_FILE = Path(__file__).with_name("texts.json")


class RegistrationState(StrEnum):
    """The state of a registration, as far as its worker is concerned."""

    RECEIVED = "received"
    AWAITING_PAYMENT = "awaiting_payment"
    ACTIVE = "active"
    LAPSED = "lapsed"
    MISMATCH = "mismatch"
    ENDED = "ended"
    CLOSED = "closed"
    NOT_FOUND = "not_found"


STATES = {
    Status.RECEIVED: RegistrationState.RECEIVED,
    Status.AWAITING_PAYMENT: RegistrationState.AWAITING_PAYMENT,
    Status.ACTIVE: RegistrationState.ACTIVE,
    Status.LAPSED: RegistrationState.LAPSED,
    Status.MISMATCH: RegistrationState.MISMATCH,
    Status.CANCELLED: RegistrationState.ENDED,
    Status.EXPIRED: RegistrationState.ENDED,
    # Whoever asks may be the family: it is not asked to register again.
    Status.DECEASED: RegistrationState.CLOSED,
}


@cache
def load_texts() -> dict[RegistrationState, dict[Language, str]]:
    """Return the text of each state in each language."""
    texts = parse_data_file(dict[str, dict[Language, str]], _TEXTS_FILE.read_text(encoding="utf-8"))
    return {RegistrationState(state): by_language for state, by_language in texts.items()}
