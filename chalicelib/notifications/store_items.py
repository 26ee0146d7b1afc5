"""The items of the SMS ledger table, one for each SMS, under its id.

Indexed by when it is due (`due_shard`), by campaign day (`day_shard`), and by registration (`reference`). Of
an erased SMS only the counted facts are kept, under a random id.
"""

import zlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import from_optional_timestamp, to_optional_timestamp, to_timestamp
from chalicelib.messaging.model import SmsId
from chalicelib.notifications.counting import SmsFacts
from chalicelib.notifications.model import Sms, SmsSend, SmsState
from chalicelib.notifications.templates import SmsKind
from chalicelib.records import record_parser
from chalicelib.sms_purposes import Purpose

BY_DUE = "by_due"
BY_CAMPAIGN_DAY = "by_campaign_day"
BY_REFERENCE = "by_reference"

# The shard of held SMS in the index by due time.
HELD_SHARD = "held"

# A partition of an index takes 1,000 writes a second; sending makes ten SMS a second, a stream that catches
# up some hundreds.
SHARD_COUNT = 4

REVISION_UNCHANGED = "revision = :revision"


def build_item(sms: Sms) -> Values:
    shard = _choose_shard(sms.sms_id)
    is_held = sms.state is SmsState.HELD
    due_at = sms.begun_at if is_held else sms.due_at
    return {
        "sms_id": sms.sms_id,
        "reference": sms.reference,
        "campaign_id": sms.campaign_id,
        "day": sms.day.isoformat(),
        "purpose": sms.purpose,
        "template_version": sms.template_version,
        "event_version": sms.event_version,
        "kind": sms.kind,
        "phone_hash": sms.phone_hash,
        "correlation_id": sms.correlation_id,
        "begun_at": to_timestamp(sms.begun_at),
        "deadline": to_timestamp(sms.deadline),
        "parts": sms.parts,
        "price": sms.price,
        "state": sms.state,
        "revision": sms.revision,
        "due_at": to_optional_timestamp(due_at),
        "attempts": sms.attempts,
        "touched_at": to_optional_timestamp(sms.touched_at),
        "open_attempts": sms.open_attempts,
        "is_reserved": sms.is_reserved,
        "is_resent": sms.is_resent,
        "is_released": sms.is_released,
        "is_chat_over": sms.is_chat_over,
        "budget_day": None if sms.budget_day is None else sms.budget_day.isoformat(),
        "counted_on": None if sms.counted_on is None else sms.counted_on.isoformat(),
        "request_version": sms.request_version,
        "gateway": sms.gateway,
        "reason": sms.reason,
        "sends": {gateway_id: _build_send(send) for gateway_id, send in sms.sends.items()},
        "due_shard": None if due_at is None else HELD_SHARD if is_held else build_due_shard(sms.kind, shard),
        "day_shard": build_day_shard(CampaignDay(sms.campaign_id, sms.day), shard),
        "facts": _build_facts(sms),
    }


def build_anonymous_item(sms: Sms, anonymous_id: str) -> Values:
    """Return the item that keeps the counted facts of an erased SMS.

    Its shard follows from `anonymous_id`: the old shard would reveal something of the old id.
    """
    return {
        "sms_id": anonymous_id,
        "day_shard": build_day_shard(CampaignDay(sms.campaign_id, sms.day), _choose_shard(anonymous_id)),
        "facts": _build_facts(sms),
    }


@record_parser
def parse_item(values: Mapping[str, Any]) -> Sms:
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
        due_at=None if state is SmsState.HELD else from_optional_timestamp(values.get("due_at")),
        attempts=int(values["attempts"]),
        touched_at=from_optional_timestamp(values.get("touched_at")),
        open_attempts=int(values["open_attempts"]),
        is_reserved=values["is_reserved"],
        is_resent=values["is_resent"],
        is_released=values["is_released"],
        is_chat_over=values.get("is_chat_over", False),
        budget_day=date.fromisoformat(values["budget_day"]) if "budget_day" in values else None,
        counted_on=date.fromisoformat(values["counted_on"]) if "counted_on" in values else None,
        request_version=int(values["request_version"]) if "request_version" in values else None,
        gateway=values.get("gateway"),
        reason=values.get("reason"),
        sends={gateway_id: _parse_send(send) for gateway_id, send in values["sends"].items()},
    )


def parse_facts(values: Mapping[str, Any]) -> SmsFacts:
    """Return the counted facts of an item, of an erased SMS too."""
    facts = values["facts"]
    parts, money = int(facts["parts"]), int(facts["money"])
    chats = {
        name: (int(each["messages"]), int(each["money"])) for name, each in facts.get("chats", {}).items()
    }
    return SmsFacts(facts["purpose"], facts["state"], parts, money, facts.get("reason"), chats)


@record_parser
def check_readable(values: Mapping[str, Any]) -> None:
    """Parse an item, or what is kept of an erased SMS. Raise RecordUnreadable."""
    parse_facts(values)
    if "reference" in values:
        parse_item(values)


def build_key(sms_id: str) -> Values:
    return {"sms_id": sms_id}


def build_due_shard(kind: SmsKind, shard: int) -> str:
    return f"{kind}#{shard}"


def build_day_shard(campaign_day: CampaignDay, shard: int) -> str:
    return f"{campaign_day.campaign_id}#{campaign_day.day.isoformat()}#{shard}"


def _choose_shard(sms_id: str) -> int:
    return zlib.crc32(sms_id.encode()) % SHARD_COUNT


def _build_facts(sms: Sms) -> Values:
    facts: Values = {
        "purpose": sms.purpose,
        "state": sms.state,
        "parts": sms.parts_sent,
        "money": sms.committed,
    }
    chats = {
        channel: {"messages": len(prices), "money": sum(prices)}
        for channel, prices in sms.chat_prices.items()
    }
    facts |= {"chats": chats} if chats else {}
    return facts | {"reason": sms.reason} if sms.state is SmsState.FAILED and sms.reason else facts


def _build_send(send: SmsSend) -> Values:
    return {"gateway": send.gateway, "state": send.state, "parts": send.parts, "price": send.price}


def _parse_send(values: Values) -> SmsSend:
    return SmsSend(values["gateway"], SmsState(values["state"]), int(values["parts"]), int(values["price"]))
