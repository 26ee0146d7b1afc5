"""Erasure of a worker's data: all of it on request, or one registration that ended long ago.

Counted facts are kept, under ids that do not identify a person. Every operation may stop halfway and be
repeated: the links through which the other items are found are removed last.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from chalicelib.clock import Clock
from chalicelib.photos.model import StoredPhoto
from chalicelib.refusals import TryAgain
from chalicelib.registrations.captures import Capture
from chalicelib.registrations.errors import RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.reading import ReadingService
from chalicelib.registrations.references import Reference
from chalicelib.shares import WHOLE, Share

if TYPE_CHECKING:
    from chalicelib.conversations.messages import ChatRecord

# An attempt is repeated only if captures of the same worker arrived during it.
_MAX_ATTEMPTS = 5

# Shorter than the API's time-out. A repeated call continues.
_TIME_LIMIT = timedelta(seconds=18)


@dataclass(frozen=True)
class CaptureLink:
    """A link from a worker to a capture, with the reference in the answer to it."""

    capture_id: str
    reference: Reference


@dataclass(frozen=True)
class WorkerLinks:
    """The links from a worker to records: the latest registration, and every capture."""

    latest_reference: Reference | None
    capture_links: tuple[CaptureLink, ...]


class ErasureStore(Protocol):
    """The links from workers to records, and their erasure. Every operation may be repeated."""

    def get_links(self, worker_key: str) -> WorkerLinks:
        """Return the links from a worker to records, read consistently."""

    def get_capture(self, capture_id: str) -> Capture:
        """Return a capture. Raise CaptureErased."""

    def erase_capture(self, worker_key: str, capture_link: CaptureLink) -> None:
        """Erase a capture and its link. Keep its counted facts, and that it must not be accepted again.

        Raise TryAgain.
        """

    def erase_worker(self, worker_key: str, latest_reference: Reference) -> None:
        """Delete the worker's item, unless `latest_reference` is not the latest registration any more."""

    def erase_registration(self, reference: Reference, worker_key: str) -> None:
        """Delete a registration if it is still of this worker; keep its counted facts. Raise TryAgain."""

    def destroy_personal_fields(self, registration: Registration, *, destroyed_at: datetime) -> bool:
        """Remove the personal fields of a registration; keep its counted facts.

        Return False if it was changed meanwhile. Raise TryAgain.
        """

    def iter_in_status(
        self, status: Status, *, since_before: datetime, share: Share = WHOLE
    ) -> Iterator[Reference]:
        """Yield the registrations of a share that are in a status since `since_before`, and not destroyed."""


class PhotoStore(Protocol):
    """The photos of captures."""

    def iter_photos(self, capture_id: str) -> Iterator[StoredPhoto]:
        """Yield the photos of a capture."""

    def erase(self, capture_id: str) -> None:
        """Delete the photos of a capture. It may be repeated."""


class ChatStore(Protocol):
    """The chats in which workers registered, or began to."""

    def erase_worker(self, worker_key: str) -> None:
        """Delete drafts of a worker and messages about the worker. It may be repeated."""

    def iter_worker_records(self, worker_key: str) -> "Iterator[ChatRecord]":
        """Yield what chats hold on a worker; the newest may be missing for a moment."""

    def erase_link(self, capture_id: str) -> None:
        """Forget the chat of a capture. It may be repeated."""


@dataclass(frozen=True)
class Application:
    """One of a worker's registrations. `registration` is None if its personal fields were destroyed."""

    reference: Reference
    registration: Registration | None


class ErasureService:
    """Finds and erases the data that is kept of workers."""

    def __init__(
        self,
        *,
        store: ErasureStore,
        reading: ReadingService,
        photos: PhotoStore,
        chats: ChatStore,
        clock: Clock,
        retention_periods: Mapping[Status, timedelta],
    ) -> None:
        """`retention_periods` are the times after which registrations that are in a status are destroyed."""
        self._store = store
        self._reading = reading
        self._photos = photos
        self._chats = chats
        self._clock = clock
        self._retention_periods = retention_periods

    def list_applications(self, worker_key: str) -> list[Application]:
        """Return every registration of a worker, the latest first."""
        return list(self._iter_applications(worker_key, self._store.get_links(worker_key).latest_reference))

    def iter_capture_links(self, worker_key: str) -> Iterator[CaptureLink]:
        """Yield the links to a worker's captures."""
        yield from self._store.get_links(worker_key).capture_links

    def get_capture(self, capture_link: CaptureLink) -> Capture:
        """Return the capture behind a link. Raise CaptureErased."""
        return self._store.get_capture(capture_link.capture_id)

    def iter_photos(self, capture_link: CaptureLink) -> Iterator[StoredPhoto]:
        """Yield the photos of the capture behind a link."""
        return self._photos.iter_photos(capture_link.capture_id)

    def iter_chat_records(self, worker_key: str) -> "Iterator[ChatRecord]":
        """Yield what chats hold on a worker."""
        return self._chats.iter_worker_records(worker_key)

    def erase(
        self, worker_key: str, *, received_before: datetime, erase_attached: Callable[[Reference], object]
    ) -> None:
        """Erase everything of a worker that was received before the request for erasure.

        A registration received after that is a new one, with a consent of its own, and stays. Raise TryAgain
        after the time limit; the same call continues.
        """
        deadline = self._clock() + _TIME_LIMIT
        self._chats.erase_worker(worker_key)
        for _ in range(_MAX_ATTEMPTS):
            links = self._store.get_links(worker_key)
            applications = list(self._iter_applications(worker_key, links.latest_reference))
            to_erase = [
                each.reference for each in applications if not _is_received_after(each, received_before)
            ]
            to_keep = {each.reference for each in applications} - set(to_erase)
            capture_links = [link for link in links.capture_links if link.reference not in to_keep]
            if links.latest_reference is None and not capture_links:
                return
            for link in capture_links:
                self._check_deadline(deadline)
                self._erase_capture(worker_key, link)
            # The oldest first: each is found through the later one.
            for reference in reversed(to_erase):
                self._check_deadline(deadline)
                erase_attached(reference)
                self._store.erase_registration(reference, worker_key)
                # An SMS may have begun in between; none can begin after the registration is gone.
                erase_attached(reference)
            if links.latest_reference is not None and links.latest_reference not in to_keep:
                self._store.erase_worker(worker_key, links.latest_reference)
            elif not capture_links and not to_erase:
                return
        raise TryAgain("other captures of the worker arrived")

    def iter_destroyable(self, share: Share = WHOLE) -> Iterator[Reference]:
        """Yield the registrations of a share whose retention period is over, status by status."""
        for status, period in self._retention_periods.items():
            yield from self._store.iter_in_status(status, since_before=self._clock() - period, share=share)

    def destroy_personal_fields(
        self, reference: Reference, *, erase_attached: Callable[[Reference], object]
    ) -> bool:
        """Destroy the personal fields of a registration that ended, and erase its captures and SMS.

        Status, history and counted facts are kept. If the worker has no other application, or none but such
        as are to be destroyed too, the worker is erased, and would be registered as a new one: so it makes no
        difference which is destroyed first, or if it is at the same time. Return False if there was nothing
        to destroy. Raise TryAgain.
        """
        try:
            registration = self._reading.get(reference)
        except RegistrationUnknown:
            return False
        if not self._is_destroyable(registration):
            return False
        worker_key = registration.worker_key
        links = self._store.get_links(worker_key)
        for link in links.capture_links:
            if link.reference == reference:
                self._erase_capture(worker_key, link)
        is_known = any(
            each.registration is not None and not self._is_destroyable(each.registration)
            for each in self._iter_applications(worker_key, links.latest_reference, registration)
        )
        if links.latest_reference is not None and not is_known:
            self._store.erase_worker(worker_key, links.latest_reference)
        erase_attached(reference)
        # Last, because it removes the registration from the index by which it is found.
        return self._store.destroy_personal_fields(registration, destroyed_at=self._clock())

    def _erase_capture(self, worker_key: str, capture_link: CaptureLink) -> None:
        self._chats.erase_link(capture_link.capture_id)
        self._photos.erase(capture_link.capture_id)
        self._store.erase_capture(worker_key, capture_link)
        # A photo may have come in between; none is kept after the capture is gone.
        self._photos.erase(capture_link.capture_id)

    def _is_destroyable(self, registration: Registration) -> bool:
        period = self._retention_periods.get(registration.lifecycle.status)
        return period is not None and registration.lifecycle.status_since <= self._clock() - period

    def _iter_applications(
        self, worker_key: str, latest_reference: Reference | None, read: Registration | None = None
    ) -> Iterator[Application]:
        """Yield a worker's registrations, the latest first. The one that was `read` is not read again."""
        reference = latest_reference
        while reference is not None:
            try:
                if read is not None and read.reference == reference:
                    registration = read
                else:
                    registration = self._reading.get(reference)
            except RegistrationDestroyed as destroyed:
                yield Application(reference, None)
                reference = destroyed.follows
            except RegistrationUnknown:
                return
            else:
                if registration.worker_key != worker_key:
                    return  # Its NIK was corrected meanwhile: it is another worker's.
                yield Application(reference, registration)
                reference = registration.follows

    def _check_deadline(self, deadline: datetime) -> None:
        if self._clock() > deadline:
            raise TryAgain("there is more to erase")


def _is_received_after(application: Application, instant: datetime) -> bool:
    registration = application.registration
    return registration is not None and registration.capture_metadata.received_at > instant
