"""Reads of the registrations table: single registrations, pages, facts for counting, and device sequences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table
from chalicelib.campaigns.model import CampaignDay
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.http.pagination import Page, Position
from chalicelib.records import iter_readable
from chalicelib.registrations.capture_source import CaptureSource
from chalicelib.registrations.captures import (
    Capture,
    CaptureFacts,
    DayFact,
    UnreadableFacts,
    UnusualClientFacts,
)
from chalicelib.registrations.errors import CaptureUnknown, RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.latest_capture import LatestCapture
from chalicelib.registrations.model import Registration, RegistrationFacts, Status
from chalicelib.registrations.reading import DeletionCounts
from chalicelib.registrations.references import Reference
from chalicelib.registrations.store_items import (
    parse_capture,
    parse_capture_facts,
    parse_registration,
    parse_registration_facts,
)
from chalicelib.registrations.store_keys import (
    BY_CAMPAIGN_DAY,
    BY_DEVICE_SEQUENCE,
    BY_STATUS,
    CAPTURE_SORT_KEY,
    DELETIONS_PREFIX,
    LINK_PREFIX,
    list_capture_shards,
    list_registration_shards,
    list_status_shards,
    make_capture_key,
    make_deletions_pk,
    make_registration_key,
    make_remnant_shard,
    make_worker_key,
    parse_registration_pk,
)
from chalicelib.registrations.store_source import parse_capture_source, parse_latest_capture
from chalicelib.registrations.store_unusual import has_unusual_client_facts, parse_unusual_client_facts

# A page of a listing ends early where its histories are long: an answer of Lambda may have 6 MB.
_MAX_PAGE_EVENTS = 10_000

# Some of a device's highest numbers may be captures that it gave up.
_LATEST_ROWS = 5


class DynamoReadingStore:
    """Satisfies `reading.ReadingStore`; lists registrations, and yields facts for roll-ups and exports."""

    def __init__(
        self,
        client: Any,
        table_name: str,
        cipher: FieldCipher,
        *,
        max_page_events: int = _MAX_PAGE_EVENTS,
    ) -> None:
        self._table = Table(client, table_name)
        self._cipher = cipher
        self._max_page_events = max_page_events

    def get(self, reference: Reference) -> Registration:
        values = self._table.get(make_registration_key(reference))
        if values is None:
            raise RegistrationUnknown("no registration has this reference")
        return parse_registration(values, self._cipher)

    def find_latest(self, worker_key: str) -> Reference | None:
        values = self._table.get(make_worker_key(worker_key))
        return None if values is None else Reference(values["reference"])

    def get_capture(self, capture_id: str) -> Capture:
        values = self._table.get(make_capture_key(capture_id))
        if values is None:
            raise CaptureUnknown("no capture has this id")
        return parse_capture(values, self._cipher)

    def count_deletions(self, campaign_id: str) -> DeletionCounts:
        values = {":campaign": make_deletions_pk(campaign_id), ":deleted": DELETIONS_PREFIX}
        counts = list(self._table.query("pk = :campaign AND begins_with(sk, :deleted)", values))
        return DeletionCounts(
            registrations=sum(int(each.get("registrations", 0)) for each in counts),
            identities=sum(int(each.get("identities", 0)) for each in counts),
        )

    def iter_sources(self, registration: Registration) -> Iterator[CaptureSource]:
        links = self._table.query(
            "pk = :worker AND begins_with(sk, :link)",
            {":worker": make_worker_key(registration.worker_key)["pk"], ":link": LINK_PREFIX},
        )
        keys = [
            make_capture_key(link["sk"].removeprefix(LINK_PREFIX))
            for link in links
            if link["reference"] == registration.reference
        ]
        yield from iter_readable(
            lambda values: parse_capture_source(values["taken"]), self._table.get_many(keys)
        )

    def iter_day_facts(
        self, campaign_day: CampaignDay, *, start_after: Position | None = None
    ) -> Iterator[DayFact]:
        """Yield the countable facts of `campaign_day` in capture order, beginning after `start_after`.

        The index may lag by moments. Memory does not grow with the day: each partition is read page by page.
        """
        registration_shards = list_registration_shards(campaign_day)
        shards = [
            *list_capture_shards(campaign_day),
            *registration_shards,
            make_remnant_shard(campaign_day),
        ]
        condition = "day_shard = :shard AND day_order > :after"
        partitions = [
            self._table.query(
                condition, {":shard": shard, ":after": start_after or " "}, index=BY_CAMPAIGN_DAY
            )
            for shard in shards
        ]
        for row in merge(*partitions, key=itemgetter("day_order")):
            # A registration of an earlier release has no facts until its next change.
            if "facts" in row or row["day_shard"] not in registration_shards:
                yield self._read_day_fact(row)

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Iterator[DayFact]:
        """Yield the facts of the captures of `campaign_day`, in no order. No registration is read.

        Nothing is unsealed: the export has no key for it. A remnant that cannot be read may be that of a
        registration.
        """
        for shard in (*list_capture_shards(campaign_day), make_remnant_shard(campaign_day)):
            for row in self._table.query("day_shard = :shard", {":shard": shard}, index=BY_CAMPAIGN_DAY):
                if not _has_registration_facts(row) and not has_unusual_client_facts(row):
                    yield self._read_day_fact(row)

    def list_by_campaign_day(
        self, campaign_day: CampaignDay, *, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        """Return a page of a campaign day's registrations, by time of capture."""
        return self._query_page(
            BY_CAMPAIGN_DAY, "day", list_registration_shards(campaign_day), start_after, page_size
        )

    def list_by_status(
        self, status: Status, *, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        """Return a page of the registrations in one status, by time of the last change of status."""
        return self._query_page(BY_STATUS, "status", list_status_shards(status), start_after, page_size)

    def iter_device_sequences(self, client_id: str, *, start_after: int = 0) -> Iterator[int]:
        for values in self._table.query(
            "client_id = :id AND device_sequence > :after",
            {":id": client_id, ":after": start_after},
            index=BY_DEVICE_SEQUENCE,
        ):
            yield int(values["device_sequence"])

    def find_last_device_sequence(self, client_id: str) -> int | None:
        newest = self._table.query(
            "client_id = :id", {":id": client_id}, index=BY_DEVICE_SEQUENCE, page_size=1, is_descending=True
        )
        return next((int(values["device_sequence"]) for values in newest), None)

    def find_latest_capture(self, client_id: str) -> LatestCapture | None:
        rows = self._table.query(
            "client_id = :id",
            {":id": client_id},
            index=BY_DEVICE_SEQUENCE,
            page_size=_LATEST_ROWS,
            is_descending=True,
        )
        for row in islice(rows, _LATEST_ROWS):
            # A capture that the device gave up has a number, too.
            values = self._table.get({"pk": row["pk"], "sk": row["sk"]}) or {}
            if row["sk"] == CAPTURE_SORT_KEY and "taken" in values:
                return parse_latest_capture(values["taken"])
        return None

    def _query_page(
        self,
        index: str,
        key_prefix: str,
        shards: Sequence[str],
        start_after: Position | None,
        page_size: int,
    ) -> Page[Registration]:
        condition = f"{key_prefix}_shard = :shard AND {key_prefix}_order > :after"
        rows = [
            row
            for shard in shards
            for row in islice(
                self._table.query(
                    condition,
                    {":shard": shard, ":after": start_after or " "},
                    index=index,
                    page_size=page_size + 1,
                ),
                page_size + 1,
            )
        ]
        rows.sort(key=lambda row: str(row[f"{key_prefix}_order"]))
        keys = [{"pk": row["pk"], "sk": row["sk"]} for row in rows[:page_size]]
        unreadable: list[str] = []
        registrations = {
            pk: registration
            for pk, registration in iter_readable(
                self._parse_unless_destroyed, self._table.get_many(keys), unreadable.append
            )
            if registration is not None
        }
        page_rows = list(self._cut_by_events(rows[:page_size], registrations))
        return Page(
            rows=[registrations[row["pk"]] for row in page_rows if row["pk"] in registrations],
            last_position=Position(page_rows[-1][f"{key_prefix}_order"]) if page_rows else None,
            has_more=len(rows) > len(page_rows),
            unreadable=[parse_registration_pk(row["pk"]) for row in page_rows if row["pk"] in unreadable],
        )

    def _parse_unless_destroyed(self, values: Mapping[str, Any]) -> tuple[str, Registration | None]:
        try:
            return values["pk"], parse_registration(values, self._cipher)
        except RegistrationDestroyed:
            # The index may lag behind the table.
            return values["pk"], None

    def _cut_by_events(
        self, rows: Iterable[Values], registrations: Mapping[str, Registration]
    ) -> Iterator[Values]:
        """Yield the first row, and the next ones until their histories have too many events for a page."""
        event_count = 0
        for number, row in enumerate(rows):
            registration = registrations.get(row["pk"])
            event_count += 0 if registration is None else len(registration.lifecycle.history)
            if number and event_count > self._max_page_events:
                return
            yield row

    def _read_day_fact(self, row: Values) -> DayFact:
        unreadable = DayFact(Position(row["day_order"]), UnreadableFacts())
        return next(iter_readable(self._parse_day_fact, [row]), unreadable)

    def _parse_day_fact(self, row: Mapping[str, Any]) -> DayFact:
        # The order of a remnant has no instant.
        instant, has_instant, _ = row["day_order"].partition("#")
        return DayFact(
            position=Position(row["day_order"]),
            facts=self._parse_facts(row),
            captured_at=datetime.fromisoformat(instant) if has_instant else None,
        )

    def _parse_facts(self, row: Mapping[str, Any]) -> CaptureFacts | RegistrationFacts | UnusualClientFacts:
        if _has_registration_facts(row):
            return parse_registration_facts(row["facts"], row["pk"], self._cipher)
        if has_unusual_client_facts(row):
            return parse_unusual_client_facts(row["facts"])
        return parse_capture_facts(row["facts"])


def _has_registration_facts(row: Mapping[str, Any]) -> bool:
    facts = row.get("facts")
    return isinstance(facts, Mapping) and "figures" in facts
