"""What the gateway charges, by its own count of parts: our ledger can be held against it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ops.fake_sms.inbox import ReceivedSms

# No tariff of anybody's: a round figure that sums can be told by.
PART_PRICE_MICROUSD = 20_000

_GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True)
class SmsSize:
    """How a text goes over the air."""

    encoding: str
    parts: int

    @property
    def price_microusd(self) -> int:
        """What all its parts cost."""
        return self.parts * PART_PRICE_MICROUSD


def measure_sms(body: str) -> SmsSize:
    """Counted as networks do: 160 septets, or 153 each; 70 UTF-16 units, or 67; no character in two parts."""
    if all(letter in _GSM7_BASIC or letter in _GSM7_EXTENSION for letter in body):
        return SmsSize(
            "GSM", _count_parts([2 if letter in _GSM7_EXTENSION else 1 for letter in body], 160, 153)
        )
    return SmsSize("Unicode", _count_parts([len(letter.encode("utf-16-le")) // 2 for letter in body], 70, 67))


def _count_parts(widths: list[int], single_limit: int, part_limit: int) -> int:
    if sum(widths) <= single_limit:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > part_limit:
            parts, used = parts + 1, 0
        used += width
    return parts


def make_statement(sms_list: Iterable[ReceivedSms], *, zone: str, group_key: str) -> dict[str, Any]:
    """Texts, parts and money in all, and for each day in a zone and value of one key of the context.

    Raises ValueError for a zone that there is not.
    """
    days: dict[tuple[str, str], list[ReceivedSms]] = defaultdict(list)
    try:
        clock = ZoneInfo(zone)
    except (KeyError, ValueError):
        raise ValueError(f"there is no zone {zone!r}") from None
    for text in sms_list:
        day = datetime.fromisoformat(text.received_at).astimezone(clock).date().isoformat()
        days[day, text.context.get(group_key, "")].append(text)
    rows = [{"day": day, group_key: value, **_sum_up(own)} for (day, value), own in sorted(days.items())]
    return {**_sum_up([text for own in days.values() for text in own]), "days": rows}


def _sum_up(sms_list: list[ReceivedSms]) -> dict[str, int]:
    return {
        "texts": len(sms_list),
        "parts": sum(text.parts for text in sms_list),
        "price_microusd": sum(text.price_microusd for text in sms_list),
    }
