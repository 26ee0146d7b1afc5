"""What the gateway charges, by its own count of parts: our ledger can be held against it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ops.gateway.inbox import Text

# No tariff of anybody's: a round figure that sums can be told by.
PRICE_OF_A_PART_MICROUSD = 20_000

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True)
class Size:
    """How a text goes over the air."""

    encoding: str
    parts: int

    @property
    def price_microusd(self) -> int:
        """What all its parts cost."""
        return self.parts * PRICE_OF_A_PART_MICROUSD


def size_of(text: str) -> Size:
    """Counted as networks do: 160 septets, or 153 each; 70 UTF-16 units, or 67; no character in two parts."""
    if all(letter in _BASIC or letter in _EXTENSION for letter in text):
        return Size("GSM", _parts([2 if letter in _EXTENSION else 1 for letter in text], 160, 153))
    return Size("Unicode", _parts([len(letter.encode("utf-16-le")) // 2 for letter in text], 70, 67))


def _parts(widths: list[int], alone: int, each: int) -> int:
    if sum(widths) <= alone:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > each:
            parts, used = parts + 1, 0
        used += width
    return parts


def statement(texts: Iterable[Text], *, zone: str, by: str) -> dict[str, Any]:
    """Texts, parts and money in all, and for each day in a zone and value of one key of the context.

    Raises ValueError for a zone that there is not.
    """
    days: dict[tuple[str, str], list[Text]] = defaultdict(list)
    try:
        clock = ZoneInfo(zone)
    except (KeyError, ValueError):
        raise ValueError(f"there is no zone {zone!r}") from None
    for text in texts:
        day = datetime.fromisoformat(text.received_at).astimezone(clock).date().isoformat()
        days[day, text.context.get(by, "")].append(text)
    rows = [{"day": day, by: value, **_sum(own)} for (day, value), own in sorted(days.items())]
    return {**_sum([text for own in days.values() for text in own]), "days": rows}


def _sum(texts: list[Text]) -> dict[str, int]:
    return {
        "texts": len(texts),
        "parts": sum(text.parts for text in texts),
        "price_microusd": sum(text.price_microusd for text in texts),
    }
