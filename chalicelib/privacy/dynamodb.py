"""Wrapped data keys in DynamoDB."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

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
            yield WrappedKey(purpose=purpose, key_id=item["key_id"], wrapped=item["wrapped"])

    def add(self, key: WrappedKey) -> bool:
        """Store a key under a new id; False if that id stands already, which is then left as it is."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item({"purpose": key.purpose, "key_id": key.key_id, "wrapped": key.wrapped}),
                ConditionExpression="attribute_not_exists(key_id)",
            )
        except ClientError as error:
            if condition_failed(error):
                return False
            raise
        return True
