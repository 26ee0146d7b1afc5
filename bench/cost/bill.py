"""The bill of operations: what was counted, times dated prices. Pure but for the data files."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.cost.counts import load_counts
from ops.project import ROOT

_PRICES_FILE = Path(__file__).with_name("prices.json")
_BYTES_A_GB, _MB_A_GB = 1_000_000_000, 1_024

# The function that runs in each operation. The authorizer's answer is kept by API Gateway for a minute.
_FUNCTIONS = {
    "authorize_a_caller": "AuthorizeCaller",
    "publish_a_registration": "OnRegistrationChanges",
    "publish_20_registrations": "OnRegistrationChanges",
    "send_a_confirmation": "OnNotifications",
    "send_a_reminder": "OnNotifications",
    "record_a_receipt": "OnReceipts",
    "expire_a_registration": "AgeRegistrations",
    "delete_personal_fields": "AgeRegistrations",
    "look_for_due_sms": "QueueDueSms",
    "roll_up_an_idle_hour": "RollUpDueDays",
    "recount_20_registrations": "RollUpDueDays",
    "export_20_registrations": "ExportDays",
}
_API_FUNCTION = "APIHandler"
# By DynamoDB Local, for days of 10,000 and 100,000 (docs/decisions/counting.md): 20 rows are too few.
_READ_UNITS_A_ROW = 0.07
# A reminder is stored by a first run, and sent by a second one.
_RUNS = {"send_a_reminder": 2}
# Lambda receives from SQS and deletes; a message is sent, received and deleted once. What the function of the
# stream sends is in its own counts.
_QUEUED = {"send_a_confirmation": 2, "send_a_reminder": 5, "record_a_receipt": 3}


@dataclass(frozen=True)
class Prices:
    """Prices as of a day. `dollars` has one for each item of the bill.

    `fixed_dollars_a_month` are paid whether or not anybody registers.
    """

    checked: str
    rupiah_a_dollar: float
    dollars: Mapping[str, float]
    fixed_dollars_a_month: Mapping[str, float]
    milliseconds: Mapping[str, float]
    log_bytes_an_invocation: float
    answer_bytes: float

    @classmethod
    def load(cls) -> "Prices":
        data: dict[str, Any] = json.loads(_PRICES_FILE.read_text(encoding="utf-8"))
        rupiah = data["rupiah_a_dollar"]
        return cls(
            checked=data["checked"],
            rupiah_a_dollar=rupiah,
            dollars={**data["dollars"], "sms.parts": data["sms_part_rupiah"] / rupiah},
            fixed_dollars_a_month=data["fixed_dollars_a_month"],
            milliseconds=data["milliseconds"],
            log_bytes_an_invocation=data["log_bytes_an_invocation"],
            answer_bytes=data["answer_bytes"],
        )


def count_items(operation: str, prices: Prices) -> Counter[str]:
    """Return the items of the bill of one operation: what was counted, and what running it takes."""
    counts = load_counts()[operation]
    items: Counter[str] = Counter()
    for name, number in counts.items():
        priced = "dynamodb.write_units" if name == "dynamodb.index_write_units" else name
        if priced in prices.dollars:
            items[priced] += number  # type: ignore[assignment] # halves of read units, too
    function = _FUNCTIONS.get(operation, _API_FUNCTION)
    runs = _RUNS.get(operation, 1)
    seconds = runs * prices.milliseconds[function] / 1_000
    items["lambda.requests"] += runs
    items["lambda.gb_seconds"] += seconds * _read_memory()[function] / _MB_A_GB  # type: ignore[assignment]
    items["logs.gb"] += runs * prices.log_bytes_an_invocation / _BYTES_A_GB  # type: ignore[assignment]
    items["sqs.chunks"] += _QUEUED.get(operation, 0)
    if function == _API_FUNCTION:
        items["api.requests"] += 1
        items["transfer.gb"] += prices.answer_bytes / _BYTES_A_GB  # type: ignore[assignment]
    return +items


def count_recount(registrations: int, prices: Prices) -> Counter[str]:
    """Return the items of one count of a day: a fixed part, and reads that grow with its registrations."""
    items = count_items("recount_20_registrations", prices)
    items["dynamodb.read_units"] += registrations * _READ_UNITS_A_ROW  # type: ignore[assignment]
    return items


def count_campaign_day(registrations: int, prices: Prices, *, hours: int = 12) -> Counter[str]:
    """Return the items of a day on which vans register one worker after another, each with one SMS.

    It is counted every hour, and each registration asks the authorizer: an upper bound.
    """
    total: Counter[str] = Counter()
    for operation in (
        "authorize_a_caller",
        "register_by_an_officer",
        "publish_a_registration",
        "send_a_confirmation",
        "record_a_receipt",
    ):
        total += _scale(count_items(operation, prices), registrations)
    for hour in range(1, hours + 1):
        total += count_recount(registrations * hour // hours, prices)
    return total


def to_dollars(items: Mapping[str, float], prices: Prices) -> dict[str, float]:
    """Return the price of each item."""
    return {name: number * prices.dollars[name] for name, number in items.items()}


def sum_dollars(items: Mapping[str, float], prices: Prices) -> float:
    """Return the price of all items together."""
    return sum(to_dollars(items, prices).values())


def _scale(items: Mapping[str, float], factor: int) -> Counter[str]:
    return Counter({name: number * factor for name, number in items.items()})


def _read_memory() -> dict[str, int]:
    """Return the memory of each function in MB, by its logical id."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    sizes = config["lambda_functions"]
    named = {name.title().replace("_", ""): size["lambda_memory_size"] for name, size in sizes.items()}
    return {**named, _API_FUNCTION: sizes["api_handler"]["lambda_memory_size"]}
