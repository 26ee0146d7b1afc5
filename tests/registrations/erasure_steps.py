"""Steps of the tests of erasure."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from chalicelib.registrations.erasure import ErasureService
from chalicelib.registrations.references import Reference
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import Tally
from tests.registrations.conftest import RegistrationHarness
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.day_tally import count_facts
from tests.support.registration_builders import FIRST_DAY


def erase_no_sms(reference: Reference) -> None:
    """There are none."""


def erase(harness: RegistrationHarness, worker_key: str, service: ErasureService | None = None) -> None:
    (service or harness.erasure_service).erase(
        worker_key, received_before=harness.clock(), erase_attached=erase_no_sms
    )


def count_day(harness: RegistrationHarness) -> Tally:
    return count_facts(harness.stores.reading.iter_day_facts(FIRST_DAY), AnomalyThresholds())


def count_items(harness: RegistrationHarness) -> Counter[str]:
    """Return the number of items of each kind, without those that name nobody."""
    counts = Counter(item["pk"]["S"].partition("#")[0] for item in harness.scan_items())
    del counts["LEFT"], counts["PAYMENT"]
    return counts


def register_three_times(harness: RegistrationHarness) -> tuple[str, list[Reference]]:
    """Return the key and the references of a worker who registered three times, with repeats in between."""
    first = harness.register(1)
    references = [first.reference]
    for number in (2, 3):
        harness.submit(10 + number, nik_number=1)
        harness.cancel(references[-1])
        harness.advance_days(1)
        references.append(harness.submit(number, nik_number=1).reference)
    return first.worker_key, references


class InterruptedStore:
    """An erasure store on which the process ends at the nth erasure."""

    def __init__(self, harness: RegistrationHarness, at: int) -> None:
        self._store = harness.stores.erasure
        self._left = at

    def __getattr__(self, name: str) -> Any:
        if name in {"erase_capture", "erase_worker", "erase_registration"}:
            self._left -= 1
            if self._left < 0:
                raise KeyboardInterrupt
        return getattr(self._store, name)


def make_interrupted_service(harness: RegistrationHarness, at: int) -> ErasureService:
    store: Any = InterruptedStore(harness, at)
    return harness.make_erasure_service(store)


def with_write(harness: RegistrationHarness, method: str, write: Callable[[], object]) -> ErasureService:
    """Return a service in which `write` happens right before the store's `method`, once."""
    store = with_concurrent_writes(harness.stores.erasure, method, write)
    return harness.make_erasure_service(store)
