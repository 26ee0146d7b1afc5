"""Finding all that is kept of a worker, and taking it away: whole on request, or an old application by time.

What is counted stays: a forgotten capture keeps its facts under its campaign day, and nothing that leads to a
person. Every act may stop halfway and be done again: what leads to the rest is taken away last.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.refusals import TryAgain
from chalicelib.registrations.errors import RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.intake import Capture
from chalicelib.registrations.model import Registration
from chalicelib.registrations.references import Reference
from chalicelib.registrations.states import ENDED_UNPAID_STATUSES

# Each round ends unless captures of the very same worker came in meanwhile.
_MAX_ATTEMPTS = 5

# A caller hears before the API's time is over; what is done by then stays done.
_TIME_LIMIT = timedelta(seconds=18)


@dataclass(frozen=True)
class CaptureLink:
    """A capture of a worker, and the registration that its sender was told."""

    capture_id: str
    reference: Reference


@dataclass(frozen=True)
class WorkerLinks:
    """What leads from a worker to records: the latest registration, and every capture."""

    latest_reference: Reference | None
    capture_links: tuple[CaptureLink, ...]


class RegistrationReader(Protocol):
    """What this needs of registrations."""

    def get(self, reference: Reference) -> Registration:
        """Raises RegistrationUnknown, or RegistrationDestroyed."""


class Workers(Protocol):
    """Where workers' trails are kept. Every act may be repeated."""

    def get_links(self, worker_key: str) -> WorkerLinks:
        """What leads from a worker to records, as it stands this moment."""

    def get_capture(self, capture_id: str) -> Capture:
        """A capture. Raises CaptureErased."""

    def erase_capture(self, worker_key: str, capture_link: CaptureLink) -> None:
        """Leave of a capture what is counted, and that it must not be taken in again; cut its link."""

    def erase_worker(self, worker_key: str, latest_reference: Reference) -> None:
        """Take the worker's latest registration off the worker, unless it is another one by now."""

    def erase_registration(self, reference: Reference) -> None:
        """Take a registration away."""

    def destroy_personal_fields(self, registration: Registration, *, destroyed_at: datetime) -> bool:
        """Take all that is personal out of a registration; False if it was changed meanwhile."""

    def iter_ended_unpaid(self, ended_before: datetime) -> Iterator[Reference]:
        """The registrations that ended unpaid by an instant and are not destroyed yet."""


@dataclass(frozen=True)
class Application:
    """One registration in a worker's line of them; None for one whose personal fields were destroyed."""

    reference: Reference
    registration: Registration | None


class ErasureService:
    """Finds and takes away what is kept of workers."""

    def __init__(
        self,
        *,
        workers: Workers,
        registrations: RegistrationReader,
        clock: Clock,
        retention_period: timedelta,
    ) -> None:
        self._workers = workers
        self._registrations = registrations
        self._clock = clock
        self._retention_period = retention_period

    def list_applications(self, worker_key: str) -> list[Application]:
        """Every registration of a worker, the latest first."""
        return list(self._iter_applications(self._workers.get_links(worker_key).latest_reference))

    def iter_capture_links(self, worker_key: str) -> Iterator[CaptureLink]:
        """Every capture of a worker that led to a registration."""
        yield from self._workers.get_links(worker_key).capture_links

    def get_capture(self, capture_link: CaptureLink) -> Capture:
        """The capture behind a link. Raises CaptureErased."""
        return self._workers.get_capture(capture_link.capture_id)

    def erase(
        self, worker_key: str, *, received_before: datetime, erase_sms: Callable[[Reference], object]
    ) -> None:
        """Take away everything of a worker that was received before the worker asked for it.

        A registration received after that is a new one, with a consent of its own, and stays. Raises TryAgain
        where time runs out; the same call goes on from there.
        """
        give_up_at = self._clock() + _TIME_LIMIT
        for _ in range(_MAX_ATTEMPTS):
            trail = self._workers.get_links(worker_key)
            line = list(self._iter_applications(trail.latest_reference))
            going = [each.reference for each in line if not _is_received_after(each, received_before)]
            staying = {each.reference for each in line} - set(going)
            links = [link for link in trail.capture_links if link.reference not in staying]
            if trail.latest_reference is None and not links:
                return
            for link in links:
                self._check_deadline(give_up_at)
                self._workers.erase_capture(worker_key, link)
            # The oldest first: the later one is what leads to it.
            for reference in reversed(going):
                self._check_deadline(give_up_at)
                erase_sms(reference)
                self._workers.erase_registration(reference)
                # A text begun in between knew the registration; none can begin after it is gone.
                erase_sms(reference)
            if trail.latest_reference is not None and trail.latest_reference not in staying:
                self._workers.erase_worker(worker_key, trail.latest_reference)
            elif not links and not going:
                return
        raise TryAgain("the worker's captures kept coming in")

    def iter_destroyable(self) -> Iterator[Reference]:
        """The registrations that ended unpaid so long ago that nothing personal may be kept of them."""
        return self._workers.iter_ended_unpaid(self._clock() - self._retention_period)

    def destroy_personal_fields(self, reference: Reference) -> bool:
        """Destroy the personal fields of an application that ended unpaid, with those of its captures.

        Status, history and what is counted stay. Its worker is forgotten where no other application keeps
        the worker known, and then registers as somebody new. False if there was nothing to destroy.
        """
        try:
            registration = self._registrations.get(reference)
        except RegistrationUnknown:
            return False
        ended_long_ago = registration.lifecycle.status_since <= self._clock() - self._retention_period
        if registration.lifecycle.status not in ENDED_UNPAID_STATUSES or not ended_long_ago:
            return False
        worker_key = registration.worker_key
        trail = self._workers.get_links(worker_key)
        for link in trail.capture_links:
            if link.reference == reference:
                self._workers.erase_capture(worker_key, link)
        if trail.latest_reference == reference and not any(
            each.registration for each in self._iter_applications(registration.follows)
        ):
            self._workers.erase_worker(worker_key, reference)
        # Last, because this takes it off the list of what is to be destroyed.
        return self._workers.destroy_personal_fields(registration, destroyed_at=self._clock())

    def _iter_applications(self, latest_reference: Reference | None) -> Iterator[Application]:
        while latest_reference is not None:
            try:
                registration = self._registrations.get(latest_reference)
            except RegistrationDestroyed as destroyed:
                yield Application(latest_reference, None)
                latest_reference = destroyed.follows
            except RegistrationUnknown:
                return
            else:
                yield Application(latest_reference, registration)
                latest_reference = registration.follows

    def _check_deadline(self, deadline: datetime) -> None:
        if self._clock() > deadline:
            raise TryAgain("there is more to erase")


def _is_received_after(application: Application, instant: datetime) -> bool:
    registration = application.registration
    return registration is not None and registration.capture_metadata.received_at > instant
