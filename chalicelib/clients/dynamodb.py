"""Clients in DynamoDB: one item under the client's id, one under the hash of its token."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.clients.errors import ClientExists, ClientUnknown, TokenUnknown
from chalicelib.clients.model import Channel, Client, Role
from chalicelib.clients.service import TokenHash
from chalicelib.clock import timestamp
from chalicelib.dynamodb import LONGEST_ID, cancellation_reasons, failed_conditions, from_item, pages, to_item

_BY_LISTING = "by_listing"
_LISTING = "clients"


class DynamoClients:
    """Satisfies `service.Clients`.

    Both items carry the whole client, so that one read answers the authorizer.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, client: Client, token: TokenHash) -> None:
        """Store a new client. Raises ClientExists."""
        values = {**_values(client), "token_hash": str(token)}
        try:
            self._client.transact_write_items(
                TransactItems=[
                    self._put_new({**_client_key(client.client_id), **values, "listing": _LISTING}),
                    self._put_new({**_token_key(token), **values}),
                ]
            )
        except ClientError as error:
            if any(failed_conditions(cancellation_reasons(error))):
                raise ClientExists(client.client_id) from None
            raise

    def holding(self, token: TokenHash) -> Client:
        """The client that holds a token. Raises TokenUnknown."""
        values = self._find(_token_key(token))
        if values is None:
            raise TokenUnknown("no client holds it")
        return _client(values)

    def get(self, client_id: str) -> Client:
        """Raises ClientUnknown."""
        # What a path says may be longer than any key; DynamoDB would call that an error of ours.
        if len(client_id) > LONGEST_ID:
            raise ClientUnknown("longer than any id")
        return _client(self._values_of(client_id))

    def revoke(self, client: Client) -> None:
        """Store the revocation that the client carries."""
        token = TokenHash(self._values_of(client.client_id)["token_hash"])
        values = to_item({":revoked_at": _instant(client.revoked_at)})
        self._client.transact_write_items(
            TransactItems=[
                {
                    "Update": {
                        "TableName": self._table,
                        "Key": to_item(key),
                        "UpdateExpression": "SET revoked_at = if_not_exists(revoked_at, :revoked_at)",
                        "ConditionExpression": "attribute_exists(pk)",
                        "ExpressionAttributeValues": values,
                    }
                }
                for key in (_client_key(client.client_id), _token_key(token))
            ]
        )

    def all(self) -> Iterator[Client]:
        """Every client, by id."""
        for values in pages(
            self._client,
            TableName=self._table,
            IndexName=_BY_LISTING,
            KeyConditionExpression="listing = :listing",
            ExpressionAttributeValues=to_item({":listing": _LISTING}),
        ):
            yield _client(values)

    def _values_of(self, client_id: str) -> dict[str, Any]:
        values = self._find(_client_key(client_id))
        if values is None:
            raise ClientUnknown(client_id)
        return values

    def _find(self, key: dict[str, str]) -> dict[str, Any] | None:
        found = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        return from_item(found["Item"]) if "Item" in found else None

    def _put_new(self, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": to_item(values),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }


def _client_key(client_id: str) -> dict[str, str]:
    return {"pk": f"CLIENT#{client_id}", "sk": "CLIENT"}


def _token_key(token: TokenHash) -> dict[str, str]:
    return {"pk": f"TOKEN#{token}", "sk": "TOKEN"}


def _values(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "roles": sorted(client.roles),
        "channel": str(client.channel),
        "campaigns": sorted(client.campaigns),
        "enrolled_at": timestamp(client.enrolled_at),
        # Not the table's TTL attribute: a client is kept after its token has expired.
        "token_expires_at": _instant(client.expires_at),
        "revoked_at": _instant(client.revoked_at),
    }


def _client(values: dict[str, Any]) -> Client:
    return Client(
        client_id=values["client_id"],
        roles=frozenset(Role(role) for role in values["roles"]),
        channel=Channel(values["channel"]),
        campaigns=frozenset(values["campaigns"]),
        enrolled_at=datetime.fromisoformat(values["enrolled_at"]),
        expires_at=_parsed(values.get("token_expires_at")),
        revoked_at=_parsed(values.get("revoked_at")),
    )


def _instant(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)


def _parsed(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
