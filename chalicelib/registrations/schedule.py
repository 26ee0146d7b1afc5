"""The daily run that expires, lapses and erases registrations."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from chalicelib import observability
from chalicelib.aws.lambda_context import LambdaContext
from chalicelib.refusals import RecordUnreadable
from chalicelib.registrations.erasure import ErasureService
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.references import Reference

Result = TypeVar("Result")

# Time that a run reserves for the registration that it is changing, and for logging its result.
_SHUTDOWN_MARGIN_MS = 20_000

# Counted beside the statuses: destroying personal data does not change the status.
_DESTROYED_LABEL = "destroyed"


class AgeingPartialFailure(observability.PartialFailure):
    """Some registrations could not be changed, or not in time. They stay due and are in the log."""


class _AgeingRun:
    """Applies operations to registrations one by one while there is time, and counts those that fail.

    One that cannot be read does not count as failed: it has its own alarm, and another run does not help.
    """

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self.failure_count = 0
        self.is_cut = False

    def apply_each(
        self, references: Iterable[Reference], operation: Callable[[Reference], Result]
    ) -> Iterator[Result]:
        """Yield the result for each registration that did not fail, until the time is over."""
        for reference in references:
            if self._context.get_remaining_time_in_millis() < _SHUTDOWN_MARGIN_MS:
                self.is_cut = True
                return
            try:
                result = operation(reference)
            except Exception as error:  # noqa: BLE001 - the others must still be changed
                observability.log_exception(error, "registration not aged", {"reference": reference})
                self.failure_count += not isinstance(error, RecordUnreadable)
            else:
                yield result


def age_due_registrations(
    lifecycle_service: LifecycleService,
    erasure_service: ErasureService,
    erase_attached: Callable[[Reference], object],
    context: LambdaContext,
) -> dict[str, int]:
    """Expire unpaid applications, lapse memberships unpaid for three months, and delete personal fields.

    Of an active membership, those that SMS do not need are deleted after the retention period that its first
    payment began; of an application that ended unpaid, or of a membership that lapsed, all, with its SMS,
    after that of its status. Return the numbers by status. A registration that fails does not stop the
    others; the run then raises AgeingPartialFailure, as it does when its time is over, so that it is repeated
    and goes on. A second run changes nothing more.
    """
    run = _AgeingRun(context)
    number_by_status: Counter[str] = Counter(
        event
        for events in run.apply_each(lifecycle_service.iter_due(), lifecycle_service.age)
        for event in events
    )
    number_by_status[_DESTROYED_LABEL] += sum(
        run.apply_each(
            erasure_service.iter_destroyable(),
            lambda reference: erasure_service.destroy_personal_fields(
                reference, erase_attached=erase_attached
            ),
        )
    )
    number_by_status += Counter()  # Removes the zero.
    for status, number in sorted(number_by_status.items()):
        observability.count("RegistrationsAged", number, status=status)
    failed = run.failure_count
    observability.logger.info(
        "registrations aged", extra={"by_status": dict(number_by_status), "failed": failed}
    )
    if failed or run.is_cut:
        remainder = ", others wait for the next run" * run.is_cut
        raise AgeingPartialFailure(f"{failed} failed, {number_by_status.total()} aged{remainder}")
    return dict(number_by_status)
