"""Findings in changes of registrations and in summaries, and the lookups that they are found by.

Everything may be repeated: an item and a lookup are there once, whoever stores them again.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from chalicelib.registrations.model import ENDED_UNPAID_STATUSES, Flag
from chalicelib.registrations.repeats import PERSON_LOOKUP, PHONE_LOOKUP
from chalicelib.registrations.stream import CaptureChange, Change, RegistrationChange
from chalicelib.reviews.device_watch import DeviceWatch
from chalicelib.reviews.model import Finding, ReviewKind, ReviewSubject
from chalicelib.rollups.model import Anomaly, Summary
from chalicelib.searches.lookups import LookupEntry, LookupKind, Lookups
from chalicelib.searches.receipt_codes import make_receipt_code

_LOOKUPS = {PHONE_LOOKUP: LookupKind.PHONE, PERSON_LOOKUP: LookupKind.PERSON}

# The flags of a registration that are an item of its own.
_KINDS_BY_FLAG = {
    Flag.REPEAT_DIFFERS: ReviewKind.REPEAT_DIFFERS,
    Flag.PAYMENT_DIFFERS: ReviewKind.PAYMENT_DIFFERS,
    Flag.PAYMENT_SHARED: ReviewKind.PAYMENT_SHARED,
    Flag.TAKEN_OVER: ReviewKind.TAKEN_OVER,
    Flag.TOOK_OVER: ReviewKind.TOOK_OVER,
}
_PHONE_FLAGS = frozenset({Flag.PHONE_BUSY, Flag.PHONE_OVER_CAP})

# The anomalies of a day that are an item; those of single registrations are items already.
_DAY_KINDS = frozenset(
    {
        ReviewKind.CLIENT_ABOVE_PEERS,
        ReviewKind.NEIGHBOURING_SERIALS,
        ReviewKind.CLIENT_UNUSUAL,
        ReviewKind.SPONSOR_OVER_QUOTA,
        ReviewKind.HISTORY_FULL,
        ReviewKind.WORKER_CAPTURES_REACHED,
        ReviewKind.RECORDS_UNREADABLE,
    }
)


class ReviewItems(Protocol):
    """The queue that findings come into."""

    def open_finding(self, finding: Finding) -> None:
        """Open the item of a finding, once."""

    def erase(self, reference: str) -> None:
        """Erase what items hold of a registration."""


class ReviewWatcher:
    """Opens review items for what changes of registrations and summaries show, and keeps the lookups."""

    def __init__(self, *, items: ReviewItems, lookups: Lookups, devices: DeviceWatch) -> None:
        self.devices = devices
        self._items = items
        self._lookups = lookups

    def review_changes(self, changes: Sequence[Change]) -> None:
        """Store the lookups of changed captures and registrations, and open the items of what is found."""
        for change in changes:
            if isinstance(change, RegistrationChange):
                self._review_registration(change)
            elif isinstance(change, CaptureChange) and change.capture_id is not None:
                self._index_capture(change, change.capture_id)

    def review_summary(self, summary: Summary) -> None:
        """Open the items of a day's anomalies."""
        for anomaly in summary.oddities:
            if anomaly.pattern in _DAY_KINDS:
                self._items.open_finding(_build_day_finding(summary, anomaly))

    def _index_capture(self, change: CaptureChange, capture_id: str) -> None:
        if change.outcome is None:
            self._lookups.remove_capture(make_receipt_code(capture_id), capture_id)
        elif change.is_new and change.reference is not None:
            self._lookups.add_capture(make_receipt_code(capture_id), capture_id)

    def _review_registration(self, change: RegistrationChange) -> None:
        self._update_lookups(change)
        if change.is_gone:
            self._items.erase(change.reference)
            return
        for finding in _iter_findings(change):
            self._items.open_finding(finding)

    def _update_lookups(self, change: RegistrationChange) -> None:
        current = dict(change.lookups)
        if any(event.status in ENDED_UNPAID_STATUSES for event in change.new_events):
            # Whoever registers again with the right NIK is no second person.
            current.pop(PERSON_LOOKUP, None)
        for name, keyed_hash in change.previous_lookups.items():
            if current.get(name) != keyed_hash:
                self._lookups.remove(_LOOKUPS[name], keyed_hash, change.reference)
        if change.worker_key is None or not _has_new_lookups(change):
            return
        campaign_day = change.campaign_day
        entry = LookupEntry(change.reference, campaign_day.campaign_id, campaign_day.day, change.worker_key)
        for name, keyed_hash in current.items():
            self._lookups.add(_LOOKUPS[name], keyed_hash, entry)
        if PERSON_LOOKUP in current:
            self._find_second_nik(current[PERSON_LOOKUP])

    def _find_second_nik(self, keyed_hash: str) -> None:
        """Open an item for a person with two NIKs, in each campaign with its own registrations.

        Of two registrations at once, the later look finds both: lookups are stored before they are read.
        """
        entries = list(self._lookups.iter_entries(LookupKind.PERSON, keyed_hash))
        workers = len({each.worker_key for each in entries})
        if workers > 1:
            for each in entries:
                subject = ReviewSubject(keyed_hash, (each.reference,))
                self._items.open_finding(
                    Finding(each.campaign_id, ReviewKind.SECOND_NIK, subject, each.day, {"workers": workers})
                )


def _has_new_lookups(change: RegistrationChange) -> bool:
    is_moved = change.previous_worker_key not in {None, change.worker_key}
    return change.is_new or is_moved or change.lookups != change.previous_lookups


def _iter_findings(change: RegistrationChange) -> Iterator[Finding]:
    campaign_id, day = change.campaign_day.campaign_id, change.campaign_day.day
    new_flags = set(change.new_flags)
    for flag, kind in _KINDS_BY_FLAG.items():
        if flag in new_flags:
            yield Finding(campaign_id, kind, ReviewSubject.registration(change.reference), day)
    if new_flags & _PHONE_FLAGS:
        # One item for a phone, with its registrations.
        key = change.lookups.get(PHONE_LOOKUP, change.reference)
        subject = ReviewSubject(key, (change.reference,))
        yield Finding(campaign_id, ReviewKind.PHONE_OVERUSED, subject, day)
    if Flag.CLIENT_BUSY in new_flags:
        subject = ReviewSubject.client_day(change.client_id, day)
        yield Finding(campaign_id, ReviewKind.CLIENT_OVER_CAP, subject, day)


def _build_day_finding(summary: Summary, anomaly: Anomaly) -> Finding:
    subject = ReviewSubject(
        key=" ".join(filter(None, (summary.day.isoformat(), anomaly.client_id, anomaly.sponsor_id))),
        client_id=anomaly.client_id,
        sponsor_id=anomaly.sponsor_id,
    )
    figures = {"workers": anomaly.workers} | ({} if anomaly.usual is None else {"usual": anomaly.usual})
    return Finding(summary.campaign_id, ReviewKind(anomaly.pattern), subject, summary.day, figures)
