"""Captures, workers and registrations in one DynamoDB table, whose stream announces them.

CAPTURE#<capture id>       CAPTURE             what a capture came to; indexed by campaign day and by device
WORKER#<keyed hash>        OPEN                the worker's latest registration, and whether it has ended
WORKER#<keyed hash>        TOOK#<capture id>   a capture of the worker, and the registration it led to
REGISTRATION#<reference>   APPLICATION         the registration; indexed by campaign day, status and due day
LEFT#<random id>           LEFT                what is counted of a forgotten capture or registration
PHONE#<keyed hash>         DAY#<day>           how many registrations a number was given for; expires
DECOY#<reference>          DECOY               nothing, at the size of a registration; expires
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb import (
    get_cancellation_reasons,
    is_condition_failure,
    iter_failed_conditions,
    iter_query_items,
)
from chalicelib.aws.items import Item, from_item, to_item
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.http.pagination import Page, Position
from chalicelib.refusals import TryAgain
from chalicelib.registrations import items
from chalicelib.registrations.erasure import CaptureLink, WorkerLinks
from chalicelib.registrations.errors import RegistrationSuperseded, RegistrationUnknown
from chalicelib.registrations.intake import (
    Capture,
    CaptureExists,
    PhoneCountExceeded,
    PhoneCountIncrement,
    PriorState,
    WorkerExists,
    WorkerRecord,
    WriteConflict,
)
from chalicelib.registrations.model import DayFact, Outcome, Registration
from chalicelib.registrations.references import Reference
from chalicelib.registrations.states import Status

_BY_CAMPAIGN_DAY = "by_campaign_day"
_BY_STATUS = "by_status"
_BY_DUE_DAY = "by_due_day"
_BY_DEVICE_SEQUENCE = "by_device_sequence"

# A refused capture may be mended and sent again; an accepted one never changes.
_CAPTURE_IS_NEW = "attribute_not_exists(pk) OR facts.outcome = :refused"
_ITEM_IS_NEW = "attribute_not_exists(pk)"
_WORKER_HAS_OPEN_REGISTRATION = "#reference = :reference AND ended = :no"
_WORKER_HAS_ENDED_REGISTRATION = "#reference = :reference AND ended = :yes"
_WORKER_IS_UNCHANGED = "#reference = :reference AND ended = :no AND #status = :status"
_WORKER_HAS_REGISTRATION = "#reference = :reference"
_REFERENCE_NAME = {"#reference": "reference"}
_REFERENCE_AND_STATUS_NAMES = {**_REFERENCE_NAME, "#status": "status"}
_COUNT_IS_BELOW_LIMIT = "attribute_not_exists(given) OR given < :below"

# A day ends at another instant in each zone; after that nobody asks for the count, or for a blank ever.
_EXPIRES_AFTER = timedelta(days=3)

# The places of a transaction that takes a capture in.
_CAPTURE_INDEX, _WORKER_INDEX, _PHONE_INDEX = 0, 1, 3

# What stays of a capture: its id, that it must not be taken in again, and its number on its device. The very
# moment it was taken would be enough to find the person in somebody's memory; what is counted of it goes on
# under an id that its sender does not know.
_ERASE_CAPTURE_UPDATE = {
    "UpdateExpression": "REMOVE fingerprint, answer, #reference, facts, day_shard, day_order, taken.captured_at,"
    " taken.received_at, taken.officer, taken.correlation_id SET forgotten = :yes",
    "ConditionExpression": "attribute_exists(fingerprint)",
    "ExpressionAttributeNames": {"#reference": "reference"},
}

# What stays of an application: where it stood when, where it was taken, and what it follows.
_DESTROY_PERSONAL_FIELDS_UPDATE = (
    "REMOVE sealed, money, facts, worker_key, day_shard, day_order, status_shard, status_order, due_shard,"
    " due_order SET destroyed_at = :at"
)

# Each round ends unless the registration changed in that very moment.
_MAX_ERASE_ATTEMPTS = 4

# Rows of a strip that are read at a time: a day is read from some strips at once, each with its own page.
_QUERY_PAGE_SIZE = 500

# BatchGetItem takes no more keys in one request.
_MAX_BATCH_GET_KEYS = 100


class DynamoRegistrations:
    """Satisfies `service.RegistrationReader`."""

    def __init__(self, client: Any, table: str, cipher: FieldCipher) -> None:
        self._client = client
        self._table = table
        self._cipher = cipher

    def read_prior_state(self, worker_key: str, *, phone_key: str, day: date) -> PriorState:
        """What stands there of a worker and of a phone number, in one request.

        What is not answered counts as not standing there: the write is conditional anyway.
        """
        keys = [items.worker_key(worker_key), items.phone_key(phone_key, day)]
        answer = self._client.batch_get_item(
            RequestItems={self._table: {"Keys": [to_item(key) for key in keys], "ConsistentRead": True}}
        )
        found = {values["pk"]: values for values in map(from_item, answer["Responses"].get(self._table, []))}
        worker, phone = (found.get(key["pk"]) for key in keys)
        return PriorState(
            worker_record=None if worker is None else _parse_worker_record(worker),
            phone_count=0 if phone is None else int(phone["given"]),
        )

    def find_capture(self, capture_id: str) -> Capture | None:
        """A capture that was accepted or refused before. Raises CaptureErased."""
        found = self._client.get_item(
            TableName=self._table, Key=to_item(items.capture_key(capture_id)), ConsistentRead=True
        )
        return items.parse_capture(from_item(found["Item"]), self._cipher) if "Item" in found else None

    def add(self, registration: Registration, capture: Capture, phone_increment: PhoneCountIncrement) -> None:
        """Store a capture and the registration it makes, and count its phone number.

        Raises CaptureExists, CaptureErased, WorkerExists, PhoneCountExceeded or WriteConflict. A registration that
        follows another one is stored only if that one is still the worker's latest, and has ended.
        """
        application = to_item(items.build_registration(registration, self._cipher))
        self._write_capture(
            capture,
            registration.worker_key,
            self._build_worker_put(registration),
            application,
            phone_increment,
        )

    def add_public(
        self,
        registration: Registration,
        capture: Capture,
        phone_increment: PhoneCountIncrement,
        worker_record: WorkerRecord | None,
    ) -> None:
        """Store a capture as `add` does or, if its worker has the open registration `standing`, as a repeat.

        Neither what is asked of the store nor the work before it tells which of the two it was: a repeat
        writes the worker's item as it stands, and instead of a registration one of its size that says
        nothing. Raises CaptureExists, WorkerExists, PhoneCountExceeded or WriteConflict.
        """
        application = to_item(items.build_registration(registration, self._cipher))
        decoy = {
            **to_item(
                {
                    **items.decoy_key(registration.reference),
                    "expires_at": _compute_expiry(phone_increment.day),
                }
            ),
            "decoy": items.build_decoy_value({"M": application}),
        }
        worker, worker_key = self._build_worker_put(registration), registration.worker_key
        if worker_record is None:
            self._write_capture(capture, worker_key, worker, application, phone_increment)
        else:
            again = self._build_unchanged_worker_put(registration, worker_record)
            self._write_capture(capture, worker_key, again, decoy, phone_increment)

    def _write_capture(
        self,
        capture: Capture,
        worker_key: str,
        worker_put: dict[str, Any],
        application_item: Item,
        phone_increment: PhoneCountIncrement,
    ) -> None:
        try:
            self._client.transact_write_items(
                TransactItems=[
                    self._build_capture_put(capture),
                    worker_put,
                    self._build_item_put(application_item, _ITEM_IS_NEW),
                    self._build_phone_update(phone_increment),
                    self._build_link_put(worker_key, capture),
                ]
            )
        except ClientError as error:
            standing = _read_failed_items(error)
            if _CAPTURE_INDEX in standing:
                raise CaptureExists(items.parse_capture(standing[_CAPTURE_INDEX], self._cipher)) from None
            if standing.get(_WORKER_INDEX):
                raise WorkerExists(_parse_worker_record(standing[_WORKER_INDEX])) from None
            if _PHONE_INDEX in standing:
                raise PhoneCountExceeded(int(standing[_PHONE_INDEX]["given"])) from None
            # What is left is a reference already in use, or a write of another caller in the same instant.
            raise WriteConflict from error

    def add_repeat(self, capture: Capture, *, worker_key: str) -> None:
        """Store a capture whose worker still has the open registration it names.

        Raises CaptureExists or WriteConflict.
        """
        try:
            self._client.transact_write_items(
                TransactItems=[
                    self._build_capture_put(capture),
                    {
                        "ConditionCheck": {
                            "TableName": self._table,
                            "Key": to_item(items.worker_key(worker_key)),
                            "ConditionExpression": _WORKER_HAS_OPEN_REGISTRATION,
                            "ExpressionAttributeNames": _REFERENCE_NAME,
                            "ExpressionAttributeValues": to_item(
                                {":reference": _read_reference(capture), ":no": False}
                            ),
                        }
                    },
                    self._build_link_put(worker_key, capture),
                ]
            )
        except ClientError as error:
            standing = _read_failed_items(error)
            if 0 in standing:
                raise CaptureExists(items.parse_capture(standing[0], self._cipher)) from None
            raise WriteConflict from error

    def add_refusal(self, capture: Capture, *, on_campaign_day: bool) -> None:
        """Note, without anything personal, that a capture was refused.

        Raises CaptureExists if it was accepted before.
        """
        try:
            self._client.put_item(**self._build_capture_put(capture, on_campaign_day=on_campaign_day)["Put"])
        except ClientError as error:
            if is_condition_failure(error):
                standing = from_item(error.response["Item"])  # type: ignore[typeddict-item]
                raise CaptureExists(items.parse_capture(standing, self._cipher)) from None
            raise

    def get(self, reference: Reference) -> Registration:
        """Raises RegistrationUnknown, or RegistrationDestroyed."""
        found = self._client.get_item(
            TableName=self._table, Key=to_item(items.registration_key(reference)), ConsistentRead=True
        )
        if "Item" not in found:
            raise RegistrationUnknown("no registration has this reference")
        return items.parse_registration(from_item(found["Item"]), self._cipher)

    def replace(self, registration: Registration, *, previous: Registration) -> None:
        """Store the next version of a registration.

        Raises WriteConflict if it was changed meanwhile, or Superseded.
        """
        put = self._build_put(
            items.build_registration(registration, self._cipher),
            "version = :version",
            {":version": previous.lifecycle.version},
        )
        worker = {
            "Update": {
                "TableName": self._table,
                "Key": to_item(items.worker_key(registration.worker_key)),
                "UpdateExpression": "SET #status = :status, ended = :ended",
                "ConditionExpression": _WORKER_HAS_REGISTRATION,
                "ExpressionAttributeNames": _REFERENCE_AND_STATUS_NAMES,
                "ExpressionAttributeValues": to_item(
                    {
                        ":reference": registration.reference,
                        ":status": registration.lifecycle.status,
                        ":ended": registration.lifecycle.has_ended,
                    }
                ),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }
        try:
            self._client.transact_write_items(TransactItems=[put, worker])
        except ClientError as error:
            standing = _read_failed_items(error)
            if 0 not in standing and 1 in standing:
                raise RegistrationSuperseded(registration.reference) from None
            raise WriteConflict from error

    def iter_day_facts(
        self, campaign_day: CampaignDay, *, start_after: Position | None = None
    ) -> Iterator[DayFact]:
        """All that counts for a campaign day, in order, from after a position.

        Read by the index, which may lag by moments. Memory does not grow with the day: each partition is read
        page by page, and an order is unique over all of them, so that one position serves them all.
        """
        condition = "day_shard = :shard AND day_order > :after"
        strips = [
            self._query_index(
                _BY_CAMPAIGN_DAY,
                condition,
                {":shard": shard, ":after": start_after or " "},
                Limit=_QUERY_PAGE_SIZE,
            )
            for shard in items.counted_shards(campaign_day)
        ]
        for row in merge(*strips, key=itemgetter("day_order")):
            if items.has_facts(row):
                yield items.parse_day_fact(row, self._cipher)

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Iterator[DayFact]:
        """What counts of a campaign day's captures, in no order. No registration is read."""
        for shard in items.capture_and_remnant_shards(campaign_day):
            for row in self._query_index(_BY_CAMPAIGN_DAY, "day_shard = :shard", {":shard": shard}):
                if items.is_capture_row(row):
                    yield items.parse_day_fact(row, self._cipher)

    def list_by_campaign_day(
        self, campaign_day: CampaignDay, *, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        """The registrations of a campaign day after a position, by time of capture."""
        return self._query_page(
            _BY_CAMPAIGN_DAY, "day", items.registration_shards(campaign_day), start_after, page_size
        )

    def list_by_status(
        self, status: Status, *, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        """The registrations in one status after a position, by the time they came into it."""
        return self._query_page(_BY_STATUS, "status", items.status_shards(status), start_after, page_size)

    def iter_due(self, due_day: date) -> Iterator[Reference]:
        """The references of the registrations that time may have changed by a day."""
        before = f"{due_day.isoformat()}$"  # The next character after the `#` that ends the day.
        for shard in items.due_shards():
            condition = "due_shard = :shard AND due_order < :before"
            for keys in self._query_index(_BY_DUE_DAY, condition, {":shard": shard, ":before": before}):
                yield Reference(keys["pk"].partition("#")[2])

    def iter_device_sequences(self, client_id: str) -> Iterator[int]:
        """The numbers of a device's captures that have arrived, in order."""
        for values in self._query_index(_BY_DEVICE_SEQUENCE, "client_id = :id", {":id": client_id}):
            yield int(values["device_sequence"])

    def _query_index(
        self, index_name: str, condition: str, values: dict[str, Any], **options: Any
    ) -> Iterator[dict[str, Any]]:
        return iter_query_items(
            self._client,
            TableName=self._table,
            IndexName=index_name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            **options,
        )

    def _query_page(
        self,
        index_name: str,
        key_prefix: str,
        shards: Sequence[str],
        start_after: Position | None,
        page_size: int,
    ) -> Page[Registration]:
        # An order is unique over the shards, so that one position serves them all.
        condition = f"{key_prefix}_shard = :shard AND {key_prefix}_order > :after"
        found = [
            row
            for shard in shards
            for row in islice(
                self._query_index(
                    index_name,
                    condition,
                    {":shard": shard, ":after": start_after or " "},
                    Limit=page_size + 1,
                ),
                page_size + 1,
            )
        ]
        found.sort(key=lambda row: str(row[f"{key_prefix}_order"]))
        kept = found[:page_size]
        return Page(
            rows=self._batch_get([{"pk": row["pk"], "sk": row["sk"]} for row in kept]),
            last_position=Position(kept[-1][f"{key_prefix}_order"]) if kept else None,
            has_more=len(found) > page_size,
        )

    def _batch_get(self, keys: Sequence[dict[str, str]]) -> list[Registration]:
        fetched: dict[str, Registration] = {}
        wanted = [to_item(key) for key in keys]
        while wanted:
            answer = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": wanted[:_MAX_BATCH_GET_KEYS], "ConsistentRead": True}}
            )
            for item in answer["Responses"].get(self._table, []):
                values = from_item(item)
                fetched[values["pk"]] = items.parse_registration(values, self._cipher)
            unanswered = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            wanted = [*unanswered, *wanted[_MAX_BATCH_GET_KEYS:]]
        return [fetched[key["pk"]] for key in keys if key["pk"] in fetched]

    def _build_capture_put(self, capture: Capture, *, on_campaign_day: bool = True) -> dict[str, Any]:
        values = items.build_capture(capture, self._cipher, on_campaign_day=on_campaign_day)
        return self._build_put(values, _CAPTURE_IS_NEW, {":refused": Outcome.REFUSED})

    def _build_link_put(self, worker_key: str, capture: Capture) -> dict[str, Any]:
        key = items.link_key(worker_key, capture.capture_metadata.capture_id)
        return self._build_put({**key, "reference": _read_reference(capture)}, _ITEM_IS_NEW)

    def _build_worker_put(self, registration: Registration) -> dict[str, Any]:
        values = {
            **items.worker_key(registration.worker_key),
            "reference": registration.reference,
            "status": registration.lifecycle.status,
            "ended": registration.lifecycle.has_ended,
        }
        if registration.follows is None:
            return self._build_put(values, _ITEM_IS_NEW)
        return self._build_put(
            values,
            _WORKER_HAS_ENDED_REGISTRATION,
            {":reference": registration.follows, ":yes": True},
            _REFERENCE_NAME,
        )

    def _build_unchanged_worker_put(
        self, registration: Registration, worker_record: WorkerRecord
    ) -> dict[str, Any]:
        values = {
            **items.worker_key(registration.worker_key),
            "reference": worker_record.reference,
            "status": worker_record.status,
            "ended": False,
        }
        compared = {":reference": worker_record.reference, ":no": False, ":status": worker_record.status}
        return self._build_put(values, _WORKER_IS_UNCHANGED, compared, _REFERENCE_AND_STATUS_NAMES)

    def _build_phone_update(self, phone_increment: PhoneCountIncrement) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table,
                "Key": to_item(items.phone_key(phone_increment.phone_key, phone_increment.day)),
                "UpdateExpression": "SET expires_at = :expires_at ADD given :one",
                "ConditionExpression": _COUNT_IS_BELOW_LIMIT,
                "ExpressionAttributeValues": to_item(
                    {
                        ":one": 1,
                        ":below": phone_increment.limit,
                        ":expires_at": _compute_expiry(phone_increment.day),
                    }
                ),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _build_put(
        self,
        values: dict[str, Any],
        condition: str,
        condition_values: dict[str, Any] | None = None,
        condition_names: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        return self._build_item_put(to_item(values), condition, condition_values, condition_names)

    def _build_item_put(
        self,
        item: Item,
        condition: str,
        condition_values: dict[str, Any] | None = None,
        condition_names: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        put = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if condition_values is not None:
            put["ExpressionAttributeValues"] = to_item(condition_values)
        if condition_names is not None:
            put["ExpressionAttributeNames"] = condition_names
        return {"Put": put}


def _parse_worker_record(values: dict[str, Any]) -> WorkerRecord:
    return WorkerRecord(Reference(values["reference"]), Status(values["status"]), has_ended=values["ended"])


def _compute_expiry(day: date) -> int:
    return int((datetime.combine(day, time(), tzinfo=UTC) + _EXPIRES_AFTER).timestamp())


def _read_reference(capture: Capture) -> Reference:
    """The registration that the sender of an accepted capture was told."""
    if capture.answer is None:
        raise ValueError("an accepted capture names a registration")
    return capture.answer.reference


class DynamoWorkers:
    """Satisfies `erasing.Workers`, on the same table."""

    def __init__(self, client: Any, table: str, cipher: FieldCipher, *, new_id: Callable[[], str]) -> None:
        """`new_id` makes the ids of what is left of those who were forgotten: of nothing but chance."""
        self._client = client
        self._table = table
        self._cipher = cipher
        self._new_id = new_id

    def get_links(self, worker_key: str) -> WorkerLinks:
        """What leads from a worker to records, as it stands this moment."""
        latest, captures = None, []
        for values in iter_query_items(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :worker",
            ExpressionAttributeValues=to_item({":worker": items.worker_key(worker_key)["pk"]}),
            ConsistentRead=True,
        ):
            reference = Reference(values["reference"])
            if values["sk"].startswith(items.LINK_PREFIX):
                captures.append(CaptureLink(values["sk"].removeprefix(items.LINK_PREFIX), reference))
            else:
                latest = reference
        return WorkerLinks(latest, tuple(captures))

    def get_capture(self, capture_id: str) -> Capture:
        """A capture that a worker's trail names. Raises CaptureErased."""
        found = self._client.get_item(
            TableName=self._table, Key=to_item(items.capture_key(capture_id)), ConsistentRead=True
        )
        return items.parse_capture(from_item(found["Item"]), self._cipher)

    def erase_capture(self, worker_key: str, capture_link: CaptureLink) -> None:
        """Leave of a capture that it must not be taken in again, and what is counted of it elsewhere; cut
        its link. Raises TryAgain.
        """
        cut = self._build_delete(items.link_key(worker_key, capture_link.capture_id))
        capture = self._get_item(items.capture_key(capture_link.capture_id))
        if capture is None or "fingerprint" not in capture:
            self._client.transact_write_items(TransactItems=[cut])
            return
        forget = {
            "TableName": self._table,
            "Key": to_item(items.capture_key(capture_link.capture_id)),
            **_ERASE_CAPTURE_UPDATE,
            "ExpressionAttributeValues": to_item({":yes": True}),
        }
        left = items.build_capture_remnant(capture, self._new_id())
        try:
            self._client.transact_write_items(
                TransactItems=[{"Update": forget}, self._build_remnant_put(left), cut]
            )
        except ClientError as error:
            _read_failed_items(error)
            raise TryAgain("the capture is being forgotten") from None

    def erase_worker(self, worker_key: str, latest_reference: Reference) -> None:
        """Take the worker's latest registration off the worker, unless it is another one by now."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=to_item(items.worker_key(worker_key)),
                ConditionExpression=_WORKER_HAS_REGISTRATION,
                ExpressionAttributeNames=_REFERENCE_NAME,
                ExpressionAttributeValues=to_item({":reference": latest_reference}),
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise

    def erase_registration(self, reference: Reference) -> None:
        """Take a registration away, but for what is counted of it. Raises TryAgain."""
        key = items.registration_key(reference)
        for _ in range(_MAX_ERASE_ATTEMPTS):
            registration = self._get_item(key)
            if registration is None:
                return
            gone = self._build_delete(key, "version = :version", {":version": registration["version"]})
            if self._try_write([gone, *self._build_remnant_puts(registration)]):
                return
        raise TryAgain("the registration is being changed")

    def destroy_personal_fields(self, registration: Registration, *, destroyed_at: datetime) -> bool:
        """Take all that is personal out of a registration, and what is counted of it elsewhere.

        False if it was changed meanwhile.
        """
        key = items.registration_key(registration.reference)
        standing = self._get_item(key)
        if standing is None or "sealed" not in standing:
            return False
        destroy = {
            "Update": {
                "TableName": self._table,
                "Key": to_item(key),
                "UpdateExpression": _DESTROY_PERSONAL_FIELDS_UPDATE,
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": to_item(
                    {":version": registration.lifecycle.version, ":at": to_timestamp(destroyed_at)}
                ),
            }
        }
        return self._try_write([destroy, *self._build_remnant_puts(standing)])

    def iter_ended_unpaid(self, ended_before: datetime) -> Iterator[Reference]:
        """The registrations that ended unpaid by an instant and are not destroyed yet."""
        before = f"{to_timestamp(ended_before)}$"
        for shard in items.ended_shards():
            for keys in iter_query_items(
                self._client,
                TableName=self._table,
                IndexName=_BY_DUE_DAY,
                KeyConditionExpression="due_shard = :shard AND due_order < :before",
                ExpressionAttributeValues=to_item({":shard": shard, ":before": before}),
            ):
                yield Reference(keys["pk"].partition("#")[2])

    def _get_item(self, key: dict[str, Any]) -> dict[str, Any] | None:
        found = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        return from_item(found["Item"]) if "Item" in found else None

    def _build_remnant_puts(self, registration: dict[str, Any]) -> list[dict[str, Any]]:
        """What writes down what is counted of a registration; nothing of one that has no facts yet."""
        if "facts" not in registration:
            return []
        return [
            self._build_remnant_put(
                items.build_registration_remnant(registration, self._new_id(), self._cipher)
            )
        ]

    def _build_remnant_put(self, remnant: dict[str, Any]) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": to_item(remnant),
                "ConditionExpression": _ITEM_IS_NEW,
            }
        }

    def _build_delete(
        self,
        key: dict[str, Any],
        condition: str | None = None,
        condition_values: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        delete: dict[str, Any] = {"TableName": self._table, "Key": to_item(key)}
        if condition is not None and condition_values is not None:
            delete |= {
                "ConditionExpression": condition,
                "ExpressionAttributeValues": to_item(condition_values),
            }
        return {"Delete": delete}

    def _try_write(self, transaction: list[dict[str, Any]]) -> bool:
        """Whether a transaction was carried out; False if a condition or another writer was in the way."""
        try:
            self._client.transact_write_items(TransactItems=transaction)
        except ClientError as error:
            _read_failed_items(error)
            return False
        return True


def _read_failed_items(error: ClientError) -> dict[int, dict[str, Any]]:
    """What stands where a transaction's conditions failed.

    Anything but a cancellation rises untouched.
    """
    reasons = get_cancellation_reasons(error)
    if not reasons:
        raise error
    expected = {"None", "ConditionalCheckFailed", "TransactionConflict"}
    if any(reason.get("Code", "None") not in expected for reason in reasons):
        raise error
    return dict(iter_failed_conditions(reasons))
