"""Somebody else who does something between reading and storing."""

from collections.abc import Callable

from chalicelib.registrations.model import Registration
from chalicelib.registrations.reference import Reference
from tests.registrations.conftest import Desk


class Meddled:
    """A store in which somebody else does something right before a change is stored, as often as told."""

    def __init__(self, desk: Desk, *meddling: Callable[[], object]) -> None:
        self._store = desk.store
        self._meddling = list(meddling)
        self.attempts = 0

    def get(self, reference: Reference) -> Registration:
        """As it stands."""
        return self._store.get(reference)

    def replace(self, registration: Registration, *, was: Registration) -> None:
        """Let the other one act, then store."""
        self.attempts += 1
        if self._meddling:
            self._meddling.pop(0)()
        self._store.replace(registration, was=was)
