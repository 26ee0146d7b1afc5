"""Clients in DynamoDB, and what each was accepted in a day.

CLIENT#<id>      CLIENT       the client, with the hashes of its tokens
CLIENT#<id>      DAY#<day>    how many captures it had accepted; expires
TOKEN#<hash>     TOKEN        the client again, as of this token
"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb import (
    MAX_ID_LENGTH,
    get_cancellation_reasons,
    iter_failed_conditions,
    iter_query_items,
)
from chalicelib.aws.items import from_item, to_item
from chalicelib.callers import Channel, DailyCap, Role
from chalicelib.clients.errors import ClientExists, ClientRevoked, ClientUnknown, TokenUnknown
from chalicelib.clients.model import Client
from chalicelib.clients.service import TokenHash
from chalicelib.clock import to_timestamp
from chalicelib.refusals import TryAgain

_BY_LISTING = "by_listing"
_LISTING = "clients"

# The newest tokens that a rotation leaves good for its overlap, so that a rotation whose answer was lost can
# be sent again and again; older ones end with it.
_MAX_OLDER_TOKENS = 5

# What has ended is told apart from what never was for this long.
_ENDED_TOKEN_RETENTION = timedelta(days=30)

# A day ends at another instant in each zone, and a count is of no use after that.
_COUNT_RETENTION = timedelta(days=3)

_NEVER = to_timestamp(datetime.max.replace(tzinfo=UTC))

_SET_LAST_SEEN = "SET last_seen_at = :at"
_IF_EXISTS = "attribute_exists(pk)"
_IF_NOT_SEEN_SINCE = f"{_IF_EXISTS} AND (attribute_not_exists(last_seen_at) OR last_seen_at <= :since)"


class DynamoClients:
    """Satisfies `service.Clients`.

    Both items carry the whole client, so that one read answers the authorizer.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, client: Client, token: TokenHash) -> None:
        """Store a new client. Raises ClientExists."""
        values = {**_to_values(client), "token_hash": str(token)}
        try:
            self._client.transact_write_items(
                TransactItems=[
                    self._build_put({**_client_key(client.client_id), **values, "listing": _LISTING}),
                    self._build_put({**_token_key(token), **values}),
                ]
            )
        except ClientError as error:
            if any(iter_failed_conditions(get_cancellation_reasons(error))):
                raise ClientExists(client.client_id) from None
            raise

    def get_by_token(self, token: TokenHash) -> Client:
        """The client that holds a token. Raises TokenUnknown."""
        values = self._find(_token_key(token))
        if values is None:
            raise TokenUnknown("no client holds it")
        return _to_client(values)

    def get(self, client_id: str) -> Client:
        """Raises ClientUnknown."""
        # What a path says may be longer than any key; DynamoDB would call that an error of ours.
        if len(client_id) > MAX_ID_LENGTH:
            raise ClientUnknown("longer than any id")
        return _to_client(self._get_values(client_id))

    def rotate(self, client: Client, token: TokenHash, *, older_tokens_end_at: datetime) -> None:
        """Store a further token of a client; its older ones end then, if not before.

        Raises ClientUnknown, ClientRevoked or TryAgain.
        """
        stood = self._get_values(client.client_id)
        current = {"token_hash": stood["token_hash"], "ends_at": stood.get("token_expires_at", _NEVER)}
        older = [current, *stood.get("older_tokens", [])]
        now = _to_optional_timestamp(client.rotated_at)
        living = [each for each in older if each["ends_at"] > now]
        ending = [
            {**each, "ends_at": min(each["ends_at"], to_timestamp(older_tokens_end_at))} for each in living
        ]
        kept, dropped = ending[:_MAX_OLDER_TOKENS], ending[_MAX_OLDER_TOKENS:]
        try:
            self._client.transact_write_items(
                TransactItems=[
                    _build_update(
                        self._table,
                        _client_key(client.client_id),
                        "SET token_hash = :token, older_tokens = :older, rotated_at = :now, "
                        "token_expires_at = :ends_at",
                        {
                            ":token": str(token),
                            ":older": kept,
                            ":now": now,
                            ":ends_at": _to_optional_timestamp(client.expires_at),
                            ":stood": stood["token_hash"],
                        },
                        condition="token_hash = :stood AND attribute_not_exists(revoked_at)",
                    ),
                    self._build_put({**_token_key(token), **_to_values(client)}),
                    *(self._build_token_end(each["token_hash"], each["ends_at"]) for each in kept),
                    *(self._build_token_end(each["token_hash"], str(now)) for each in dropped),
                ]
            )
        except ClientError as error:
            if any(iter_failed_conditions(get_cancellation_reasons(error))):
                if self.get(client.client_id).revoked_at is not None:
                    raise ClientRevoked(client.client_id) from None
                raise TryAgain("its token was replaced in the same moment") from None
            raise

    def revoke(self, client: Client) -> None:
        """Store the revocation that the client carries, for every token it has.

        Raises ClientUnknown or TryAgain.
        """
        stood = self._get_values(client.client_id)
        now = _to_optional_timestamp(client.revoked_at)
        # An older token that has ended is refused as it is, and may be gone.
        living = [each["token_hash"] for each in stood.get("older_tokens", []) if each["ends_at"] > now]
        revoked, values = "SET revoked_at = if_not_exists(revoked_at, :now)", {":now": now}
        try:
            self._client.transact_write_items(
                TransactItems=[
                    _build_update(
                        self._table,
                        _client_key(client.client_id),
                        revoked,
                        {**values, ":stood": stood["token_hash"]},
                        condition="token_hash = :stood",
                    ),
                    *(
                        _build_update(self._table, _token_key(TokenHash(each)), revoked, values)
                        for each in (stood["token_hash"], *living)
                    ),
                ]
            )
        except ClientError as error:
            if any(iter_failed_conditions(get_cancellation_reasons(error))):
                raise TryAgain("its token was replaced in the same moment") from None
            raise

    def iter_all(self) -> Iterator[Client]:
        """Every client, by id."""
        for values in iter_query_items(
            self._client,
            TableName=self._table,
            IndexName=_BY_LISTING,
            KeyConditionExpression="listing = :listing",
            ExpressionAttributeValues=to_item({":listing": _LISTING}),
        ):
            yield _to_client(values)

    def _get_values(self, client_id: str) -> dict[str, Any]:
        values = self._find(_client_key(client_id))
        if values is None:
            raise ClientUnknown(client_id)
        return values

    def _find(self, key: dict[str, str]) -> dict[str, Any] | None:
        found = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        return from_item(found["Item"]) if "Item" in found else None

    def _build_token_end(self, token: str, ends_at: str) -> dict[str, Any]:
        forgotten_at = datetime.fromisoformat(ends_at) + _ENDED_TOKEN_RETENTION
        return _build_update(
            self._table,
            _token_key(TokenHash(token)),
            "SET token_expires_at = :ends_at, expires_at = :forgotten_at",
            {":ends_at": ends_at, ":forgotten_at": int(forgotten_at.timestamp())},
        )

    def _build_put(self, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": to_item(values),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }


class DynamoDayCounts:
    """Satisfies `caps.DayCounts`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, client_id: str, day: date, number: int) -> int:
        """Add to a client's count of a day, or take away; the count after that. Adding nothing only reads."""
        key = to_item({"pk": f"CLIENT#{client_id}", "sk": f"DAY#{day.isoformat()}"})
        if number == 0:
            found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
            return int(from_item(found["Item"])["accepted"]) if "Item" in found else 0
        expires_at = datetime.combine(day, time(), tzinfo=UTC) + _COUNT_RETENTION
        answer = self._client.update_item(
            TableName=self._table,
            Key=key,
            UpdateExpression="SET expires_at = :expires_at ADD accepted :number",
            ExpressionAttributeValues=to_item(
                {":number": number, ":expires_at": int(expires_at.timestamp())}
            ),
            ReturnValues="UPDATED_NEW",
        )
        return int(from_item(answer["Attributes"])["accepted"])


class DynamoLastSeenStore:
    """Satisfies `service.LastSeenStore`. Writes this one attribute, and its role may write no other."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def record_call(
        self, client_id: str, token: TokenHash, *, occurred_at: datetime, unless_seen_since: datetime
    ) -> None:
        """Store that a client called, unless it is known to have called since then."""
        seen = {":at": to_timestamp(occurred_at)}
        since = {":since": to_timestamp(unless_seen_since)}
        try:
            self._client.transact_write_items(
                TransactItems=[
                    _build_update(
                        self._table,
                        _token_key(token),
                        _SET_LAST_SEEN,
                        {**seen, **since},
                        condition=_IF_NOT_SEEN_SINCE,
                    ),
                    _build_update(self._table, _client_key(client_id), _SET_LAST_SEEN, seen),
                ]
            )
        except ClientError as error:
            if not any(iter_failed_conditions(get_cancellation_reasons(error))):
                raise


def _build_update(
    table: str, key: dict[str, str], expression: str, values: dict[str, Any], *, condition: str = _IF_EXISTS
) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": to_item(key),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
        }
    }


def _client_key(client_id: str) -> dict[str, str]:
    return {"pk": f"CLIENT#{client_id}", "sk": "CLIENT"}


def _token_key(token: TokenHash) -> dict[str, str]:
    return {"pk": f"TOKEN#{token}", "sk": "TOKEN"}


def _to_values(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "roles": sorted(client.roles),
        "channel": str(client.channel),
        "campaigns": sorted(client.campaigns),
        "enrolled_at": to_timestamp(client.enrolled_at),
        # Not the table's TTL attribute: a client is kept after its token has expired.
        "token_expires_at": _to_optional_timestamp(client.expires_at),
        "revoked_at": _to_optional_timestamp(client.revoked_at),
        "rotated_at": _to_optional_timestamp(client.rotated_at),
        "last_seen_at": _to_optional_timestamp(client.last_seen_at),
        "daily_cap": None if client.daily_cap is None else asdict(client.daily_cap),
    }


def _to_client(values: dict[str, Any]) -> Client:
    return Client(
        client_id=values["client_id"],
        roles=frozenset(Role(role) for role in values["roles"]),
        channel=Channel(values["channel"]),
        campaigns=frozenset(values["campaigns"]),
        enrolled_at=datetime.fromisoformat(values["enrolled_at"]),
        expires_at=_parse_optional_timestamp(values.get("token_expires_at")),
        revoked_at=_parse_optional_timestamp(values.get("revoked_at")),
        rotated_at=_parse_optional_timestamp(values.get("rotated_at")),
        last_seen_at=_parse_optional_timestamp(values.get("last_seen_at")),
        daily_cap=_to_daily_cap(values.get("daily_cap")),
    )


def _to_daily_cap(values: dict[str, Any] | None) -> DailyCap | None:
    return None if values is None else DailyCap(flag=int(values["flag"]), cap=int(values["cap"]))


def _to_optional_timestamp(instant: datetime | None) -> str | None:
    return None if instant is None else to_timestamp(instant)


def _parse_optional_timestamp(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
