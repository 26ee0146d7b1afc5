"""The SMS ledger in DynamoDB: its own table (see `store_items`), and limits in the sending table.

BUDGET#<campaign id>#<day>                 rupiah committed of that day's budget
PHONE#<keyed hash of the phone>#<day>      SMS counted for a phone on one of its days
"""

import heapq
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import ConditionFailed, Table, TransactionFailed, Write, expires_after
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.conflicts import WriteConflict
from chalicelib.messaging.model import SmsId
from chalicelib.notifications import store_dialogues
from chalicelib.notifications.counting import SmsFacts
from chalicelib.notifications.errors import (
    BudgetExhausted,
    DailyLimitReached,
    PhoneOptedOut,
    StaleRevision,
)
from chalicelib.notifications.model import SendLimits, Sms
from chalicelib.notifications.store_items import (
    BY_CAMPAIGN_DAY,
    BY_DUE,
    HELD_SHARD,
    REVISION_UNCHANGED,
    SHARD_COUNT,
    build_day_shard,
    build_due_shard,
    build_item,
    build_key,
    parse_facts,
    parse_item,
)
from chalicelib.notifications.store_opt_outs import build_opt_out_check
from chalicelib.notifications.templates import SmsKind
from chalicelib.records import iter_readable

# Longer than a day lasts in any time zone.
_PHONE_COUNT_RETENTION = timedelta(days=3)


class DynamoSmsLedger:
    """Satisfies the ledger Protocols of `service`, `due_sms` and `counting`.

    Every single write has an id of its own: if its answer is lost, the SDK repeats it, and the first write
    must not be taken for another process's. Transactions have the SDK's token for that.
    """

    def __init__(
        self, client: Any, *, sms_table: str, sending_table: str, new_write_id: Callable[[], str]
    ) -> None:
        self._sms_table = Table(client, sms_table)
        self._sending_table = Table(client, sending_table)
        self._new_write_id = new_write_id

    def get(self, sms_id: SmsId) -> Sms | None:
        values = self._sms_table.get(build_key(sms_id))
        return None if values is None else parse_item(values)

    def get_or_create(self, sms: Sms) -> Sms:
        current = self._put(sms, "attribute_not_exists(sms_id)")
        return sms if current is None else parse_item(current)

    def update(self, sms: Sms, *, previous: Sms) -> bool:
        if sms.committed == previous.committed:
            current = self._put(sms, REVISION_UNCHANGED, compared={":revision": previous.revision})
            return current is None
        try:
            self._sms_table.transact(
                [
                    self._build_put(sms, previous),
                    build_budget_update(self._sending_table, sms, previous, limit=None),
                ]
            )
        except TransactionFailed as failed:
            if 0 in failed.current:
                return False
            raise WriteConflict from failed
        return True

    def claim(self, sms: Sms, *, previous: Sms, limits: SendLimits) -> None:
        if limits.budget is not None and sms.committed - previous.committed > limits.budget:
            raise BudgetExhausted
        writes: list[tuple[Write, type[Exception]]] = [
            (self._build_put(sms, previous), StaleRevision),
            (build_opt_out_check(self._sending_table, sms.phone_hash), PhoneOptedOut),
        ]
        if sms.counted_on is not None and sms.counted_on != previous.counted_on:
            count = self._build_phone_count(sms.phone_hash, sms.counted_on, limit=limits.sms_per_day)
            writes.append((count, DailyLimitReached))
        if sms.committed != previous.committed:
            budget = build_budget_update(self._sending_table, sms, previous, limit=limits.budget)
            writes.append((budget, BudgetExhausted))
        try:
            self._sms_table.transact([write for write, _ in writes])
        except TransactionFailed as failed:
            if failed.current:
                raise writes[min(failed.current)][1] from None
            raise WriteConflict from failed

    def iter_due(self, kind: SmsKind, now: datetime) -> Iterator[SmsId]:
        # Merged, so that a run without time for all of them leaves the newest, and not those of one shard.
        shards = (
            self._iter_due_rows(
                "due_shard = :shard AND due_at <= :now",
                {":shard": build_due_shard(kind, shard), ":now": to_timestamp(now)},
            )
            for shard in range(SHARD_COUNT)
        )
        for row in heapq.merge(*shards, key=lambda row: row["due_at"]):
            yield SmsId(row["sms_id"])

    def iter_held(self) -> Iterator[SmsId]:
        for row in self._iter_due_rows("due_shard = :shard", {":shard": HELD_SHARD}):
            yield SmsId(row["sms_id"])

    def get_committed(self, campaign_id: str, day: date) -> int:
        values = self._sending_table.get(_build_budget_key(campaign_id, day))
        return 0 if values is None else int(values["committed"])

    def iter_day_facts(self, campaign_day: CampaignDay) -> Iterator[SmsFacts]:
        """Yield the facts of each SMS to registrations of a campaign day. The index may lag by moments."""
        for shard in range(SHARD_COUNT):
            values = {":shard": build_day_shard(campaign_day, shard)}
            yield from iter_readable(
                parse_facts, self._sms_table.query("day_shard = :shard", values, index=BY_CAMPAIGN_DAY)
            )

    def add_dialogue_message(
        self, campaign_day: CampaignDay, channel: str, *, price: int, chat_key: str
    ) -> None:
        """Count one message of a dialogue, which is about no registration yet."""
        store_dialogues.add_dialogue_message(
            self._sms_table, campaign_day, channel, price=price, chat_key=chat_key
        )

    def _iter_due_rows(self, condition: str, values: Values) -> Iterator[Values]:
        return self._sms_table.query(condition, values, index=BY_DUE)

    def _put(self, sms: Sms, condition: str, *, compared: Values | None = None) -> Values | None:
        """Return the values that failed the condition, empty if there is no item; None if it was stored."""
        write_id = self._new_write_id()
        item = {**build_item(sms), "write_id": write_id}
        try:
            self._sms_table.run(self._sms_table.put(item, condition, compared=compared, returns_current=True))
        except ConditionFailed as failed:
            return None if failed.current.get("write_id") == write_id else failed.current
        return None

    def _build_put(self, sms: Sms, previous: Sms) -> Write:
        return self._sms_table.put(
            build_item(sms), REVISION_UNCHANGED, compared={":revision": previous.revision}
        )

    def _build_phone_count(self, phone_hash: str, day: date, *, limit: int) -> Write:
        return self._sending_table.update(
            {"pk": f"PHONE#{phone_hash}#{day.isoformat()}"},
            "SET expires_at = :then ADD texts :one",
            "attribute_not_exists(texts) OR texts < :most",
            compared={":one": 1, ":most": limit, ":then": expires_after(day, _PHONE_COUNT_RETENTION)},
        )


def build_budget_update(table: Table, sms: Sms, previous: Sms, *, limit: int | None) -> Write:
    """Return the write that adds the difference between two revisions to the committed budget of the day."""
    if sms.budget_day is None:
        raise ValueError("an SMS with committed budget has a budget day")
    difference = sms.committed - previous.committed
    key = _build_budget_key(sms.campaign_id, sms.budget_day)
    if limit is None:
        return table.update(key, "ADD committed :more", compared={":more": difference})
    return table.update(
        key,
        "ADD committed :more",
        "attribute_not_exists(committed) OR committed <= :room",
        compared={":more": difference, ":room": limit - difference},
    )


def _build_budget_key(campaign_id: str, day: date) -> Values:
    return {"pk": f"BUDGET#{campaign_id}#{day.isoformat()}"}
