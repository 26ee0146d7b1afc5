"""Wrapped data keys in DynamoDB."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.clock import timestamp
from chalicelib.dynamodb import condition_failed, pages, to_item
from chalicelib.privacy.keyring import WrappedKey


class DynamoWrappedKeys:
    """Satisfies `keyring.WrappedKeys`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def of(self, purpose: str) -> Iterator[WrappedKey]:
        """The keys of one purpose, oldest first."""
        for item in pages(
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
                Item=to_item({**asdict(key), "made_at": timestamp(key.made_at)}),
                ConditionExpression="attribute_not_exists(key_id)",
            )
        except ClientError as error:
            if condition_failed(error):
                return False
            raise
        return True

    def remove(self, key: WrappedKey) -> None:
        """Take a key away for good; the table's own recovery keeps it as long as that of the values."""
        self._client.delete_item(
            TableName=self._table,
            Key=to_item({"purpose": key.purpose, "key_id": key.key_id}),
        )
