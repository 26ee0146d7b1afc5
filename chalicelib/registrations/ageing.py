"""The time-outs of a registration: expiry, lapse, and the deletion of the identity. Pure."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from chalicelib.contributions.service import FUND_ZONE
from chalicelib.registrations.corrections import delete_identity
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.repeats import delete_person_lookup
from chalicelib.registrations.worker import Work, Worker


def age_registration(
    registration: Registration, *, today: date, occurred_at: datetime, identity_retention: timedelta
) -> Registration:
    """Return a registration after the time-outs that are due on the local day `today`.

    `identity_retention` is for a membership that an earlier release paid.
    """
    lifecycle, worker, work = registration.lifecycle, registration.worker, registration.work
    identity, corrections = registration.identity, registration.corrections
    if lifecycle.status is Status.ACTIVE and isinstance(worker, Worker) and isinstance(work, Work):
        paid_on = lifecycle.status_since.astimezone(FUND_ZONE).date()
        if today >= (registration.identity_until or paid_on + identity_retention):
            worker, work = worker.delete_identity(), work.delete_income()
            identity, corrections = delete_person_lookup(identity), delete_identity(corrections)
            lifecycle = lifecycle.with_identity_deleted(occurred_at=occurred_at)
    lifecycle = lifecycle.age(today=today, occurred_at=occurred_at, expires_on=registration.expires_on)
    return replace(
        registration,
        lifecycle=lifecycle,
        worker=worker,
        work=work,
        identity=identity,
        corrections=corrections,
    )
