"""Clients in DynamoDB, and the attempts of each to register workers in a day.

CLIENT#<id>      CLIENT       the client, with the hashes of its tokens
CLIENT#<id>      DAY#<day>    the numbers of its attempts, and of unusual ones; expires
CLIENT#<id>      MINUTE#<m>   the number of captures of a kiosk in a minute; expires
TOKEN#<hash>     TOKEN        the client as it is for this token
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.audit.model import Action, AuditRecord, Subject
from chalicelib.aws.items import Values
from chalicelib.aws.table import MAX_ID_LENGTH, Table, TransactionFailed, Write, expires_after
from chalicelib.callers import Channel, DailyCap, DeviceMode, Role
from chalicelib.clients.caps import AttemptCounts
from chalicelib.clients.errors import ClientExists, ClientRevoked, ClientUnknown, TokenUnknown
from chalicelib.clients.model import Client
from chalicelib.clients.service import TokenHash
from chalicelib.clients.store_keys import make_client_key, make_token_key
from chalicelib.clients.store_uses import parse_token_use
from chalicelib.clock import from_optional_timestamp, to_expiry, to_optional_timestamp, to_timestamp
from chalicelib.records import iter_readable
from chalicelib.refusals import TryAgain

_BY_LISTING = "by_listing"
_LISTING = "clients"

# The newest tokens that stay good for the overlap of a rotation, so that a rotation whose answer was lost can
# be repeated, and a device enrolled again; a rotation ends older ones at once.
_MAX_OLDER_TOKENS = 20

# Ended tokens are refused as revoked, not as unknown, for this long.
_ENDED_TOKEN_RETENTION = timedelta(days=30)

# A day ends at another instant in each zone; its count is useless after that.
_COUNT_RETENTION = timedelta(days=3)

_ADD_COUNTS = (
    "SET expires_at = :expires_at ADD attempts :total, known :known, refused :refused, capped :capped"
)

_ADD_CAPTURES = "SET expires_at = :expires_at ADD captures :number"

# In the order of `AttemptCounts`.
_COUNTED = ("attempts", "known", "refused", "capped")

_NEVER = to_timestamp(datetime.max.replace(tzinfo=UTC))

_IF_NEW = "attribute_not_exists(pk)"
_IF_EXISTS = "attribute_exists(pk)"
_IF_NOT_SEEN_SINCE = f"{_IF_EXISTS} AND (attribute_not_exists(last_seen_at) OR last_seen_at <= :since)"
_SET_LAST_SEEN = "SET last_seen_at = :at"


class DynamoClients:
    """Satisfies `service.Clients`.

    Both items of a client hold all of it, so that the authorizer needs one read.
    """

    def __init__(
        self,
        client: Any,
        table_name: str,
        build_audit_write: Callable[[AuditRecord], Write],
    ) -> None:
        """`build_audit_write` makes the write that records a change, whoever makes the change."""
        self._table = Table(client, table_name)
        self._build_audit_write = build_audit_write

    def add(self, client: Client, token: TokenHash) -> None:
        values = {**_to_values(client), "token_hash": str(token)}
        listed = {**make_client_key(client.client_id), **values, "listing": _LISTING}
        try:
            self._table.transact(
                [
                    self._table.put(listed, _IF_NEW),
                    self._table.put({**make_token_key(token), **values}, _IF_NEW),
                    *self._build_record(client, Action.ENROLLED, client.enrolled_by, client.enrolled_at),
                ]
            )
        except TransactionFailed as failed:
            if failed.current:
                raise ClientExists(client.client_id) from None
            raise TryAgain("another enrolment was in the way") from None

    def get_by_token(self, token: TokenHash) -> Client:
        values = self._table.get(make_token_key(token))
        if values is None:
            raise TokenUnknown("no client holds it")
        client = _to_client(values)
        if client.link_id is None:
            return client
        # Its client does not know it, so that it takes no part in a rotation or a revocation.
        return replace(client, revoked_at=self.get(client.client_id).revoked_at)

    def add_link_token(self, client: Client, token: TokenHash) -> None:
        values = {
            **make_token_key(token),
            **_to_values(client),
            "expires_at": _find_removal(client.expires_at),
        }
        self._table.run(self._table.put(values, _IF_NEW))

    def get(self, client_id: str) -> Client:
        # DynamoDB answers a key that is too long with an error that would look like a fault of ours.
        if len(client_id) > MAX_ID_LENGTH:
            raise ClientUnknown("longer than any id")
        return _to_client(self._get_values(client_id))

    def rotate(self, client: Client, token: TokenHash, *, older_tokens_end_at: datetime) -> None:
        stored = self._get_values(client.client_id)
        current = {"token_hash": stored["token_hash"], "ends_at": stored.get("token_expires_at", _NEVER)}
        now, end = to_optional_timestamp(client.rotated_at), to_timestamp(older_tokens_end_at)
        ending = [
            {**each, "ends_at": min(each["ends_at"], end)}
            for each in (current, *stored.get("older_tokens", []))
            if each["ends_at"] > now
        ]
        kept, dropped = ending[:_MAX_OLDER_TOKENS], ending[_MAX_OLDER_TOKENS:]
        new_values = {
            ":token": str(token),
            ":older": kept,
            ":now": now,
            ":who": client.rotated_by,
            ":ends_at": to_optional_timestamp(client.expires_at),
            ":authorised_at": to_timestamp(client.last_authorised_at),
            ":mode": client.mode or client.device_mode,
            ":previous": stored["token_hash"],
        }
        try:
            self._table.transact(
                [
                    self._table.update(
                        make_client_key(client.client_id),
                        "SET token_hash = :token, older_tokens = :older, rotated_at = :now, "
                        "rotated_by = :who, token_expires_at = :ends_at, authorised_at = :authorised_at,"
                        " device_mode = :mode",
                        "token_hash = :previous AND attribute_not_exists(revoked_at)",
                        compared=new_values,
                    ),
                    self._table.put({**make_token_key(token), **_to_values(client)}, _IF_NEW),
                    *(self._end_token(each["token_hash"], each["ends_at"]) for each in kept),
                    *(self._end_token(each["token_hash"], str(now)) for each in dropped),
                    *self._build_record(client, Action.ROTATED, client.rotated_by, client.rotated_at),
                ]
            )
        except TransactionFailed as failed:
            if failed.current and self.get(client.client_id).revoked_at is not None:
                raise ClientRevoked(client.client_id) from None
            raise TryAgain("its token was replaced at the same time") from None

    def revoke(self, client: Client) -> None:
        stored = self._get_values(client.client_id)
        now = to_optional_timestamp(client.revoked_at)
        # An older token that has ended is refused anyway, and its item may have expired.
        valid = [each["token_hash"] for each in stored.get("older_tokens", []) if each["ends_at"] > now]
        set_revoked = (
            "SET revoked_at = if_not_exists(revoked_at, :now), revoked_by = if_not_exists(revoked_by, :who)"
        )
        values = {":now": now, ":who": client.revoked_by}
        try:
            self._table.transact(
                [
                    self._table.update(
                        make_client_key(client.client_id),
                        set_revoked,
                        "token_hash = :previous",
                        compared={**values, ":previous": stored["token_hash"]},
                    ),
                    *(
                        self._table.update(make_token_key(each), set_revoked, _IF_EXISTS, compared=values)
                        for each in (stored["token_hash"], *valid)
                    ),
                    *self._build_record(client, Action.REVOKED, client.revoked_by, client.revoked_at),
                ]
            )
        except TransactionFailed:
            raise TryAgain("its token was replaced at the same time") from None

    def iter_after(self, client_id: str, *, page_size: int) -> Iterator[Client]:
        return iter_readable(
            _to_client,
            self._table.query(
                "listing = :listing AND client_id > :after",
                {":listing": _LISTING, ":after": client_id},
                index=_BY_LISTING,
                page_size=page_size,
            ),
        )

    def _get_values(self, client_id: str) -> Values:
        values = self._table.get(make_client_key(client_id))
        if values is None:
            raise ClientUnknown(client_id)
        return values

    def _build_record(
        self, client: Client, action: Action, client_id: str | None, occurred_at: datetime | None
    ) -> list[Write]:
        if client_id is None or occurred_at is None:
            return []
        subject = Subject.client(client.client_id)
        return [self._build_audit_write(AuditRecord(subject, action, client_id, occurred_at))]

    def _end_token(self, token: TokenHash, ends_at: str) -> Write:
        return self._table.update(
            make_token_key(token),
            "SET token_expires_at = :ends_at, expires_at = :expires_at",
            _IF_EXISTS,
            compared={":ends_at": ends_at, ":expires_at": _find_removal(datetime.fromisoformat(ends_at))},
        )


class DynamoDayCounts:
    """Satisfies `caps.DayCounts`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def add(self, client_id: str, day: date, counts: AttemptCounts) -> AttemptCounts:
        """Add `counts` to those of a client's day and return the sums. Nothing to add only reads."""
        key = {"pk": f"CLIENT#{client_id}", "sk": f"DAY#{day.isoformat()}"}
        if counts == AttemptCounts():
            stored = self._table.get(key) or {}
        else:
            numbers = {f":{name}": number for name, number in vars(counts).items()}
            added = self._table.update(
                key,
                _ADD_COUNTS,
                compared={**numbers, ":expires_at": expires_after(day, _COUNT_RETENTION)},
            )
            stored = self._table.run(added, returns="ALL_NEW")
        return AttemptCounts(*(int(stored.get(name, 0)) for name in _COUNTED))


class DynamoMinuteCounts:
    """Satisfies `kiosk_cap.MinuteCounts`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def add(self, client_id: str, minute: datetime, number: int) -> int:
        """Add a number of captures to those of a minute. Return the sum."""
        key = {"pk": f"CLIENT#{client_id}", "sk": f"MINUTE#{to_timestamp(minute)}"}
        values = {":number": number, ":expires_at": expires_after(minute.date(), _COUNT_RETENTION)}
        return int(
            self._table.run(self._table.update(key, _ADD_CAPTURES, compared=values), returns="ALL_NEW")[
                "captures"
            ]
        )


class DynamoLastSeenStore:
    """Satisfies `service.LastSeenStore`. It writes one attribute; its role may write no other."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def record_call(
        self, client_id: str, token: TokenHash, *, occurred_at: datetime, unless_seen_since: datetime
    ) -> None:
        seen = {":at": to_timestamp(occurred_at)}
        since = {":since": to_timestamp(unless_seen_since)}
        try:
            self._table.transact(
                [
                    self._table.update(
                        make_token_key(token), _SET_LAST_SEEN, _IF_NOT_SEEN_SINCE, compared={**seen, **since}
                    ),
                    self._table.update(make_client_key(client_id), _SET_LAST_SEEN, _IF_EXISTS, compared=seen),
                ]
            )
        except TransactionFailed as failed:
            if not failed.current:
                raise


def _find_removal(ends_at: datetime | None) -> int | None:
    """Return when the item of an ended token is removed, as DynamoDB's TTL wants it."""
    return None if ends_at is None else to_expiry(ends_at + _ENDED_TOKEN_RETENTION)


def _to_values(client: Client) -> Values:
    return {
        "client_id": client.client_id,
        "roles": sorted(client.roles),
        "channel": str(client.channel),
        "campaigns": sorted(client.campaigns),
        "enrolled_at": to_timestamp(client.enrolled_at),
        # Not the table's TTL attribute: a client is kept after its token has expired.
        "token_expires_at": to_optional_timestamp(client.expires_at),
        "revoked_at": to_optional_timestamp(client.revoked_at),
        "rotated_at": to_optional_timestamp(client.rotated_at),
        "last_seen_at": to_optional_timestamp(client.last_seen_at),
        "enrolled_by": client.enrolled_by,
        "revoked_by": client.revoked_by,
        "rotated_by": client.rotated_by,
        "daily_cap": None if client.daily_cap is None else asdict(client.daily_cap),
        "authorised_at": to_optional_timestamp(client.authorised_at),
        "device_mode": client.mode,
        "link_id": client.link_id,
    }


def _to_client(values: Mapping[str, Any]) -> Client:
    return Client(
        client_id=values["client_id"],
        roles=frozenset(Role(role) for role in values["roles"]),
        channel=Channel(values["channel"]),
        campaigns=frozenset(values["campaigns"]),
        enrolled_at=datetime.fromisoformat(values["enrolled_at"]),
        expires_at=from_optional_timestamp(values.get("token_expires_at")),
        revoked_at=from_optional_timestamp(values.get("revoked_at")),
        rotated_at=from_optional_timestamp(values.get("rotated_at")),
        last_seen_at=from_optional_timestamp(values.get("last_seen_at")),
        daily_cap=_to_daily_cap(values.get("daily_cap")),
        authorised_at=from_optional_timestamp(values.get("authorised_at")),
        mode=DeviceMode(values["device_mode"]) if "device_mode" in values else None,
        link_id=values.get("link_id"),
        enrolled_by=values.get("enrolled_by"),
        revoked_by=values.get("revoked_by"),
        rotated_by=values.get("rotated_by"),
        use=parse_token_use(values),
    )


def _to_daily_cap(values: Values | None) -> DailyCap | None:
    return None if values is None else DailyCap(flag=int(values["flag"]), cap=int(values["cap"]))
