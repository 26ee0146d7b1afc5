"""Wrapped data keys, and requests about single persons, in DynamoDB."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb import is_condition_failure, iter_query_items
from chalicelib.aws.items import from_item, to_item
from chalicelib.clock import to_timestamp
from chalicelib.crypto.keyring import WrappedKey
from chalicelib.data_requests.model import DataRequest, DataRequestType

_BY_SUBJECT = "by_subject"
_STEP_ASKED, _STEP_DONE = "asked", "done"


class DynamoWrappedKeys:
    """Satisfies `keyring.WrappedKeys`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def iter_by_purpose(self, purpose: str) -> Iterator[WrappedKey]:
        """The keys of one purpose, oldest first."""
        for item in iter_query_items(
            self._client,
            TableName=self._table,
            KeyConditionExpression="purpose = :purpose",
            ExpressionAttributeValues=to_item({":purpose": purpose}),
            ConsistentRead=True,
        ):
            yield WrappedKey(
                purpose=purpose,
                key_id=item["key_id"],
                wrapped=item["wrapped"],
                made_at=datetime.fromisoformat(item["made_at"]),
            )

    def add(self, key: WrappedKey) -> bool:
        """Store a key under a new id; False if that id stands already, which is then left as it is."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item({**asdict(key), "made_at": to_timestamp(key.made_at)}),
                ConditionExpression="attribute_not_exists(key_id)",
            )
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True

    def remove(self, key: WrappedKey) -> None:
        """Take a key away for good; the table's own recovery keeps it as long as that of the values."""
        self._client.delete_item(
            TableName=self._table,
            Key=to_item({"purpose": key.purpose, "key_id": key.key_id}),
        )


class DynamoDataRequests:
    """Satisfies `service.DataRequests`.

    <request id>   asked   what was asked, by whom, when and why, and what was found
    <request id>   done    that it was done

    Items are added and neither changed nor deleted; the functions have no permission to.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def begin(self, request: DataRequest) -> DataRequest:
        """Put a request on record; the one that stands under its id, which may be an earlier one."""
        asked = {**asdict(request), "step": _STEP_ASKED, "asked_at": to_timestamp(request.asked_at)}
        standing = self._add(asked)
        if standing is None:
            return request
        key = {"request_id": request.request_id, "step": _STEP_DONE}
        found = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        return _with_completion(_to_request(standing), from_item(found.get("Item", {})))

    def finish(self, request: DataRequest, *, occurred_at: datetime) -> DataRequest:
        """Note that it was done; as it was first noted."""
        done = {
            "request_id": request.request_id,
            "step": _STEP_DONE,
            "subject": request.subject,
            "asked_at": to_timestamp(request.asked_at),
            "done_at": to_timestamp(occurred_at),
        }
        return _with_completion(request, self._add(done) or done)

    def iter_by_subject(self, subject: str) -> Iterator[DataRequest]:
        """The requests about one person, in no order; one made this moment may be missing."""
        steps = list(
            iter_query_items(
                self._client,
                TableName=self._table,
                IndexName=_BY_SUBJECT,
                KeyConditionExpression="subject = :subject",
                ExpressionAttributeValues=to_item({":subject": subject}),
            )
        )
        done = {step["request_id"]: step for step in steps if step["step"] == _STEP_DONE}
        for step in steps:
            if step["step"] == _STEP_ASKED:
                yield _with_completion(_to_request(step), done.get(step["request_id"], {}))

    def _add(self, step: dict[str, Any]) -> dict[str, Any] | None:
        """What stands there already, or None if the step was added."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(step),
                ConditionExpression="attribute_not_exists(request_id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise
            return from_item(error.response["Item"])  # type: ignore[typeddict-item]
        return None


def _to_request(values: dict[str, Any]) -> DataRequest:
    return DataRequest(
        request_id=values["request_id"],
        act=DataRequestType(values["act"]),
        subject=values["subject"],
        fingerprint=values["fingerprint"],
        reason=values["reason"],
        client_id=values["client_id"],
        asked_at=datetime.fromisoformat(values["asked_at"]),
        registrations=int(values["registrations"]),
        captures=int(values["captures"]),
        texts=int(values["texts"]),
    )


def _with_completion(request: DataRequest, completion: dict[str, Any]) -> DataRequest:
    return replace(request, done_at=datetime.fromisoformat(completion["done_at"])) if completion else request
