"""The daily round: what time alone does to registrations."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from chalicelib import observability
from chalicelib.registrations.erasure import ErasureService
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.references import Reference

Result = TypeVar("Result")

# What stands beside the statuses in the round's figures; the status itself stays what it was.
_DESTROYED_LABEL = "destroyed"


class AgeingPartialFailure(observability.PartialFailure):
    """The round did what it could; what it could not change is still due, and is in the log."""


class _AgeingRun:
    """One registration after the other; one that fails holds up no other."""

    def __init__(self) -> None:
        self.failure_count = 0

    def apply_each(
        self, references: Iterable[Reference], operation: Callable[[Reference], Result]
    ) -> Iterator[Result]:
        """What became of each that could be changed."""
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
    """Expire applications nobody paid for, lapse memberships unpaid for three months, and destroy what is
    personal in applications that ended unpaid long ago.

    One that cannot be changed holds up no other, but fails the round in the end. A round that comes twice
    changes nothing more.
    """
    a_round = _AgeingRun()
    became: Counter[str] = Counter(
        str(status)
        for status in a_round.apply_each(lifecycle_service.iter_due(), lifecycle_service.age)
        if status
    )
    became[_DESTROYED_LABEL] += sum(
        a_round.apply_each(erasure_service.iter_destroyable(), erasure_service.destroy_personal_fields)
    )
    became += Counter()  # Without what did not happen.
    for became_status, number in sorted(became.items()):
        observability.count("RegistrationsAged", number, status=became_status)
    failed = a_round.failure_count
    observability.logger.info("registrations aged", extra={"by_status": dict(became), "failed": failed})
    if failed:
        raise AgeingPartialFailure(f"{failed} failed, {became.total()} aged")
    return dict(became)
