"""The ledger of texts, and what sending goes by, in two DynamoDB tables.

Texts: one item per text, under its message id; indexed by when it is due, by campaign day, and by
registration. Of a forgotten one the facts that are counted stay, under an id that leads nowhere.

Sending:
BUDGET#<campaign id>#<day>    rupiah committed of that day's budget
PHONE#<keyed hash>#<day>      texts begun for a phone on one of its days
OPTOUT#<keyed hash>           a phone that wants no texts, or that wanted none until it was lifted
LINE                          when the next slot is free, and why nothing may be sent
DELIVERY#<delivery id>        what became of a report to a manager; see `deliveries.dynamodb`
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import timestamp
from chalicelib.dynamodb import (
    Item,
    cancellation_reasons,
    condition_failed,
    failed_conditions,
    from_item,
    pages,
    to_item,
)
from chalicelib.notifications.model import MessageId, OptOut, Send, Text, TextState
from chalicelib.notifications.pace import LineBusy, Stop, Stopped
from chalicelib.notifications.service import (
    Brakes,
    BudgetSpent,
    Contended,
    EnoughToday,
    Moved,
    OptedOut,
    TextFacts,
)
from chalicelib.notifications.templates import Kind, Purpose
from chalicelib.refusals import TryAgain

_BY_DUE = "by_due"
_BY_CAMPAIGN_DAY = "by_campaign_day"
_BY_REGISTRATION = "by_registration"

# Where held texts stand among those that are due at some time.
_HELD = "held"

# A partition of an index takes 1,000 writes a second; the sender makes ten texts a second, a relay that
# catches up some hundreds.
SHARDS = 4

# A text that is forgotten may be in a sender's hands, who moves it on a few times.
_FORGETTING_ROUNDS = 6

_UNCHANGED = "revision = :revision"
_IN_BUDGET = "attribute_not_exists(committed) OR committed <= :room"
_LIFTED = "attribute_exists(lifted_at)"
_NOT_ENOUGH_YET = "attribute_not_exists(texts) OR texts < :most"

# Counts of a phone's day are of no use after it, wherever on Earth that day was.
_COUNTS_KEPT = timedelta(days=3)

Values = dict[str, Any]


class DynamoLedger:
    """Satisfies `service.Ledger`.

    Every single write carries an id of its own: where the answer to one is lost, the SDK writes again, and
    must not take its own first write for another sender's. Transactions have the SDK's token for that.
    """

    def __init__(self, client: Any, *, texts: str, sending: str, new_write_id: Callable[[], str]) -> None:
        self._client = client
        self._texts = texts
        self._sending = sending
        self._new_write_id = new_write_id

    def get(self, message_id: MessageId) -> Text | None:
        """One text, as it stands now."""
        found = self._client.get_item(
            TableName=self._texts, Key=to_item({"message_id": message_id}), ConsistentRead=True
        )
        return _text(from_item(found["Item"])) if "Item" in found else None

    def begin(self, text: Text) -> Text:
        """Store a new text; what stands there then, which is another's if that was first."""
        standing = self._put(text, condition="attribute_not_exists(message_id)")
        return text if standing is None else _text(from_item(standing))

    def move(self, text: Text, *, was: Text) -> bool:
        """Store a text's next revision, and what it changes in the budget; False if it has moved meanwhile.

        Raises Contended.
        """
        if text.committed == was.committed:
            return self._put(text, condition=_UNCHANGED, values={":revision": was.revision}) is None
        try:
            self._client.transact_write_items(
                TransactItems=[self._put_after(text, was), self._commit(text, was, limit=None)]
            )
        except ClientError as error:
            if 0 in _failed(error):
                return False
            raise Contended from error
        return True

    def claim(self, text: Text, *, was: Text, brakes: Brakes) -> None:
        """Take a text in hand, with its money put aside, and count each copy for its phone on its day.

        All or nothing. Raises Moved, OptedOut, EnoughToday, BudgetSpent or Contended.
        """
        if brakes.budget is not None and text.committed - was.committed > brakes.budget:
            raise BudgetSpent
        refusals: list[tuple[Values, type[Exception]]] = [
            (self._put_after(text, was), Moved),
            (self._not_opted_out(text), OptedOut),
        ]
        if text.counted_on is not None and text.counted_on != was.counted_on:
            count = self._count_for_phone(text.phone_hash, text.counted_on, most=brakes.texts_a_day)
            refusals.append((count, EnoughToday))
        if text.committed != was.committed:
            refusals.append((self._commit(text, was, limit=brakes.budget), BudgetSpent))
        try:
            self._client.transact_write_items(TransactItems=[item for item, _ in refusals])
        except ClientError as error:
            refused = sorted(_failed(error))
            if refused:
                raise refusals[refused[0]][1] from None
            raise Contended from error

    def due(self, kind: Kind, now: datetime) -> Iterator[MessageId]:
        """The texts that somebody must look at by now, longest due first in each shard."""
        for shard in range(SHARDS):
            yield from self._ids(
                _BY_DUE,
                "due_shard = :shard AND due_at <= :now",
                {":shard": f"{kind}#{shard}", ":now": timestamp(now)},
            )

    def held(self) -> Iterator[MessageId]:
        """The texts that wait for somebody to release them, longest held first."""
        return self._ids(_BY_DUE, "due_shard = :shard", {":shard": _HELD})

    def of_day(self, day: CampaignDay) -> Iterable[TextFacts]:
        """What counting needs of the texts of a campaign day, by the index, which may lag by moments."""
        for shard in range(SHARDS):
            for values in pages(
                self._client,
                TableName=self._texts,
                IndexName=_BY_CAMPAIGN_DAY,
                KeyConditionExpression="day_shard = :shard",
                ExpressionAttributeValues=to_item({":shard": _day_shard(day, shard)}),
            ):
                facts = values["facts"]
                yield TextFacts(facts["purpose"], facts["state"], int(facts["parts"]), int(facts["money"]))

    def opt_out(self, phone_hash: str, *, at: datetime, source: str) -> None:
        """Claim no text for this phone any more.

        Once more changes nothing, nor does what was said before an opt-out was lifted.
        """
        try:
            self._client.put_item(
                TableName=self._sending,
                Item=to_item({"pk": _opt_out(phone_hash), "at": timestamp(at), "source": source}),
                ConditionExpression="attribute_not_exists(pk) OR lifted_at < :at",
                ExpressionAttributeValues=to_item({":at": timestamp(at)}),
            )
        except ClientError as error:
            if not condition_failed(error):
                raise

    def lift_opt_out(self, phone_hash: str, *, at: datetime, by: str) -> bool:
        """Let texts be claimed for this phone again; False if it has not opted out."""
        lifted = {"lifted_at": timestamp(at), "lifted_by": by}
        try:
            self._client.update_item(
                TableName=self._sending,
                Key=to_item({"pk": _opt_out(phone_hash)}),
                UpdateExpression="SET lifted_at = :at, lifted_by = :by",
                ConditionExpression=f"attribute_exists(pk) AND NOT {_LIFTED}",
                ExpressionAttributeValues=to_item({":at": timestamp(at), ":by": by}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not condition_failed(error):
                raise
            standing = from_item(error.response.get("Item", {}))  # type: ignore[arg-type]
            # The SDK writes again where an answer was lost, and then meets its own first write.
            return standing.items() >= lifted.items()
        return True

    def find_opt_out(self, phone_hash: str) -> OptOut | None:
        """What a phone's owner wanted last, also if it was lifted since; None if nothing was ever said."""
        found = self._client.get_item(
            TableName=self._sending, Key=to_item({"pk": _opt_out(phone_hash)}), ConsistentRead=True
        )
        if "Item" not in found:
            return None
        values = from_item(found["Item"])
        return OptOut(
            at=datetime.fromisoformat(values["at"]),
            source=values["source"],
            lifted_at=_instant_of(values.get("lifted_at")),
            lifted_by=values.get("lifted_by"),
        )

    def has_opted_out(self, phone_hash: str) -> bool:
        """Whether a phone wants no texts."""
        opt_out = self.find_opt_out(phone_hash)
        return opt_out is not None and opt_out.is_in_force

    def of(self, registration: str) -> Iterator[Text]:
        """The texts that a registration has led to; one begun this moment may not be among them yet."""
        for message_id in self._ids_of(registration):
            text = self.get(message_id)
            if text is not None:
                yield text

    def forget(self, registration: str) -> None:
        """Take away the texts of a registration; a sender who is at one of them finds it gone, and stops.

        What is counted of each stays under its campaign day, with nothing that leads to a person; the money
        put aside for an attempt that none will make now goes back into the budget. Raises TryAgain; the same
        call goes on from there.
        """
        for message_id in self._ids_of(registration):
            self._forget(message_id)

    def _forget(self, message_id: MessageId) -> None:
        for _ in range(_FORGETTING_ROUNDS):
            text = self.get(message_id)
            if text is None:
                return
            forgotten = text.forgotten()
            # The condition is what gives money back once: whoever comes second finds no such revision.
            writes: list[Values] = [
                {
                    "Delete": {
                        "TableName": self._texts,
                        "Key": to_item({"message_id": message_id}),
                        "ConditionExpression": _UNCHANGED,
                        "ExpressionAttributeValues": to_item({":revision": text.revision}),
                    }
                },
                {"Put": {"TableName": self._texts, "Item": to_item(self._left_of(forgotten))}},
            ]
            if forgotten.committed != text.committed:
                writes.append(self._commit(forgotten, text, limit=None))
            try:
                self._client.transact_write_items(TransactItems=writes)
            except ClientError as error:
                _failed(error)  # It moved, or is being moved, so it is read again.
            else:
                return
        raise TryAgain("a text is being sent")

    def _left_of(self, text: Text) -> Values:
        # A new id, and the shard that goes with that one: the old shard would say something of the old id.
        new_id = f"forgotten-{self._new_write_id()}"
        return {
            "message_id": new_id,
            "day_shard": _day_shard(CampaignDay(text.campaign_id, text.day), _shard(new_id)),
            "facts": _facts(text),
        }

    def _ids_of(self, registration: str) -> Iterator[MessageId]:
        return self._ids(_BY_REGISTRATION, "registration = :registration", {":registration": registration})

    def _ids(self, index: str, condition: str, values: Values) -> Iterator[MessageId]:
        for found in pages(
            self._client,
            TableName=self._texts,
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
        ):
            yield MessageId(found["message_id"])

    def _put(self, text: Text, *, condition: str, values: Values | None = None) -> Item | None:
        """What stood in the way, which is empty where a text was to be moved that is not there."""
        write_id = self._new_write_id()
        compared = {} if values is None else {"ExpressionAttributeValues": to_item(values)}
        try:
            self._client.put_item(
                TableName=self._texts,
                Item=to_item({**_values(text), "write_id": write_id}),
                ConditionExpression=condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **compared,
            )
        except ClientError as error:
            if not condition_failed(error):
                raise
            standing: Item = error.response.get("Item", {})  # type: ignore[assignment]
            is_ours = from_item(standing).get("write_id") == write_id
            return None if is_ours else standing
        return None

    def _put_after(self, text: Text, was: Text) -> Values:
        return {
            "Put": {
                "TableName": self._texts,
                "Item": to_item(_values(text)),
                "ConditionExpression": _UNCHANGED,
                "ExpressionAttributeValues": to_item({":revision": was.revision}),
            }
        }

    def _commit(self, text: Text, was: Text, *, limit: int | None) -> Values:
        if text.budget_day is None:
            raise ValueError("money is committed on some day")
        more = text.committed - was.committed
        update: Values = {
            "TableName": self._sending,
            "Key": to_item({"pk": f"BUDGET#{text.campaign_id}#{text.budget_day.isoformat()}"}),
            "UpdateExpression": "ADD committed :more",
        }
        values = {":more": more}
        if limit is not None:
            update["ConditionExpression"] = _IN_BUDGET
            values[":room"] = limit - more
        return {"Update": {**update, "ExpressionAttributeValues": to_item(values)}}

    def _count_for_phone(self, phone_hash: str, day: date, *, most: int) -> Values:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return {
            "Update": {
                "TableName": self._sending,
                "Key": to_item({"pk": f"PHONE#{phone_hash}#{day.isoformat()}"}),
                "UpdateExpression": "SET expires_at = :then ADD texts :one",
                "ConditionExpression": _NOT_ENOUGH_YET,
                "ExpressionAttributeValues": to_item(
                    {
                        ":one": 1,
                        ":most": most,
                        ":then": int((midnight + _COUNTS_KEPT).timestamp()),
                    }
                ),
            }
        }

    def _not_opted_out(self, text: Text) -> Values:
        return {
            "ConditionCheck": {
                "TableName": self._sending,
                "Key": to_item({"pk": _opt_out(text.phone_hash)}),
                "ConditionExpression": f"attribute_not_exists(pk) OR {_LIFTED}",
            }
        }


class DynamoLine:
    """Satisfies `pace.Line`: one item that every sender updates, a hundredth of what a partition bears.

    `free_at` is in microseconds, as a number, so that a slot is taken by one addition. The answer to each
    write is the whole item, so that a sender knows of the last resumption without asking.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self._resumed_at: datetime | None = None

    def take(self, takes: timedelta, *, now: datetime, longest: timedelta) -> datetime:
        """When to send: the next free slot. Raises Stopped or LineBusy.

        A write that the SDK repeats because its answer was lost takes two slots, and sends one text.
        """
        step, present = _microseconds(takes), _instant(now)
        running = "(attribute_not_exists(stopped_until) OR stopped_until <= :now)"
        behind, idle = (
            "free_at > :now AND free_at <= :latest",
            "attribute_not_exists(free_at) OR free_at <= :now",
        )
        latest = present + _microseconds(longest)
        while True:
            try:
                taken = self._update(
                    "ADD free_at :step",
                    f"{running} AND {behind}",
                    {":step": step, ":now": present, ":latest": latest},
                )
                return _at(int(taken["free_at"]) - step)
            except _Refused as refused:
                self._judge(refused.standing, present, latest)
            try:
                self._update(
                    "SET free_at = :then",
                    f"{running} AND ({idle})",
                    {":then": present + step, ":now": present},
                )
            except _Refused as refused:
                self._judge(refused.standing, present, latest)
            else:
                return now

    def stop(self, stop: Stop) -> None:
        """Let nobody send. A stop by a gateway never shortens one by hand."""
        until = _FOR_EVER if stop.until is None else _instant(stop.until)
        try:
            self._update(
                "SET stopped_until = :until, stop_reason = :reason",
                "attribute_not_exists(stopped_until) OR stopped_until < :until",
                {":until": until, ":reason": stop.reason},
            )
        except _Refused:
            return

    def resume(self, at: datetime) -> None:
        """Let everybody send again."""
        self._update(
            "SET resumed_at = :at REMOVE stopped_until, stop_reason",
            "attribute_exists(pk) OR attribute_not_exists(pk)",
            {":at": _instant(at)},
        )

    @property
    def resumed_at(self) -> datetime | None:
        """When somebody last let everybody send again, as this sender saw it when it last took a slot."""
        return self._resumed_at

    def stopped(self, now: datetime) -> Stop | None:
        """Why nothing is sent now, if so."""
        found = self._client.get_item(TableName=self._table, Key=_LINE, ConsistentRead=True)
        return _stop(from_item(found.get("Item", {})), _instant(now))

    def _judge(self, standing: Values, present: int, latest: int) -> None:
        """Raises Stopped or LineBusy if that is why a slot was refused."""
        stop = _stop(standing, present)
        if stop is not None:
            raise Stopped(stop.reason, stop.until)
        if int(standing.get("free_at", 0)) > latest:
            raise LineBusy

    def _update(self, update: str, condition: str, values: Values) -> Values:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_LINE,
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_item(values),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not condition_failed(error):
                raise
            raise _Refused(from_item(error.response.get("Item", {}))) from None  # type: ignore[arg-type]
        kept = from_item(answer["Attributes"])
        self._resumed_at = _at(int(kept["resumed_at"])) if "resumed_at" in kept else None
        return kept


_LINE = to_item({"pk": "LINE"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOR_EVER = 10**18


class _Refused(Exception):
    """A condition failed; `standing` is what stands there."""

    def __init__(self, standing: Values) -> None:
        super().__init__()
        self.standing = standing


def _stop(values: Values, present: int) -> Stop | None:
    until = int(values.get("stopped_until", 0))
    if until <= present:
        return None
    return Stop(values["stop_reason"], None if until == _FOR_EVER else _at(until))


def _microseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _instant(at: datetime) -> int:
    return _microseconds(at - _EPOCH)


def _at(instant: int) -> datetime:
    return _EPOCH + timedelta(microseconds=instant)


def _opt_out(phone_hash: str) -> str:
    return f"OPTOUT#{phone_hash}"


def _day_shard(day: CampaignDay, shard: int) -> str:
    return f"{day.campaign_id}#{day.day.isoformat()}#{shard}"


def _failed(error: ClientError) -> set[int]:
    """Which conditions of a transaction failed; none where others were in the way.

    Anything but a cancellation rises untouched.
    """
    reasons = cancellation_reasons(error)
    if not reasons:
        raise error
    expected = {"None", "ConditionalCheckFailed", "TransactionConflict"}
    if any(reason.get("Code", "None") not in expected for reason in reasons):
        raise error
    return {position for position, _ in failed_conditions(reasons)}


def _shard(message_id: str) -> int:
    return zlib.crc32(message_id.encode()) % SHARDS


def _facts(text: Text) -> Values:
    """What is counted of a text."""
    return {
        "purpose": text.purpose,
        "state": text.state,
        "parts": text.parts_sent,
        "money": text.committed,
    }


def _values(text: Text) -> Values:
    shard = _shard(text.message_id)
    is_held = text.state is TextState.HELD
    due_at = text.begun_at if is_held else text.due_at
    return {
        **asdict(text),
        "day": text.day.isoformat(),
        "begun_at": timestamp(text.begun_at),
        "deadline": timestamp(text.deadline),
        "touched_at": _maybe(text.touched_at),
        "budget_day": None if text.budget_day is None else text.budget_day.isoformat(),
        "counted_on": None if text.counted_on is None else text.counted_on.isoformat(),
        "sends": {gateway_id: asdict(send) for gateway_id, send in text.sends.items()},
        "due_at": _maybe(due_at),
        "due_shard": None if due_at is None else _HELD if is_held else f"{text.kind}#{shard}",
        "day_shard": _day_shard(CampaignDay(text.campaign_id, text.day), shard),
        "facts": _facts(text),
    }


def _maybe(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)


def _text(values: Values) -> Text:
    state = TextState(values["state"])
    return Text(
        message_id=MessageId(values["message_id"]),
        registration=values["registration"],
        campaign_id=values["campaign_id"],
        day=date.fromisoformat(values["day"]),
        purpose=Purpose(values["purpose"]),
        template_version=int(values["template_version"]),
        occasion=int(values["occasion"]),
        kind=Kind(values["kind"]),
        phone_hash=values["phone_hash"],
        correlation_id=values["correlation_id"],
        begun_at=datetime.fromisoformat(values["begun_at"]),
        deadline=datetime.fromisoformat(values["deadline"]),
        parts=int(values["parts"]),
        price=int(values["price"]),
        state=state,
        revision=int(values["revision"]),
        due_at=None if state is TextState.HELD else _instant_of(values.get("due_at")),
        attempts=int(values["attempts"]),
        touched_at=_instant_of(values.get("touched_at")),
        open_attempts=int(values["open_attempts"]),
        is_reserved=values["is_reserved"],
        is_resent=values["is_resent"],
        is_released=values["is_released"],
        budget_day=date.fromisoformat(values["budget_day"]) if "budget_day" in values else None,
        counted_on=date.fromisoformat(values["counted_on"]) if "counted_on" in values else None,
        gateway=values.get("gateway"),
        reason=values.get("reason"),
        sends={
            gateway_id: Send(
                send["gateway"], TextState(send["state"]), int(send["parts"]), int(send["price"])
            )
            for gateway_id, send in values["sends"].items()
        },
    )


def _instant_of(kept: str | None) -> datetime | None:
    return None if kept is None else datetime.fromisoformat(kept)
