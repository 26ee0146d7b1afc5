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
from chalicelib.registrations.lifecycle import NEVER_BECAME_MEMBERS
from chalicelib.registrations.model import Registration
from chalicelib.registrations.reference import Reference
from chalicelib.registrations.service import Capture

# Each round ends unless captures of the very same worker came in meanwhile.
_ROUNDS = 5

# A caller hears before the API's time is over; what is done by then stays done.
_TAKES = timedelta(seconds=18)


@dataclass(frozen=True)
class CaptureLink:
    """A capture of a worker, and the registration that its sender was told."""

    capture_id: str
    reference: Reference


@dataclass(frozen=True)
class Trail:
    """What leads from a worker to records: the latest registration, and every capture."""

    latest: Reference | None
    captures: tuple[CaptureLink, ...]


class Registrations(Protocol):
    """What this needs of registrations."""

    def get(self, reference: Reference) -> Registration:
        """Raises RegistrationUnknown, or RegistrationDestroyed."""


class Workers(Protocol):
    """Where workers' trails are kept. Every act may be repeated."""

    def trail(self, worker_key: str) -> Trail:
        """What leads from a worker to records, as it stands this moment."""

    def capture(self, capture_id: str) -> Capture:
        """A capture. Raises CaptureForgotten."""

    def forget_capture(self, worker_key: str, link: CaptureLink) -> None:
        """Leave of a capture what is counted, and that it must not be taken in again; cut its link."""

    def forget_worker(self, worker_key: str, latest: Reference) -> None:
        """Take the worker's latest registration off the worker, unless it is another one by now."""

    def remove(self, reference: Reference) -> None:
        """Take a registration away."""

    def destroy(self, registration: Registration, *, at: datetime) -> bool:
        """Take all that is personal out of a registration; False if it was changed meanwhile."""

    def ended_by(self, at: datetime) -> Iterator[Reference]:
        """The registrations that ended unpaid by an instant and are not destroyed yet."""


@dataclass(frozen=True)
class Application:
    """One registration in a worker's line of them; None for one whose personal fields were destroyed."""

    reference: Reference
    registration: Registration | None


class Erasing:
    """Finds and takes away what is kept of workers."""

    def __init__(
        self, *, workers: Workers, registrations: Registrations, clock: Clock, kept_for: timedelta
    ) -> None:
        self._workers = workers
        self._registrations = registrations
        self._clock = clock
        self._kept_for = kept_for

    def applications(self, worker_key: str) -> list[Application]:
        """Every registration of a worker, the latest first."""
        return list(self._line(self._workers.trail(worker_key).latest))

    def captures(self, worker_key: str) -> Iterator[CaptureLink]:
        """Every capture of a worker that led to a registration."""
        yield from self._workers.trail(worker_key).captures

    def capture(self, link: CaptureLink) -> Capture:
        """The capture behind a link. Raises CaptureForgotten."""
        return self._workers.capture(link.capture_id)

    def erase(
        self, worker_key: str, *, asked_at: datetime, forget_texts: Callable[[Reference], object]
    ) -> None:
        """Take away everything of a worker that was received before the worker asked for it.

        A registration received after that is a new one, with a consent of its own, and stays. Raises TryAgain
        where time runs out; the same call goes on from there.
        """
        give_up_at = self._clock() + _TAKES
        for _ in range(_ROUNDS):
            trail = self._workers.trail(worker_key)
            line = list(self._line(trail.latest))
            going = [each.reference for each in line if not _received_after(each, asked_at)]
            staying = {each.reference for each in line} - set(going)
            links = [link for link in trail.captures if link.reference not in staying]
            if trail.latest is None and not links:
                return
            for link in links:
                self._check_time(give_up_at)
                self._workers.forget_capture(worker_key, link)
            # The oldest first: the later one is what leads to it.
            for reference in reversed(going):
                self._check_time(give_up_at)
                forget_texts(reference)
                self._workers.remove(reference)
                # A text begun in between knew the registration; none can begin after it is gone.
                forget_texts(reference)
            if trail.latest is not None and trail.latest not in staying:
                self._workers.forget_worker(worker_key, trail.latest)
            elif not links and not going:
                return
        raise TryAgain("the worker's captures kept coming in")

    def destroyable(self) -> Iterator[Reference]:
        """The registrations that ended unpaid so long ago that nothing personal may be kept of them."""
        return self._workers.ended_by(self._clock() - self._kept_for)

    def destroy(self, reference: Reference) -> bool:
        """Destroy the personal fields of an application that ended unpaid, with those of its captures.

        Status, history and what is counted stay. Its worker is forgotten where no other application keeps
        the worker known, and then registers as somebody new. False if there was nothing to destroy.
        """
        try:
            registration = self._registrations.get(reference)
        except RegistrationUnknown:
            return False
        ended_long_ago = registration.life.since <= self._clock() - self._kept_for
        if registration.life.status not in NEVER_BECAME_MEMBERS or not ended_long_ago:
            return False
        worker_key = registration.worker_key
        trail = self._workers.trail(worker_key)
        for link in trail.captures:
            if link.reference == reference:
                self._workers.forget_capture(worker_key, link)
        if trail.latest == reference and not any(
            each.registration for each in self._line(registration.follows)
        ):
            self._workers.forget_worker(worker_key, reference)
        # Last, because this takes it off the list of what is to be destroyed.
        return self._workers.destroy(registration, at=self._clock())

    def _line(self, reference: Reference | None) -> Iterator[Application]:
        while reference is not None:
            try:
                registration = self._registrations.get(reference)
            except RegistrationDestroyed as destroyed:
                yield Application(reference, None)
                reference = destroyed.follows
            except RegistrationUnknown:
                return
            else:
                yield Application(reference, registration)
                reference = registration.follows

    def _check_time(self, give_up_at: datetime) -> None:
        if self._clock() > give_up_at:
            raise TryAgain("there is more to erase")


def _received_after(application: Application, at: datetime) -> bool:
    registration = application.registration
    return registration is not None and registration.taken.received_at > at
