"""Somebody else who does something between reading and storing."""

from collections.abc import Callable

from chalicelib.registrations.model import Registration
from chalicelib.registrations.references import Reference
from tests.registrations.conftest import RegistrationHarness


class ConcurrentWriterStore:
    """A store in which somebody else does something right before a change is stored, as often as told."""

    def __init__(self, harness: RegistrationHarness, *concurrent_writes: Callable[[], object]) -> None:
        self._store = harness.registrations
        self._concurrent_writes = list(concurrent_writes)
        self.attempts = 0

    def get(self, reference: Reference) -> Registration:
        """As it stands."""
        return self._store.get(reference)

    def replace(self, registration: Registration, *, previous: Registration) -> None:
        """Let the other one act, then store."""
        self.attempts += 1
        if self._concurrent_writes:
            self._concurrent_writes.pop(0)()
        self._store.replace(registration, previous=previous)
