"""The verdict on the bill: what may grow no further beside the SMS, which are nearly all of it."""

from collections.abc import Mapping
from datetime import date

from bench.cost.bill import Prices, count_items, sum_dollars, to_dollars
from bench.gates import Gate

_SHARE_LIMIT_PERCENT = 1.0
# A device sends again what it does not know to be stored: that must not cost more than to store it.
_REPEAT_LIMIT = 1.0
# A reminder has two runs, and the same SMS.
_REMINDER_LIMIT = 1.1
_PRICE_AGE_LIMIT_DAYS = 365


def judge_costs(day: Mapping[str, float], prices: Prices, *, today: date) -> list[Gate]:
    """Return the gates on the items of a day, on single operations, and on the age of the prices."""
    sms = to_dollars(day, prices)["sms.parts"]
    return [
        Gate(
            "all but SMS, beside the SMS",
            100 * (sum_dollars(day, prices) - sms) / sms,
            _SHARE_LIMIT_PERCENT,
            "%",
        ),
        Gate(
            "a capture that is sent again, beside a registration",
            _price("send_a_capture_again", prices) / _price("register_by_an_officer", prices),
            _REPEAT_LIMIT,
            "x",
        ),
        Gate(
            "a reminder, beside a confirmation",
            _price("send_a_reminder", prices) / _price("send_a_confirmation", prices),
            _REMINDER_LIMIT,
            "x",
        ),
        Gate(
            "age of the prices",
            (today - date.fromisoformat(prices.checked)).days,
            _PRICE_AGE_LIMIT_DAYS,
            "days",
        ),
    ]


def _price(operation: str, prices: Prices) -> float:
    return sum_dollars(count_items(operation, prices), prices)
