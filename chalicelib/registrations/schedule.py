"""The run that expires, lapses and erases registrations, every half an hour."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from threading import Lock
from typing import TypeVar

from chalicelib import observability
from chalicelib.aws.lambda_context import LambdaContext
from chalicelib.refusals import RecordUnreadable, TryAgain
from chalicelib.registrations.erasure import ErasureService
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.references import Reference
from chalicelib.shares import WHOLE, Share

Result = TypeVar("Result")

SHUTDOWN_MARGIN_MS = 20_000
"""Time that a run reserves for the registrations that it is changing, and for logging its result."""

CHANGED_AT_ONCE = 10
"""The registrations that a run changes at once: so many connections the AWS clients keep open."""

# References that are read from the index before the threads take them.
_BATCH_SIZE = 200

# Counted beside the statuses: destroying personal data does not change the status.
_DESTROYED_LABEL = "destroyed"


class AgeingPartialFailure(observability.PartialFailure):
    """Some registrations could not be changed. They stay due and are in the log."""


class _AgeingRun:
    """Applies operations to registrations while there is time, some at once, and counts those that fail.

    Most of the time goes into waiting for AWS. Registrations that share an item, such as a sponsor's places,
    may be in each other's way: whichever comes too late is tried once more, alone.

    One that cannot be read does not count as failed: it has its own alarm, and another run does not help.
    """

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._lock = Lock()
        self.failure_count = 0
        self.is_cut = False

    def apply_each(
        self, references: Iterable[Reference], operation: Callable[[Reference], Result]
    ) -> Iterator[Result]:
        """Yield the result for each registration that did not fail, until the time is over."""
        remaining = iter(references)
        with ThreadPoolExecutor(CHANGED_AT_ONCE) as pool:
            while not self.is_cut and (batch := list(islice(remaining, _BATCH_SIZE))):
                conflicts: list[Reference] = []
                attempt = partial(self._attempt, operation, on_conflict=conflicts.append)
                yield from chain.from_iterable(pool.map(attempt, batch))
                yield from chain.from_iterable(map(partial(self._attempt, operation), conflicts))

    def _attempt(
        self,
        operation: Callable[[Reference], Result],
        reference: Reference,
        *,
        on_conflict: Callable[[Reference], object] | None = None,
    ) -> list[Result]:
        """Return the result in a list, which is empty if there is none: time is over, or it failed."""
        if self._context.get_remaining_time_in_millis() < SHUTDOWN_MARGIN_MS:
            self.is_cut = True
            return []
        try:
            return [operation(reference)]
        except Exception as error:  # noqa: BLE001 - the others must still be changed
            if on_conflict is not None and isinstance(error, TryAgain):
                on_conflict(reference)
            else:
                self._record_failure(reference, error)
            return []

    def _record_failure(self, reference: Reference, error: Exception) -> None:
        observability.log_exception(error, "registration not aged", {"reference": reference})
        with self._lock:
            self.failure_count += not isinstance(error, RecordUnreadable)


def age_due_registrations(
    lifecycle_service: LifecycleService,
    erasure_service: ErasureService,
    erase_attached: Callable[[Reference], object],
    context: LambdaContext,
    share: Share = WHOLE,
) -> dict[str, int]:
    """Expire unpaid applications, lapse memberships unpaid for three months, and delete personal fields.

    Of an active membership, those that SMS do not need are deleted after the retention period that its first
    payment began; of an application that ended unpaid, or of a membership that lapsed, all, with its SMS,
    after that of its status. Only those of a share are looked for. Return the numbers by status.

    A registration that fails does not stop the others; the run then raises AgeingPartialFailure. The next run
    goes on where the time of this one is over. A second run changes nothing more.
    """
    run = _AgeingRun(context)
    number_by_status: Counter[str] = Counter(
        event
        for events in run.apply_each(lifecycle_service.iter_due(share), lifecycle_service.age)
        for event in events
    )
    number_by_status[_DESTROYED_LABEL] += sum(
        run.apply_each(
            erasure_service.iter_destroyable(share),
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
    if run.is_cut:
        observability.logger.warning("time limit reached, the others wait for the next run")
        observability.count("AgeingCut")
    if failed:
        raise AgeingPartialFailure(f"{failed} failed, {number_by_status.total()} aged")
    return dict(number_by_status)
