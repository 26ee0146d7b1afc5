"""Lookups, which lead from a receipt code, a phone number or a person to registrations."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol


class LookupKind(StrEnum):
    """The kind of value that a lookup begins with. Phones and persons are keyed hashes."""

    PHONE = "phone"
    PERSON = "person"


@dataclass(frozen=True)
class LookupEntry:
    """A registration that a lookup leads to. `worker_key` is the keyed hash of the worker's NIK."""

    reference: str
    campaign_id: str
    day: date
    worker_key: str


class Lookups(Protocol):
    """The store of lookups. Every operation may be repeated."""

    def add(self, kind: LookupKind, keyed_hash: str, entry: LookupEntry) -> None:
        """Store that a phone or a person leads to a registration."""

    def remove(self, kind: LookupKind, keyed_hash: str, reference: str) -> None:
        """Delete that a phone or a person leads to a registration."""

    def iter_entries(self, kind: LookupKind, keyed_hash: str) -> Iterator[LookupEntry]:
        """Yield the registrations of a phone or a person, by reference."""

    def add_capture(self, receipt_code: str, capture_id: str) -> None:
        """Store that a receipt code leads to a capture."""

    def remove_capture(self, receipt_code: str, capture_id: str) -> None:
        """Delete that a receipt code leads to a capture."""

    def iter_captures(self, receipt_code: str) -> Iterator[str]:
        """Yield the ids of the captures with a receipt code, by id."""
