"""The daily run that applies time-outs to registrations."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from chalicelib import observability
from chalicelib.registrations.erasure import ErasureService
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.references import Reference

Result = TypeVar("Result")

# Counted beside the statuses: destroying personal fields does not change the status.
_DESTROYED_LABEL = "destroyed"


class AgeingPartialFailure(observability.PartialFailure):
    """Some registrations could not be changed: they are in the log, and are still due."""


class _AgeingRun:
    """Applies an operation to registrations, one after the other; one that fails holds up no other."""

    def __init__(self) -> None:
        self.failure_count = 0

    def apply_each(
        self, references: Iterable[Reference], operation: Callable[[Reference], Result]
    ) -> Iterator[Result]:
        """Yield the result of each operation that succeeded."""
        for reference in references:
            try:
                changed = operation(reference)
            except Exception as error:  # noqa: BLE001 - the others are still to be changed
                observability.log_exception(error, "registration not aged", {"reference": reference})
                self.failure_count += 1
            else:
                yield changed


def age_due_registrations(
    lifecycle_service: LifecycleService, erasure_service: ErasureService
) -> dict[str, int]:
    """Expire unpaid applications, lapse memberships unpaid for three months, and destroy personal fields.

    Return the number of changed registrations by status. One that cannot be changed holds up no other, but
    fails the run in the end: raise AgeingPartialFailure. A repeated run changes nothing more.
    """
    run = _AgeingRun()
    counts: Counter[str] = Counter(
        str(new_status)
        for new_status in run.apply_each(lifecycle_service.iter_due(), lifecycle_service.age)
        if new_status
    )
    counts[_DESTROYED_LABEL] += sum(
        run.apply_each(erasure_service.iter_destroyable(), erasure_service.destroy_personal_fields)
    )
    counts += Counter()  # Without zeros.
    for status, number in sorted(counts.items()):
        observability.count("RegistrationsAged", number, status=status)
    failed = run.failure_count
    observability.logger.info("registrations aged", extra={"by_status": dict(counts), "failed": failed})
    if failed:
        raise AgeingPartialFailure(f"{failed} failed, {counts.total()} aged")
    return dict(counts)
