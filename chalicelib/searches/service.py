"""The search for registrations by a reference, a receipt, a NIK or a phone number."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from chalicelib.callers import Caller, Role
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.registrations.captures import Capture
from chalicelib.registrations.erasure import Application
from chalicelib.registrations.errors import CaptureErased, CaptureUnknown, RegistrationUnknown
from chalicelib.registrations.model import Registration
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.references import Reference
from chalicelib.registrations.repeats import hash_phone_lookup
from chalicelib.searches.errors import SearchNotAllowed
from chalicelib.searches.lookups import LookupKind, Lookups
from chalicelib.searches.model import PERSONAL_KEYS, SearchKey, SearchTerm, parse_search

MAX_FOUND = 20

_MAY_SEARCH_PERSONS = frozenset({Role.CORE, Role.ADMIN})


class Records(Protocol):
    """Captures and registrations by their ids."""

    def get(self, reference: Reference) -> Registration:
        """Return a registration. Raise RegistrationUnknown, or RegistrationDestroyed."""

    def get_capture(self, capture_id: str) -> Capture:
        """Return a capture. Raise CaptureUnknown, or CaptureErased."""


class Applications(Protocol):
    """The registrations of a worker."""

    def list_applications(self, worker_key: str) -> Sequence[Application]:
        """Return every registration of a worker, the latest first."""


@dataclass(frozen=True)
class SearchResult:
    """The registrations that were found and that the caller may see, and if there are more of them."""

    found_by: SearchKey
    registrations: Sequence[Registration]
    has_more: bool


class SearchService:
    """Finds registrations for managers, the core system and admins."""

    def __init__(
        self,
        *,
        records: Records,
        applications: Applications,
        lookups: Lookups,
        hashing: KeyedHash,
        clock: Clock,
    ) -> None:
        self._records = records
        self._applications = applications
        self._lookups = lookups
        self._hashing = hashing
        self._clock = clock

    def search(self, text: str, *, caller: Caller) -> SearchResult:
        """Return the registrations that a typed text finds, of the caller's campaigns; of all for an admin.

        Only the core system and admins search by NIK or phone number. Raise SearchUnclear or
        SearchNotAllowed.
        """
        term = parse_search(text, today=self._clock().date())
        if term.key in PERSONAL_KEYS and not caller.roles & _MAY_SEARCH_PERSONS:
            raise SearchNotAllowed(f"{caller.client_id} searches by {term.key}")
        references = dict.fromkeys(self._iter_references(term))
        found = list(islice(self._iter_visible(references, caller), MAX_FOUND + 1))
        return SearchResult(term.key, found[:MAX_FOUND], has_more=len(found) > MAX_FOUND)

    def _iter_references(self, term: SearchTerm) -> Iterator[Reference]:
        match term.key:
            case SearchKey.REFERENCE:
                yield Reference(term.value)
            case SearchKey.CAPTURE_ID:
                yield from self._iter_of_capture(term.value)
            case SearchKey.RECEIPT_CODE:
                for capture_id in self._lookups.iter_captures(term.value):
                    yield from self._iter_of_capture(capture_id)
            case SearchKey.NIK:
                worker_key = self._hashing.digest("nik", term.value)
                yield from (each.reference for each in self._applications.list_applications(worker_key))
            case SearchKey.PHONE:
                keyed_hash = hash_phone_lookup(Phone(term.value), self._hashing)
                for entry in self._lookups.iter_entries(LookupKind.PHONE, keyed_hash):
                    yield Reference(entry.reference)

    def _iter_of_capture(self, capture_id: str) -> Iterator[Reference]:
        with suppress(CaptureUnknown, CaptureErased):
            capture = self._records.get_capture(capture_id)
            if capture.answer is not None:
                yield capture.answer.reference

    def _iter_visible(self, references: Iterable[Reference], caller: Caller) -> Iterator[Registration]:
        for reference in references:
            with suppress(RegistrationUnknown):
                registration = self._records.get(reference)
                campaign_id = registration.capture_metadata.campaign_id
                if caller.has_role(Role.ADMIN) or caller.may_access_campaign(campaign_id):
                    yield registration
