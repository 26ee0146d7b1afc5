"""The ledger of texts in DynamoDB: one item per text, under its message id."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.clock import timestamp
from chalicelib.dynamodb import Item, condition_failed, from_item, pages, to_item
from chalicelib.notifications.model import MessageId, Text, TextState

_BY_REGISTRATION = "by_registration"


class DynamoLedger:
    """Satisfies `service.Ledger`.

    Every write carries an id of its own: where the answer to one is lost, the SDK writes again, and must not
    take its own first write for another sender's.
    """

    def __init__(self, client: Any, table: str, new_write_id: Callable[[], str]) -> None:
        self._client = client
        self._table = table
        self._new_write_id = new_write_id

    def begin(self, text: Text) -> Text | None:
        """Store a text whose first attempt begins now; the text that stands there already, or None if it
        was stored.
        """
        standing = self._put(text, condition="attribute_not_exists(message_id)")
        return None if standing is None else _text(from_item(standing))

    def move(self, text: Text, *, was: Text) -> bool:
        """Store a text's next state; False if it has moved meanwhile."""
        # The state alone would not do: a pending text attempted and put back is pending again.
        condition = "#state = :state AND attempts = :attempts"
        values = {":state": was.state, ":attempts": was.attempts}
        return self._put(text, condition=condition, names={"#state": "state"}, values=values) is None

    def of(self, registration: str) -> Iterator[Text]:
        """The texts that a registration has led to; one begun this moment may not be among them yet."""
        for message_id in self._ids(registration):
            found = self._client.get_item(TableName=self._table, Key=to_item({"message_id": message_id}))
            if "Item" in found:
                yield _text(from_item(found["Item"]))

    def forget(self, registration: str) -> None:
        """Take away the texts of a registration; a sender who is at one of them finds it gone, and stops."""
        for message_id in self._ids(registration):
            self._client.delete_item(TableName=self._table, Key=to_item({"message_id": message_id}))

    def _ids(self, registration: str) -> Iterator[str]:
        for keys in pages(
            self._client,
            TableName=self._table,
            IndexName=_BY_REGISTRATION,
            KeyConditionExpression="registration = :registration",
            ExpressionAttributeValues=to_item({":registration": registration}),
        ):
            yield keys["message_id"]

    def _put(
        self,
        text: Text,
        *,
        condition: str,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
    ) -> Item | None:
        """What stood in the way, which is empty where a text was to be moved that is not there."""
        write_id = self._new_write_id()
        expression = {
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": None if values is None else to_item(values),
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(
                    {**asdict(text), "attempted_at": timestamp(text.attempted_at), "write_id": write_id}
                ),
                ConditionExpression=condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **{name: value for name, value in expression.items() if value is not None},
            )
        except ClientError as error:
            if not condition_failed(error):
                raise
            standing: Item = error.response.get("Item", {})  # type: ignore[assignment]
            is_ours = from_item(standing).get("write_id") == write_id
            return None if is_ours else standing
        return None


def _text(values: dict[str, Any]) -> Text:
    return Text(
        message_id=MessageId(values["message_id"]),
        registration=values["registration"],
        campaign_id=values["campaign_id"],
        purpose=values["purpose"],
        template_version=int(values["template_version"]),
        state=TextState(values["state"]),
        attempts=int(values["attempts"]),
        attempted_at=datetime.fromisoformat(values["attempted_at"]),
        correlation_id=values["correlation_id"],
        parts=int(values["parts"]),
        gateway_id=values.get("gateway_id"),
        reason=values.get("reason"),
    )
