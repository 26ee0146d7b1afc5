"""Many captures in one request: taken in side by side, answered in order, none in the way of another."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

MAX_ITEMS = 200
MAX_BODY_BYTES = 1024 * 1024

# As many connections as the clients keep open; more would only queue for them.
_MAX_WORKERS = 10

# The end of a number is the same in each of the ways it is written: 0812…, 62812…, +62 812….
_PHONE_SUFFIX_DIGITS = 9

ItemResult = TypeVar("ItemResult")
BatchItem = dict[str, Any]


class SubmitBatch(BaseModel):
    """A device's captures, oldest first.

    Each is read on its own, so that a bad one spoils nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: list[Any] = Field(
        min_length=1, max_length=MAX_ITEMS, validation_alias=AliasChoices("items", "registrations")
    )


def process_items(items: Sequence[Any], process_item: Callable[[Any], ItemResult]) -> list[ItemResult]:
    """A verdict per item, in order.

    Items that share a capture id, a NIK or a phone number with an earlier one wait until all others are done
    and are then taken in order: of two captures of one worker the earlier one always wins, and a number
    given for many is counted by one after the other, not by all at once.
    """
    first, later = _split_by_conflict(items)
    verdicts: dict[int, ItemResult] = {}
    with ThreadPoolExecutor(max_workers=_MAX_WORKERS) as pool:
        verdicts.update(
            zip(first, pool.map(process_item, [items[position] for position in first]), strict=True)
        )
    for position in later:
        verdicts[position] = process_item(items[position])
    return [verdicts[position] for position in range(len(items))]


def _split_by_conflict(items: Sequence[Any]) -> tuple[list[int], list[int]]:
    seen: set[str] = set()
    first: list[int] = []
    later: list[int] = []
    for position, item in enumerate(items):
        marks = _list_conflict_keys(item)
        (later if marks & seen else first).append(position)
        seen |= marks
    return first, later


def _list_conflict_keys(item: Any) -> set[str]:
    if not isinstance(item, dict):
        return set()
    worker = item.get("worker")
    typed = worker if isinstance(worker, dict) else {}
    nik, phone = (
        _extract_digits(typed.get("nik")),
        _extract_digits(typed.get("phone"))[-_PHONE_SUFFIX_DIGITS:],
    )
    marks = {f"capture {item.get('capture_id')}".lower(), f"nik {nik}", f"phone {phone}"}
    return marks - {"capture none", "nik ", "phone "}


def _extract_digits(typed_value: Any) -> str:
    return "".join(each for each in typed_value if each.isdigit()) if isinstance(typed_value, str) else ""
