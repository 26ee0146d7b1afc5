"""The gateway's own count of parts and its prices, against which tests check our ledger."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ops.fake_sms.inbox import ReceivedSms

# Not a real tariff: a round figure that makes sums easy to check.
PART_PRICE_MICROUSD = 20_000

_GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True)
class SmsSize:
    """The encoding and the number of parts of an SMS."""

    encoding: str
    parts: int

    @property
    def price_microusd(self) -> int:
        """Return the price of all parts in millionths of a US dollar."""
        return self.parts * PART_PRICE_MICROUSD


def measure_sms(body: str) -> SmsSize:
    """Count parts as networks do: 160 septets or 153 each, 70 UTF-16 units or 67 each.

    No character is split between two parts.
    """
    if all(character in _GSM7_BASIC or character in _GSM7_EXTENSION for character in body):
        return SmsSize(
            "GSM", _count_parts([2 if character in _GSM7_EXTENSION else 1 for character in body], 160, 153)
        )
    return SmsSize(
        "Unicode", _count_parts([len(character.encode("utf-16-le")) // 2 for character in body], 70, 67)
    )


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
    """Return the sums of SMS, parts and prices: in all, and by day in `zone` and by one key of the context.

    Raise ValueError for an unknown zone.
    """
    days: dict[tuple[str, str], list[ReceivedSms]] = defaultdict(list)
    try:
        zone_info = ZoneInfo(zone)
    except (KeyError, ValueError):
        raise ValueError(f"there is no zone {zone!r}") from None
    for sms in sms_list:
        day = datetime.fromisoformat(sms.received_at).astimezone(zone_info).date().isoformat()
        days[day, sms.context.get(group_key, "")].append(sms)
    rows = [{"day": day, group_key: value, **_sum_up(own)} for (day, value), own in sorted(days.items())]
    return {**_sum_up([sms for own in days.values() for sms in own]), "days": rows}


def _sum_up(sms_list: list[ReceivedSms]) -> dict[str, int]:
    return {
        "texts": len(sms_list),
        "parts": sum(sms.parts for sms in sms_list),
        "price_microusd": sum(sms.price_microusd for sms in sms_list),
    }
