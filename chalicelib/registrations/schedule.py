"""The daily round: what time alone does to registrations."""

from collections import Counter

from chalicelib import observability
from chalicelib.registrations.casework import Casework


class SomeNotAged(observability.RoundIncomplete):
    """The round did what it could; what it could not change is still due, and is in the log."""


def age_due(casework: Casework) -> dict[str, int]:
    """Expire applications nobody paid for and lapse memberships unpaid for three months.

    One that cannot be changed holds up no other, but fails the round in the end. A round that comes twice
    changes nothing more.
    """
    became: Counter[str] = Counter()
    failed = 0
    for reference in casework.due():
        try:
            status = casework.age(reference)
        except Exception as error:  # noqa: BLE001 - the others are still to be aged
            observability.log_unforeseen(error, "registration not aged", {"reference": reference})
            failed += 1
            continue
        if status is not None:
            became[status] += 1
    for became_status, number in sorted(became.items()):
        observability.count("RegistrationsAged", number, status=became_status)
    observability.logger.info("registrations aged", extra={"became": dict(became), "failed": failed})
    if failed:
        raise SomeNotAged(f"{failed} failed, {became.total()} aged")
    return dict(became)
