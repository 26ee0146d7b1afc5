"""The ledger of texts, and what sending goes by, in two DynamoDB tables.

Texts: one item per text, under its message id; indexed by when it is due, by campaign day, and by
registration. Of a forgotten one the facts that are counted stay, under an id that leads nowhere.

Sending:
BUDGET#<campaign id>#<day>    rupiah committed of that day's budget
PHONE#<keyed hash>#<day>      texts begun for a phone on one of its days
OPTOUT#<keyed hash>           a phone that wants no texts, or that wanted none until it was lifted
LINE                          when the next slot is free, and why nothing may be sent
DELIVERY#<delivery id>        what became of a report to a manager; see `deliveries.store`
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb import (
    get_cancellation_reasons,
    is_condition_failure,
    iter_failed_conditions,
    iter_query_items,
)
from chalicelib.aws.items import Item, from_item, to_item
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.messaging.rate_limiter import RateLimited, SendingStop, SendingStopped
from chalicelib.notifications.model import OptOut, Sms, SmsId, SmsSend, SmsState
from chalicelib.notifications.service import (
    BudgetExhausted,
    DailyLimitReached,
    PhoneOptedOut,
    SendLimits,
    SmsFacts,
    StaleRevision,
    WriteConflict,
)
from chalicelib.notifications.templates import Purpose, SmsKind
from chalicelib.refusals import TryAgain

_BY_DUE = "by_due"
_BY_CAMPAIGN_DAY = "by_campaign_day"
_BY_REFERENCE = "by_reference"

# Where held texts stand among those that are due at some time.
_HELD_SHARD = "held"

# A partition of an index takes 1,000 writes a second; the sender makes ten texts a second, a relay that
# catches up some hundreds.
SHARD_COUNT = 4

# A text that is forgotten may be in a sender's hands, who moves it on a few times.
_MAX_ERASE_ATTEMPTS = 6

_REVISION_UNCHANGED = "revision = :revision"
_IN_BUDGET = "attribute_not_exists(committed) OR committed <= :room"
_OPT_OUT_LIFTED = "attribute_exists(lifted_at)"
_BELOW_DAILY_LIMIT = "attribute_not_exists(texts) OR texts < :most"

# Counts of a phone's day are of no use after it, wherever on Earth that day was.
_COUNT_RETENTION = timedelta(days=3)

Values = dict[str, Any]


class DynamoSmsLedger:
    """Satisfies `service.Ledger`.

    Every single write carries an id of its own: where the answer to one is lost, the SDK writes again, and
    must not take its own first write for another sender's. Transactions have the SDK's token for that.
    """

    def __init__(
        self, client: Any, *, sms_table: str, sending_table: str, new_write_id: Callable[[], str]
    ) -> None:
        self._client = client
        self._sms_table = sms_table
        self._sending_table = sending_table
        self._new_write_id = new_write_id

    def get(self, sms_id: SmsId) -> Sms | None:
        """One text, as it stands now."""
        found = self._client.get_item(
            TableName=self._sms_table, Key=to_item({"sms_id": sms_id}), ConsistentRead=True
        )
        return _to_sms(from_item(found["Item"])) if "Item" in found else None

    def get_or_create(self, sms: Sms) -> Sms:
        """Store a new text; what stands there then, which is another's if that was first."""
        standing = self._put(sms, condition="attribute_not_exists(sms_id)")
        return sms if standing is None else _to_sms(from_item(standing))

    def update(self, sms: Sms, *, previous: Sms) -> bool:
        """Store a text's next revision, and what it changes in the budget; False if it has moved meanwhile.

        Raises WriteConflict.
        """
        if sms.committed == previous.committed:
            return (
                self._put(sms, condition=_REVISION_UNCHANGED, values={":revision": previous.revision}) is None
            )
        try:
            self._client.transact_write_items(
                TransactItems=[
                    self._build_put(sms, previous),
                    self._build_budget_update(sms, previous, limit=None),
                ]
            )
        except ClientError as error:
            if 0 in _get_failed_conditions(error):
                return False
            raise WriteConflict from error
        return True

    def claim(self, sms: Sms, *, previous: Sms, limits: SendLimits) -> None:
        """Take a text in hand, with its money put aside, and count each copy for its phone on its day.

        All or nothing. Raises StaleRevision, PhoneOptedOut, DailyLimitReached, BudgetExhausted or WriteConflict.
        """
        if limits.budget is not None and sms.committed - previous.committed > limits.budget:
            raise BudgetExhausted
        refusals: list[tuple[Values, type[Exception]]] = [
            (self._build_put(sms, previous), StaleRevision),
            (self._build_opt_out_check(sms), PhoneOptedOut),
        ]
        if sms.counted_on is not None and sms.counted_on != previous.counted_on:
            count = self._build_phone_count(sms.phone_hash, sms.counted_on, limit=limits.sms_per_day)
            refusals.append((count, DailyLimitReached))
        if sms.committed != previous.committed:
            refusals.append((self._build_budget_update(sms, previous, limit=limits.budget), BudgetExhausted))
        try:
            self._client.transact_write_items(TransactItems=[item for item, _ in refusals])
        except ClientError as error:
            refused = sorted(_get_failed_conditions(error))
            if refused:
                raise refusals[refused[0]][1] from None
            raise WriteConflict from error

    def iter_due(self, kind: SmsKind, now: datetime) -> Iterator[SmsId]:
        """The texts that somebody must look at by now, longest due first in each shard."""
        for shard in range(SHARD_COUNT):
            yield from self._iter_ids(
                _BY_DUE,
                "due_shard = :shard AND due_at <= :now",
                {":shard": f"{kind}#{shard}", ":now": to_timestamp(now)},
            )

    def iter_held(self) -> Iterator[SmsId]:
        """The texts that wait for somebody to release them, longest held first."""
        return self._iter_ids(_BY_DUE, "due_shard = :shard", {":shard": _HELD_SHARD})

    def iter_day_facts(self, campaign_day: CampaignDay) -> Iterable[SmsFacts]:
        """What counting needs of the texts of a campaign day, by the index, which may lag by moments."""
        for shard in range(SHARD_COUNT):
            for values in iter_query_items(
                self._client,
                TableName=self._sms_table,
                IndexName=_BY_CAMPAIGN_DAY,
                KeyConditionExpression="day_shard = :shard",
                ExpressionAttributeValues=to_item({":shard": _build_day_shard(campaign_day, shard)}),
            ):
                facts = values["facts"]
                yield SmsFacts(facts["purpose"], facts["state"], int(facts["parts"]), int(facts["money"]))

    def record_opt_out(self, phone_hash: str, *, occurred_at: datetime, source: str) -> None:
        """Claim no text for this phone any more.

        Once more changes nothing, nor does what was said before an opt-out was lifted.
        """
        try:
            self._client.put_item(
                TableName=self._sending_table,
                Item=to_item(
                    {"pk": _build_opt_out_key(phone_hash), "at": to_timestamp(occurred_at), "source": source}
                ),
                ConditionExpression="attribute_not_exists(pk) OR lifted_at < :at",
                ExpressionAttributeValues=to_item({":at": to_timestamp(occurred_at)}),
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise

    def lift_opt_out(self, phone_hash: str, *, occurred_at: datetime, lifted_by: str) -> bool:
        """Let texts be claimed for this phone again; False if it has not opted out."""
        lifted = {"lifted_at": to_timestamp(occurred_at), "lifted_by": lifted_by}
        try:
            self._client.update_item(
                TableName=self._sending_table,
                Key=to_item({"pk": _build_opt_out_key(phone_hash)}),
                UpdateExpression="SET lifted_at = :at, lifted_by = :by",
                ConditionExpression=f"attribute_exists(pk) AND NOT {_OPT_OUT_LIFTED}",
                ExpressionAttributeValues=to_item({":at": to_timestamp(occurred_at), ":by": lifted_by}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise
            standing = from_item(error.response.get("Item", {}))  # type: ignore[arg-type]
            # The SDK writes again where an answer was lost, and then meets its own first write.
            return standing.items() >= lifted.items()
        return True

    def find_opt_out(self, phone_hash: str) -> OptOut | None:
        """What a phone's owner wanted last, also if it was lifted since; None if nothing was ever said."""
        found = self._client.get_item(
            TableName=self._sending_table,
            Key=to_item({"pk": _build_opt_out_key(phone_hash)}),
            ConsistentRead=True,
        )
        if "Item" not in found:
            return None
        values = from_item(found["Item"])
        return OptOut(
            opted_out_at=datetime.fromisoformat(values["at"]),
            source=values["source"],
            lifted_at=_parse_optional(values.get("lifted_at")),
            lifted_by=values.get("lifted_by"),
        )

    def has_opted_out(self, phone_hash: str) -> bool:
        """Whether a phone wants no texts."""
        opt_out = self.find_opt_out(phone_hash)
        return opt_out is not None and opt_out.is_in_force

    def iter_by_reference(self, reference: str) -> Iterator[Sms]:
        """The texts that a registration has led to; one begun this moment may not be among them yet."""
        for sms_id in self._iter_ids_by_reference(reference):
            text = self.get(sms_id)
            if text is not None:
                yield text

    def erase(self, reference: str) -> None:
        """Take away the texts of a registration; a sender who is at one of them finds it gone, and stops.

        What is counted of each stays under its campaign day, with nothing that leads to a person; the money
        put aside for an attempt that none will make now goes back into the budget. Raises TryAgain; the same
        call goes on from there.
        """
        for sms_id in self._iter_ids_by_reference(reference):
            self._erase_sms(sms_id)

    def _erase_sms(self, sms_id: SmsId) -> None:
        for _ in range(_MAX_ERASE_ATTEMPTS):
            text = self.get(sms_id)
            if text is None:
                return
            forgotten = text.free_reservation()
            # The condition is what gives money back once: whoever comes second finds no such revision.
            writes: list[Values] = [
                {
                    "Delete": {
                        "TableName": self._sms_table,
                        "Key": to_item({"sms_id": sms_id}),
                        "ConditionExpression": _REVISION_UNCHANGED,
                        "ExpressionAttributeValues": to_item({":revision": text.revision}),
                    }
                },
                {
                    "Put": {
                        "TableName": self._sms_table,
                        "Item": to_item(self._build_anonymous_item(forgotten)),
                    }
                },
            ]
            if forgotten.committed != text.committed:
                writes.append(self._build_budget_update(forgotten, text, limit=None))
            try:
                self._client.transact_write_items(TransactItems=writes)
            except ClientError as error:
                _get_failed_conditions(error)  # It moved, or is being moved, so it is read again.
            else:
                return
        raise TryAgain("a text is being sent")

    def _build_anonymous_item(self, sms: Sms) -> Values:
        # A new id, and the shard that goes with that one: the old shard would say something of the old id.
        new_id = f"forgotten-{self._new_write_id()}"
        return {
            "sms_id": new_id,
            "day_shard": _build_day_shard(CampaignDay(sms.campaign_id, sms.day), _choose_shard(new_id)),
            "facts": _build_facts(sms),
        }

    def _iter_ids_by_reference(self, reference: str) -> Iterator[SmsId]:
        return self._iter_ids(
            _BY_REFERENCE,
            "#reference = :reference",
            {":reference": reference},
            ExpressionAttributeNames={"#reference": "reference"},
        )

    def _iter_ids(self, index: str, condition: str, values: Values, **options: Any) -> Iterator[SmsId]:
        for found in iter_query_items(
            self._client,
            TableName=self._sms_table,
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            **options,
        ):
            yield SmsId(found["sms_id"])

    def _put(self, sms: Sms, *, condition: str, values: Values | None = None) -> Item | None:
        """What stood in the way, which is empty where a text was to be moved that is not there."""
        write_id = self._new_write_id()
        compared = {} if values is None else {"ExpressionAttributeValues": to_item(values)}
        try:
            self._client.put_item(
                TableName=self._sms_table,
                Item=to_item({**_to_values(sms), "write_id": write_id}),
                ConditionExpression=condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **compared,
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise
            standing: Item = error.response.get("Item", {})  # type: ignore[assignment]
            is_ours = from_item(standing).get("write_id") == write_id
            return None if is_ours else standing
        return None

    def _build_put(self, sms: Sms, previous: Sms) -> Values:
        return {
            "Put": {
                "TableName": self._sms_table,
                "Item": to_item(_to_values(sms)),
                "ConditionExpression": _REVISION_UNCHANGED,
                "ExpressionAttributeValues": to_item({":revision": previous.revision}),
            }
        }

    def _build_budget_update(self, sms: Sms, previous: Sms, *, limit: int | None) -> Values:
        if sms.budget_day is None:
            raise ValueError("money is committed on some day")
        more = sms.committed - previous.committed
        update: Values = {
            "TableName": self._sending_table,
            "Key": to_item({"pk": f"BUDGET#{sms.campaign_id}#{sms.budget_day.isoformat()}"}),
            "UpdateExpression": "ADD committed :more",
        }
        values = {":more": more}
        if limit is not None:
            update["ConditionExpression"] = _IN_BUDGET
            values[":room"] = limit - more
        return {"Update": {**update, "ExpressionAttributeValues": to_item(values)}}

    def _build_phone_count(self, phone_hash: str, day: date, *, limit: int) -> Values:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return {
            "Update": {
                "TableName": self._sending_table,
                "Key": to_item({"pk": f"PHONE#{phone_hash}#{day.isoformat()}"}),
                "UpdateExpression": "SET expires_at = :then ADD texts :one",
                "ConditionExpression": _BELOW_DAILY_LIMIT,
                "ExpressionAttributeValues": to_item(
                    {
                        ":one": 1,
                        ":most": limit,
                        ":then": int((midnight + _COUNT_RETENTION).timestamp()),
                    }
                ),
            }
        }

    def _build_opt_out_check(self, sms: Sms) -> Values:
        return {
            "ConditionCheck": {
                "TableName": self._sending_table,
                "Key": to_item({"pk": _build_opt_out_key(sms.phone_hash)}),
                "ConditionExpression": f"attribute_not_exists(pk) OR {_OPT_OUT_LIFTED}",
            }
        }


class DynamoSendRateLimiter:
    """Satisfies `pace.SendRateLimiter`: one item that every sender updates, a hundredth of what a partition bears.

    `next_free_at` is in microseconds, as a number, so that a slot is taken by one addition. The answer to each
    write is the whole item, so that a sender knows of the last resumption without asking.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self._resumed_at: datetime | None = None

    def reserve(self, duration: timedelta, *, now: datetime, max_wait: timedelta) -> datetime:
        """When to send: the next free slot. Raises Stopped or RateLimited.

        A write that the SDK repeats because its answer was lost takes two slots, and sends one text.
        """
        step, present = _to_microseconds(duration), _to_epoch_microseconds(now)
        running = "(attribute_not_exists(stopped_until) OR stopped_until <= :now)"
        behind, idle = (
            "free_at > :now AND free_at <= :latest",
            "attribute_not_exists(free_at) OR free_at <= :now",
        )
        latest = present + _to_microseconds(max_wait)
        while True:
            try:
                taken = self._update(
                    "ADD free_at :step",
                    f"{running} AND {behind}",
                    {":step": step, ":now": present, ":latest": latest},
                )
                return _from_epoch_microseconds(int(taken["free_at"]) - step)
            except _ConditionFailed as refused:
                self._raise_refusal(refused.current, present, latest)
            try:
                self._update(
                    "SET free_at = :then",
                    f"{running} AND ({idle})",
                    {":then": present + step, ":now": present},
                )
            except _ConditionFailed as refused:
                self._raise_refusal(refused.current, present, latest)
            else:
                return now

    def stop(self, stop: SendingStop) -> None:
        """Let nobody send. A stop by a gateway never shortens one by hand."""
        until = _NO_END if stop.ends_at is None else _to_epoch_microseconds(stop.ends_at)
        try:
            self._update(
                "SET stopped_until = :until, stop_reason = :reason",
                "attribute_not_exists(stopped_until) OR stopped_until < :until",
                {":until": until, ":reason": stop.reason},
            )
        except _ConditionFailed:
            return

    def resume(self, now: datetime) -> None:
        """Let everybody send again."""
        self._update(
            "SET resumed_at = :at REMOVE stopped_until, stop_reason",
            "attribute_exists(pk) OR attribute_not_exists(pk)",
            {":at": _to_epoch_microseconds(now)},
        )

    @property
    def resumed_at(self) -> datetime | None:
        """When somebody last let everybody send again, as this sender saw it when it last took a slot."""
        return self._resumed_at

    def find_stop(self, now: datetime) -> SendingStop | None:
        """Why nothing is sent now, if so."""
        found = self._client.get_item(TableName=self._table, Key=_LIMITER_KEY, ConsistentRead=True)
        return _parse_stop(from_item(found.get("Item", {})), _to_epoch_microseconds(now))

    def _raise_refusal(self, current: Values, now_microseconds: int, latest_microseconds: int) -> None:
        """Raises Stopped or RateLimited if that is why a slot was refused."""
        stop = _parse_stop(current, now_microseconds)
        if stop is not None:
            raise SendingStopped(stop.reason, stop.ends_at)
        if int(current.get("free_at", 0)) > latest_microseconds:
            raise RateLimited

    def _update(self, update: str, condition: str, values: Values) -> Values:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_LIMITER_KEY,
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_item(values),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise
            raise _ConditionFailed(from_item(error.response.get("Item", {}))) from None  # type: ignore[arg-type]
        kept = from_item(answer["Attributes"])
        self._resumed_at = _from_epoch_microseconds(int(kept["resumed_at"])) if "resumed_at" in kept else None
        return kept


_LIMITER_KEY = to_item({"pk": "LINE"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_END = 10**18


class _ConditionFailed(Exception):
    """A condition failed; `standing` is what stands there."""

    def __init__(self, current: Values) -> None:
        super().__init__()
        self.current = current


def _parse_stop(values: Values, now_microseconds: int) -> SendingStop | None:
    until = int(values.get("stopped_until", 0))
    if until <= now_microseconds:
        return None
    return SendingStop(values["stop_reason"], None if until == _NO_END else _from_epoch_microseconds(until))


def _to_microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _to_epoch_microseconds(instant: datetime) -> int:
    return _to_microseconds(instant - _EPOCH)


def _from_epoch_microseconds(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _build_opt_out_key(phone_hash: str) -> str:
    return f"OPTOUT#{phone_hash}"


def _build_day_shard(campaign_day: CampaignDay, shard: int) -> str:
    return f"{campaign_day.campaign_id}#{campaign_day.day.isoformat()}#{shard}"


def _get_failed_conditions(error: ClientError) -> set[int]:
    """Which conditions of a transaction failed; none where others were in the way.

    Anything but a cancellation rises untouched.
    """
    reasons = get_cancellation_reasons(error)
    if not reasons:
        raise error
    expected = {"None", "ConditionalCheckFailed", "TransactionConflict"}
    if any(reason.get("Code", "None") not in expected for reason in reasons):
        raise error
    return {position for position, _ in iter_failed_conditions(reasons)}


def _choose_shard(sms_id: str) -> int:
    return zlib.crc32(sms_id.encode()) % SHARD_COUNT


def _build_facts(sms: Sms) -> Values:
    """What is counted of a text."""
    return {
        "purpose": sms.purpose,
        "state": sms.state,
        "parts": sms.parts_sent,
        "money": sms.committed,
    }


def _to_values(sms: Sms) -> Values:
    shard = _choose_shard(sms.sms_id)
    is_held = sms.state is SmsState.HELD
    due_at = sms.begun_at if is_held else sms.due_at
    return {
        **asdict(sms),
        "day": sms.day.isoformat(),
        "begun_at": to_timestamp(sms.begun_at),
        "deadline": to_timestamp(sms.deadline),
        "touched_at": _format_optional(sms.touched_at),
        "budget_day": None if sms.budget_day is None else sms.budget_day.isoformat(),
        "counted_on": None if sms.counted_on is None else sms.counted_on.isoformat(),
        "sends": {gateway_id: asdict(send) for gateway_id, send in sms.sends.items()},
        "due_at": _format_optional(due_at),
        "due_shard": None if due_at is None else _HELD_SHARD if is_held else f"{sms.kind}#{shard}",
        "day_shard": _build_day_shard(CampaignDay(sms.campaign_id, sms.day), shard),
        "facts": _build_facts(sms),
    }


def _format_optional(instant: datetime | None) -> str | None:
    return None if instant is None else to_timestamp(instant)


def _to_sms(values: Values) -> Sms:
    state = SmsState(values["state"])
    return Sms(
        sms_id=SmsId(values["sms_id"]),
        reference=values["reference"],
        campaign_id=values["campaign_id"],
        day=date.fromisoformat(values["day"]),
        purpose=Purpose(values["purpose"]),
        template_version=int(values["template_version"]),
        event_version=int(values["event_version"]),
        kind=SmsKind(values["kind"]),
        phone_hash=values["phone_hash"],
        correlation_id=values["correlation_id"],
        begun_at=datetime.fromisoformat(values["begun_at"]),
        deadline=datetime.fromisoformat(values["deadline"]),
        parts=int(values["parts"]),
        price=int(values["price"]),
        state=state,
        revision=int(values["revision"]),
        due_at=None if state is SmsState.HELD else _parse_optional(values.get("due_at")),
        attempts=int(values["attempts"]),
        touched_at=_parse_optional(values.get("touched_at")),
        open_attempts=int(values["open_attempts"]),
        is_reserved=values["is_reserved"],
        is_resent=values["is_resent"],
        is_released=values["is_released"],
        budget_day=date.fromisoformat(values["budget_day"]) if "budget_day" in values else None,
        counted_on=date.fromisoformat(values["counted_on"]) if "counted_on" in values else None,
        gateway=values.get("gateway"),
        reason=values.get("reason"),
        sends={
            gateway_id: SmsSend(
                send["gateway"], SmsState(send["state"]), int(send["parts"]), int(send["price"])
            )
            for gateway_id, send in values["sends"].items()
        },
    )


def _parse_optional(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
