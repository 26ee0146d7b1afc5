"""The daily round: what time alone does to registrations."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from chalicelib import observability
from chalicelib.registrations.casework import Casework
from chalicelib.registrations.erasing import Erasing
from chalicelib.registrations.reference import Reference

Change = TypeVar("Change")

# What stands beside the statuses in the round's figures; the status itself stays what it was.
_DESTROYED = "destroyed"


class SomeNotAged(observability.RoundIncomplete):
    """The round did what it could; what it could not change is still due, and is in the log."""


class _Round:
    """One registration after the other; one that fails holds up no other."""

    def __init__(self) -> None:
        self.failed = 0

    def each(
        self, references: Iterable[Reference], change: Callable[[Reference], Change]
    ) -> Iterator[Change]:
        """What became of each that could be changed."""
        for reference in references:
            try:
                changed = change(reference)
            except Exception as error:  # noqa: BLE001 - the others are still to be changed
                observability.log_unforeseen(error, "registration not aged", {"reference": reference})
                self.failed += 1
            else:
                yield changed


def age_due(casework: Casework, erasing: Erasing) -> dict[str, int]:
    """Expire applications nobody paid for, lapse memberships unpaid for three months, and destroy what is
    personal in applications that ended unpaid long ago.

    One that cannot be changed holds up no other, but fails the round in the end. A round that comes twice
    changes nothing more.
    """
    a_round = _Round()
    became: Counter[str] = Counter(
        str(status) for status in a_round.each(casework.due(), casework.age) if status
    )
    became[_DESTROYED] += sum(a_round.each(erasing.destroyable(), erasing.destroy))
    became += Counter()  # Without what did not happen.
    for became_status, number in sorted(became.items()):
        observability.count("RegistrationsAged", number, status=became_status)
    failed = a_round.failed
    observability.logger.info("registrations aged", extra={"became": dict(became), "failed": failed})
    if failed:
        raise SomeNotAged(f"{failed} failed, {became.total()} aged")
    return dict(became)
