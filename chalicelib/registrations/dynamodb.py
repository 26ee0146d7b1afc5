"""Captures, workers and registrations in one DynamoDB table, whose stream announces them.

CAPTURE#<capture id>       CAPTURE             what a capture came to; indexed by campaign day and by device
WORKER#<keyed hash>        OPEN                the worker's latest registration, and whether it has ended
WORKER#<keyed hash>        TOOK#<capture id>   a capture of the worker, and the registration it led to
REGISTRATION#<reference>   APPLICATION         the registration; indexed by campaign day, status and due day
LEFT#<random id>           LEFT                what is counted of a forgotten capture or registration
PHONE#<keyed hash>         DAY#<day>           how many registrations a number was given for; expires
BLANK#<reference>          BLANK               nothing, at the size of a registration; expires
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import timestamp
from chalicelib.dynamodb import (
    Item,
    cancellation_reasons,
    condition_failed,
    failed_conditions,
    from_item,
    pages,
    to_item,
)
from chalicelib.pagination import Page, Position
from chalicelib.privacy.encryption import FieldCipher
from chalicelib.refusals import TryAgain
from chalicelib.registrations import items
from chalicelib.registrations.erasing import CaptureLink, Trail
from chalicelib.registrations.errors import RegistrationUnknown, Superseded
from chalicelib.registrations.lifecycle import Status
from chalicelib.registrations.model import DayFact, Outcome, Registration
from chalicelib.registrations.reference import Reference
from chalicelib.registrations.service import (
    Capture,
    CaptureKnown,
    Contended,
    Known,
    PhoneBusy,
    PhoneCount,
    Standing,
    WorkerKnown,
)

_BY_CAMPAIGN_DAY = "by_campaign_day"
_BY_STATUS = "by_status"
_BY_DUE_DAY = "by_due_day"
_BY_DEVICE_SEQUENCE = "by_device_sequence"

# A refused capture may be mended and sent again; an accepted one never changes.
_CAPTURE_IS_NEW = "attribute_not_exists(pk) OR facts.outcome = :refused"
_NOBODY_STANDS_HERE = "attribute_not_exists(pk)"
_SAME_OPEN_REGISTRATION = "#reference = :reference AND ended = :no"
_THE_ENDED_ONE = "#reference = :reference AND ended = :yes"
_AS_IT_STANDS = "#reference = :reference AND ended = :no AND #status = :status"
_SAME_REGISTRATION = "#reference = :reference"
_NAMES = {"#reference": "reference"}
_BOTH_NAMES = {**_NAMES, "#status": "status"}
_FEWER_WERE_COUNTED = "attribute_not_exists(given) OR given < :below"

# A day ends at another instant in each zone; after that nobody asks for the count, or for a blank ever.
_DAY_KEPT = timedelta(days=3)

# The places of a transaction that takes a capture in.
_CAPTURE, _WORKER, _PHONE = 0, 1, 3

# What stays of a capture: its id, that it must not be taken in again, and its number on its device. The very
# moment it was taken would be enough to find the person in somebody's memory; what is counted of it goes on
# under an id that its sender does not know.
_FORGETTING = {
    "UpdateExpression": "REMOVE fingerprint, answer, led_to, facts, day_shard, day_order, taken.captured_at,"
    " taken.received_at, taken.officer, taken.correlation_id SET forgotten = :yes",
    "ConditionExpression": "attribute_exists(fingerprint)",
}

# What stays of an application: where it stood when, where it was taken, and what it follows.
_DESTROYING = (
    "REMOVE sealed, money, facts, worker_key, day_shard, day_order, status_shard, status_order, due_shard,"
    " due_order SET destroyed_at = :at"
)

# Each round ends unless the registration changed in that very moment.
_REMOVING_ROUNDS = 4

# Rows of a strip that are read at a time: a day is read from some strips at once, each with its own page.
_ROWS_A_PAGE = 500

# BatchGetItem takes no more keys in one request.
_KEYS_A_REQUEST = 100


class DynamoRegistrations:
    """Satisfies `service.Registrations`."""

    def __init__(self, client: Any, table: str, cipher: FieldCipher) -> None:
        self._client = client
        self._table = table
        self._cipher = cipher

    def known(self, worker_key: str, *, phone_key: str, day: date) -> Known:
        """What stands there of a worker and of a phone number, in one request.

        What is not answered counts as not standing there: the write is conditional anyway.
        """
        keys = [items.worker_key(worker_key), items.phone_key(phone_key, day)]
        answer = self._client.batch_get_item(
            RequestItems={self._table: {"Keys": [to_item(key) for key in keys], "ConsistentRead": True}}
        )
        found = {values["pk"]: values for values in map(from_item, answer["Responses"].get(self._table, []))}
        worker, phone = (found.get(key["pk"]) for key in keys)
        return Known(
            worker=None if worker is None else _standing_from(worker),
            counted=0 if phone is None else int(phone["given"]),
        )

    def find_capture(self, capture_id: str) -> Capture | None:
        """A capture that was accepted or refused before. Raises CaptureForgotten."""
        found = self._client.get_item(
            TableName=self._table, Key=to_item(items.capture_key(capture_id)), ConsistentRead=True
        )
        return items.capture_from(from_item(found["Item"]), self._cipher) if "Item" in found else None

    def add(self, registration: Registration, capture: Capture, phone: PhoneCount) -> None:
        """Store a capture and the registration it makes, and count its phone number.

        Raises CaptureKnown, CaptureForgotten, WorkerKnown, PhoneBusy or Contended. A registration that
        follows another one is stored only if that one is still the worker's latest, and has ended.
        """
        application = to_item(items.registration_values(registration, self._cipher))
        self._take_in(capture, registration.worker_key, self._put_worker(registration), application, phone)

    def add_unseen(
        self, registration: Registration, capture: Capture, phone: PhoneCount, standing: Standing | None
    ) -> None:
        """Store a capture as `add` does or, if its worker has the open registration `standing`, as a repeat.

        Neither what is asked of the store nor the work before it tells which of the two it was: a repeat
        writes the worker's item as it stands, and instead of a registration one of its size that says
        nothing. Raises CaptureKnown, WorkerKnown, PhoneBusy or Contended.
        """
        application = to_item(items.registration_values(registration, self._cipher))
        blank = {
            **to_item({**items.blank_key(registration.reference), "expires_at": _expiry(phone.day)}),
            "blank": items.blank({"M": application}),
        }
        worker, worker_key = self._put_worker(registration), registration.worker_key
        if standing is None:
            self._take_in(capture, worker_key, worker, application, phone)
        else:
            again = self._put_worker_again(registration, standing)
            self._take_in(capture, worker_key, again, blank, phone)

    def _take_in(
        self,
        capture: Capture,
        worker_key: str,
        worker: dict[str, Any],
        application: Item,
        phone: PhoneCount,
    ) -> None:
        try:
            self._client.transact_write_items(
                TransactItems=[
                    self._put_capture(capture),
                    worker,
                    self._put_item(application, _NOBODY_STANDS_HERE),
                    self._count(phone),
                    self._put_link(worker_key, capture),
                ]
            )
        except ClientError as error:
            standing = _standing(error)
            if _CAPTURE in standing:
                raise CaptureKnown(items.capture_from(standing[_CAPTURE], self._cipher)) from None
            if standing.get(_WORKER):
                raise WorkerKnown(_standing_from(standing[_WORKER])) from None
            if _PHONE in standing:
                raise PhoneBusy(int(standing[_PHONE]["given"])) from None
            # What is left is a reference already in use, or a write of another caller in the same instant.
            raise Contended from error

    def add_repeat(self, capture: Capture, *, worker_key: str) -> None:
        """Store a capture whose worker still has the open registration it names.

        Raises CaptureKnown or Contended.
        """
        try:
            self._client.transact_write_items(
                TransactItems=[
                    self._put_capture(capture),
                    {
                        "ConditionCheck": {
                            "TableName": self._table,
                            "Key": to_item(items.worker_key(worker_key)),
                            "ConditionExpression": _SAME_OPEN_REGISTRATION,
                            "ExpressionAttributeNames": _NAMES,
                            "ExpressionAttributeValues": to_item(
                                {":reference": _led_to(capture), ":no": False}
                            ),
                        }
                    },
                    self._put_link(worker_key, capture),
                ]
            )
        except ClientError as error:
            standing = _standing(error)
            if 0 in standing:
                raise CaptureKnown(items.capture_from(standing[0], self._cipher)) from None
            raise Contended from error

    def add_refusal(self, capture: Capture, *, on_campaign_day: bool) -> None:
        """Note, without anything personal, that a capture was refused.

        Raises CaptureKnown if it was accepted before.
        """
        try:
            self._client.put_item(**self._put_capture(capture, on_campaign_day=on_campaign_day)["Put"])
        except ClientError as error:
            if condition_failed(error):
                standing = from_item(error.response["Item"])  # type: ignore[typeddict-item]
                raise CaptureKnown(items.capture_from(standing, self._cipher)) from None
            raise

    def get(self, reference: Reference) -> Registration:
        """Raises RegistrationUnknown, or RegistrationDestroyed."""
        found = self._client.get_item(
            TableName=self._table, Key=to_item(items.registration_key(reference)), ConsistentRead=True
        )
        if "Item" not in found:
            raise RegistrationUnknown("no registration has this reference")
        return items.registration_from(from_item(found["Item"]), self._cipher)

    def replace(self, registration: Registration, *, was: Registration) -> None:
        """Store the next version of a registration.

        Raises Contended if it was changed meanwhile, or Superseded.
        """
        put = self._put(
            items.registration_values(registration, self._cipher),
            "version = :version",
            {":version": was.life.version},
        )
        worker = {
            "Update": {
                "TableName": self._table,
                "Key": to_item(items.worker_key(registration.worker_key)),
                "UpdateExpression": "SET #status = :status, ended = :ended",
                "ConditionExpression": _SAME_REGISTRATION,
                "ExpressionAttributeNames": _BOTH_NAMES,
                "ExpressionAttributeValues": to_item(
                    {
                        ":reference": registration.reference,
                        ":status": registration.life.status,
                        ":ended": registration.life.has_ended,
                    }
                ),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }
        try:
            self._client.transact_write_items(TransactItems=[put, worker])
        except ClientError as error:
            standing = _standing(error)
            if 0 not in standing and 1 in standing:
                raise Superseded(registration.reference) from None
            raise Contended from error

    def facts_of(self, of: CampaignDay, *, after: Position | None = None) -> Iterator[DayFact]:
        """All that counts for a campaign day, in order, from after a position.

        Read by the index, which may lag by moments. Memory does not grow with the day: each partition is read
        page by page, and an order is unique over all of them, so that one position serves them all.
        """
        condition = "day_shard = :shard AND day_order > :after"
        strips = [
            self._index(
                _BY_CAMPAIGN_DAY, condition, {":shard": shard, ":after": after or " "}, Limit=_ROWS_A_PAGE
            )
            for shard in items.counted_shards(of)
        ]
        for row in merge(*strips, key=itemgetter("day_order")):
            if items.has_facts(row):
                yield items.day_fact_from(row, self._cipher)

    def captures_of(self, of: CampaignDay) -> Iterator[DayFact]:
        """What counts of a campaign day's captures, in no order. No registration is read."""
        for shard in items.listed_capture_shards(of):
            for row in self._index(_BY_CAMPAIGN_DAY, "day_shard = :shard", {":shard": shard}):
                if items.is_of_a_capture(row):
                    yield items.day_fact_from(row, self._cipher)

    def registered_on(self, of: CampaignDay, *, after: Position | None, size: int) -> Page[Registration]:
        """The registrations of a campaign day after a position, by time of capture."""
        return self._in_order(_BY_CAMPAIGN_DAY, "day", items.registration_shards(of), after, size)

    def in_status(self, status: Status, *, after: Position | None, size: int) -> Page[Registration]:
        """The registrations in one status after a position, by the time they came into it."""
        return self._in_order(_BY_STATUS, "status", items.status_shards(status), after, size)

    def due(self, day: date) -> Iterator[Reference]:
        """The references of the registrations that time may have changed by a day."""
        before = f"{day.isoformat()}$"  # The next character after the `#` that ends the day.
        for shard in items.due_shards():
            condition = "due_shard = :shard AND due_order < :before"
            for keys in self._index(_BY_DUE_DAY, condition, {":shard": shard, ":before": before}):
                yield Reference(keys["pk"].partition("#")[2])

    def sequences_of(self, client_id: str) -> Iterator[int]:
        """The numbers of a device's captures that have arrived, in order."""
        for values in self._index(_BY_DEVICE_SEQUENCE, "client_id = :id", {":id": client_id}):
            yield int(values["device_sequence"])

    def _index(
        self, index: str, condition: str, values: dict[str, Any], **options: Any
    ) -> Iterator[dict[str, Any]]:
        return pages(
            self._client,
            TableName=self._table,
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            **options,
        )

    def _in_order(
        self, index: str, name: str, shards: Sequence[str], after: Position | None, size: int
    ) -> Page[Registration]:
        # An order is unique over the shards, so that one position serves them all.
        condition = f"{name}_shard = :shard AND {name}_order > :after"
        found = [
            row
            for shard in shards
            for row in islice(
                self._index(index, condition, {":shard": shard, ":after": after or " "}, Limit=size + 1),
                size + 1,
            )
        ]
        found.sort(key=lambda row: str(row[f"{name}_order"]))
        kept = found[:size]
        return Page(
            rows=self._fetch([{"pk": row["pk"], "sk": row["sk"]} for row in kept]),
            end=Position(kept[-1][f"{name}_order"]) if kept else None,
            has_more=len(found) > size,
        )

    def _fetch(self, keys: Sequence[dict[str, str]]) -> list[Registration]:
        fetched: dict[str, Registration] = {}
        wanted = [to_item(key) for key in keys]
        while wanted:
            answer = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": wanted[:_KEYS_A_REQUEST], "ConsistentRead": True}}
            )
            for item in answer["Responses"].get(self._table, []):
                values = from_item(item)
                fetched[values["pk"]] = items.registration_from(values, self._cipher)
            unanswered = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            wanted = [*unanswered, *wanted[_KEYS_A_REQUEST:]]
        return [fetched[key["pk"]] for key in keys if key["pk"] in fetched]

    def _put_capture(self, capture: Capture, *, on_campaign_day: bool = True) -> dict[str, Any]:
        values = items.capture_values(capture, self._cipher, on_campaign_day=on_campaign_day)
        return self._put(values, _CAPTURE_IS_NEW, {":refused": Outcome.REFUSED})

    def _put_link(self, worker_key: str, capture: Capture) -> dict[str, Any]:
        key = items.link_key(worker_key, capture.taken.capture_id)
        return self._put({**key, "reference": _led_to(capture)}, _NOBODY_STANDS_HERE)

    def _put_worker(self, registration: Registration) -> dict[str, Any]:
        values = {
            **items.worker_key(registration.worker_key),
            "reference": registration.reference,
            "status": registration.life.status,
            "ended": registration.life.has_ended,
        }
        if registration.follows is None:
            return self._put(values, _NOBODY_STANDS_HERE)
        return self._put(values, _THE_ENDED_ONE, {":reference": registration.follows, ":yes": True}, _NAMES)

    def _put_worker_again(self, registration: Registration, standing: Standing) -> dict[str, Any]:
        values = {
            **items.worker_key(registration.worker_key),
            "reference": standing.reference,
            "status": standing.status,
            "ended": False,
        }
        compared = {":reference": standing.reference, ":no": False, ":status": standing.status}
        return self._put(values, _AS_IT_STANDS, compared, _BOTH_NAMES)

    def _count(self, phone: PhoneCount) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table,
                "Key": to_item(items.phone_key(phone.phone_key, phone.day)),
                "UpdateExpression": "SET expires_at = :expires_at ADD given :one",
                "ConditionExpression": _FEWER_WERE_COUNTED,
                "ExpressionAttributeValues": to_item(
                    {":one": 1, ":below": phone.below, ":expires_at": _expiry(phone.day)}
                ),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _put(
        self,
        values: dict[str, Any],
        condition: str,
        compared: dict[str, Any] | None = None,
        names: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        return self._put_item(to_item(values), condition, compared, names)

    def _put_item(
        self,
        item: Item,
        condition: str,
        compared: dict[str, Any] | None = None,
        names: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        put = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if compared is not None:
            put["ExpressionAttributeValues"] = to_item(compared)
        if names is not None:
            put["ExpressionAttributeNames"] = names
        return {"Put": put}


def _standing_from(worker: dict[str, Any]) -> Standing:
    return Standing(Reference(worker["reference"]), Status(worker["status"]), has_ended=worker["ended"])


def _expiry(day: date) -> int:
    return int((datetime.combine(day, time(), tzinfo=UTC) + _DAY_KEPT).timestamp())


def _led_to(capture: Capture) -> Reference:
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

    def trail(self, worker_key: str) -> Trail:
        """What leads from a worker to records, as it stands this moment."""
        latest, captures = None, []
        for values in pages(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :worker",
            ExpressionAttributeValues=to_item({":worker": items.worker_key(worker_key)["pk"]}),
            ConsistentRead=True,
        ):
            reference = Reference(values["reference"])
            if values["sk"].startswith(items.LINK):
                captures.append(CaptureLink(values["sk"].removeprefix(items.LINK), reference))
            else:
                latest = reference
        return Trail(latest, tuple(captures))

    def capture(self, capture_id: str) -> Capture:
        """A capture that a worker's trail names. Raises CaptureForgotten."""
        found = self._client.get_item(
            TableName=self._table, Key=to_item(items.capture_key(capture_id)), ConsistentRead=True
        )
        return items.capture_from(from_item(found["Item"]), self._cipher)

    def forget_capture(self, worker_key: str, link: CaptureLink) -> None:
        """Leave of a capture that it must not be taken in again, and what is counted of it elsewhere; cut
        its link. Raises TryAgain.
        """
        cut = self._delete(items.link_key(worker_key, link.capture_id))
        capture = self._item(items.capture_key(link.capture_id))
        if capture is None or "fingerprint" not in capture:
            self._client.transact_write_items(TransactItems=[cut])
            return
        forget = {
            "TableName": self._table,
            "Key": to_item(items.capture_key(link.capture_id)),
            **_FORGETTING,
            "ExpressionAttributeValues": to_item({":yes": True}),
        }
        left = items.left_of_capture(capture, self._new_id())
        try:
            self._client.transact_write_items(TransactItems=[{"Update": forget}, self._leave(left), cut])
        except ClientError as error:
            _standing(error)
            raise TryAgain("the capture is being forgotten") from None

    def forget_worker(self, worker_key: str, latest: Reference) -> None:
        """Take the worker's latest registration off the worker, unless it is another one by now."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=to_item(items.worker_key(worker_key)),
                ConditionExpression=_SAME_REGISTRATION,
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues=to_item({":reference": latest}),
            )
        except ClientError as error:
            if not condition_failed(error):
                raise

    def remove(self, reference: Reference) -> None:
        """Take a registration away, but for what is counted of it. Raises TryAgain."""
        key = items.registration_key(reference)
        for _ in range(_REMOVING_ROUNDS):
            registration = self._item(key)
            if registration is None:
                return
            gone = self._delete(key, "version = :version", {":version": registration["version"]})
            if self._written([gone, *self._leaving(registration)]):
                return
        raise TryAgain("the registration is being changed")

    def destroy(self, registration: Registration, *, at: datetime) -> bool:
        """Take all that is personal out of a registration, and what is counted of it elsewhere.

        False if it was changed meanwhile.
        """
        key = items.registration_key(registration.reference)
        standing = self._item(key)
        if standing is None or "sealed" not in standing:
            return False
        destroy = {
            "Update": {
                "TableName": self._table,
                "Key": to_item(key),
                "UpdateExpression": _DESTROYING,
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": to_item(
                    {":version": registration.life.version, ":at": timestamp(at)}
                ),
            }
        }
        return self._written([destroy, *self._leaving(standing)])

    def ended_by(self, at: datetime) -> Iterator[Reference]:
        """The registrations that ended unpaid by an instant and are not destroyed yet."""
        before = f"{timestamp(at)}$"
        for shard in items.ended_shards():
            for keys in pages(
                self._client,
                TableName=self._table,
                IndexName=_BY_DUE_DAY,
                KeyConditionExpression="due_shard = :shard AND due_order < :before",
                ExpressionAttributeValues=to_item({":shard": shard, ":before": before}),
            ):
                yield Reference(keys["pk"].partition("#")[2])

    def _item(self, key: dict[str, Any]) -> dict[str, Any] | None:
        found = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        return from_item(found["Item"]) if "Item" in found else None

    def _leaving(self, registration: dict[str, Any]) -> list[dict[str, Any]]:
        """What writes down what is counted of a registration; nothing of one that has no facts yet."""
        if "facts" not in registration:
            return []
        return [self._leave(items.left_of_registration(registration, self._new_id(), self._cipher))]

    def _leave(self, left: dict[str, Any]) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": to_item(left),
                "ConditionExpression": _NOBODY_STANDS_HERE,
            }
        }

    def _delete(
        self, key: dict[str, Any], condition: str | None = None, compared: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        delete: dict[str, Any] = {"TableName": self._table, "Key": to_item(key)}
        if condition is not None and compared is not None:
            delete |= {
                "ConditionExpression": condition,
                "ExpressionAttributeValues": to_item(compared),
            }
        return {"Delete": delete}

    def _written(self, transaction: list[dict[str, Any]]) -> bool:
        """Whether a transaction was carried out; False if a condition or another writer was in the way."""
        try:
            self._client.transact_write_items(TransactItems=transaction)
        except ClientError as error:
            _standing(error)
            return False
        return True


def _standing(error: ClientError) -> dict[int, dict[str, Any]]:
    """What stands where a transaction's conditions failed.

    Anything but a cancellation rises untouched.
    """
    reasons = cancellation_reasons(error)
    if not reasons:
        raise error
    expected = {"None", "ConditionalCheckFailed", "TransactionConflict"}
    if any(reason.get("Code", "None") not in expected for reason in reasons):
        raise error
    return dict(failed_conditions(reasons))
