"""Opt-outs in DynamoDB, in the sending table.

OPTOUT#<keyed hash of the phone>    the last opt-out of a phone, lifted or not
"""

from datetime import datetime
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import ConditionFailed, Table, Write
from chalicelib.clock import to_timestamp
from chalicelib.messaging.opt_outs import OptOut

_IS_LIFTED = "attribute_exists(lifted_at)"


class DynamoOptOutStore:
    """Satisfies `messaging.opt_outs.OptOutStore`."""

    def __init__(self, client: Any, table: str) -> None:
        self._table = Table(client, table)

    def record(self, phone_hash: str, *, occurred_at: datetime, source: str) -> None:
        timestamp = to_timestamp(occurred_at)
        self._table.try_run(
            self._table.put(
                {**_build_key(phone_hash), "at": timestamp, "source": source},
                "attribute_not_exists(pk) OR lifted_at < :at",
                compared={":at": timestamp},
            )
        )

    def lift(self, phone_hash: str, *, occurred_at: datetime, lifted_by: str) -> bool:
        changes = {"lifted_at": to_timestamp(occurred_at), "lifted_by": lifted_by}
        write = self._table.update(
            _build_key(phone_hash),
            "SET lifted_at = :at, lifted_by = :by",
            f"attribute_exists(pk) AND NOT {_IS_LIFTED}",
            compared={":at": changes["lifted_at"], ":by": lifted_by},
            returns_current=True,
        )
        try:
            self._table.run(write)
        except ConditionFailed as failed:
            # The SDK repeats a write whose answer was lost, and the condition then fails by the first write.
            return failed.current.items() >= changes.items()
        return True

    def find(self, phone_hash: str) -> OptOut | None:
        values = self._table.get(_build_key(phone_hash))
        if values is None:
            return None
        lifted_at = values.get("lifted_at")
        return OptOut(
            opted_out_at=datetime.fromisoformat(values["at"]),
            source=values["source"],
            lifted_at=None if lifted_at is None else datetime.fromisoformat(lifted_at),
            lifted_by=values.get("lifted_by"),
        )

    def has_opted_out(self, phone_hash: str) -> bool:
        opt_out = self.find(phone_hash)
        return opt_out is not None and opt_out.is_in_force


def build_opt_out_check(table: Table, phone_hash: str) -> Write:
    """Return the part of a transaction that fails if an opt-out of the phone is in force."""
    return table.check(_build_key(phone_hash), f"attribute_not_exists(pk) OR {_IS_LIFTED}")


def _build_key(phone_hash: str) -> Values:
    return {"pk": f"OPTOUT#{phone_hash}"}
