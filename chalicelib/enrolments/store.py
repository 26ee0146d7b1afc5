"""Enrolment codes in DynamoDB, in the table of clients.

ENROLMENT#<locator hash>   ENROLMENT   the code's hash and what it is good for; expires
"""

from datetime import datetime
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import ConditionFailed, Table
from chalicelib.callers import DeviceMode
from chalicelib.clock import to_expiry, to_timestamp
from chalicelib.enrolments.errors import EnrolmentCodeUnknown
from chalicelib.enrolments.model import MAX_ATTEMPTS, ExitCode, Grant

_IF_FREE = "attribute_not_exists(pk) OR ends_at <= :now"
_IF_GOOD = "ends_at > :now AND attempts < :most"
_IF_UNUSED = "attribute_exists(pk) AND (attribute_not_exists(used_by) OR used_by = :by)"


class DynamoEnrolmentCodes:
    """Satisfies `service.EnrolmentCodes`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def add(self, locator_hash: str, code_hash: str, grant: Grant, *, now: datetime) -> bool:
        values = {
            **_make_key(locator_hash),
            "code_hash": code_hash,
            "client_id": grant.client_id,
            "device_mode": grant.mode,
            "ends_at": to_timestamp(grant.expires_at),
            "attempts": 0,
            "exit_code": None if grant.exit_code is None else vars(grant.exit_code),
            "expires_at": to_expiry(grant.expires_at),
        }
        return self._table.try_run(self._table.put(values, _IF_FREE, compared={":now": to_timestamp(now)}))

    def count_attempt(self, locator_hash: str, *, now: datetime) -> tuple[str, Grant]:
        counted = self._table.update(
            _make_key(locator_hash),
            "ADD attempts :one",
            _IF_GOOD,
            compared={":one": 1, ":now": to_timestamp(now), ":most": MAX_ATTEMPTS},
        )
        try:
            values = self._table.run(counted, returns="ALL_NEW")
        except ConditionFailed:
            raise EnrolmentCodeUnknown("none begins like this") from None
        return values["code_hash"], _to_grant(values)

    def mark_used(self, locator_hash: str, used_by: str) -> None:
        used = self._table.update(
            _make_key(locator_hash), "SET used_by = :by", _IF_UNUSED, compared={":by": used_by}
        )
        if not self._table.try_run(used):
            raise EnrolmentCodeUnknown("used before")


def _make_key(locator_hash: str) -> Values:
    return {"pk": f"ENROLMENT#{locator_hash}", "sk": "ENROLMENT"}


def _to_grant(values: Values) -> Grant:
    exit_code = values.get("exit_code")
    return Grant(
        client_id=values["client_id"],
        mode=DeviceMode(values["device_mode"]),
        expires_at=datetime.fromisoformat(values["ends_at"]),
        exit_code=exit_code
        and ExitCode(
            salt=bytes(exit_code["salt"]),
            hash=bytes(exit_code["hash"]),
            iterations=int(exit_code["iterations"]),
        ),
    )
