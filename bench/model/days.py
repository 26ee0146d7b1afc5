"""Prediction of what a whole campaign day asks of AWS, from counts of single operations. Pure.

Writes are sums. Queries are not: each rounds up to 4 kilobytes, so small partitions cost more a row than big
ones. Rows spread over the partitions by a hash, so each is taken to have its share.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from bench.model.profile import OperationProfile
from chalicelib.notifications import store_items
from chalicelib.registrations import store_keys

Counts = Mapping[str, float]

_READ_UNIT_BYTES = 4_096
_QUEUE_BATCH = 10
_BATCH_OF_COUNTS = 20
_DAYS, _SMS = "RegistrationsTable.by_campaign_day", "SmsLedgerTable.by_campaign_day"


@dataclass(frozen=True)
class DayPlan:
    """Events of a day: captures by kind, then one batch of the stream for every `stream_batch` of them.

    Each new registration is confirmed by an SMS with a receipt. The day is counted `recounts` times and then
    exported once. `rows_before` are the captures that it has already, `sms_before` its SMS.
    """

    officers: int
    bots: int
    repeats: int
    known: int
    stream_batch: int
    rows_before: int
    sms_before: int

    @property
    def created(self) -> int:
        return self.officers + self.bots

    @property
    def captures(self) -> int:
        return self.created + self.known


def predict_day(
    plan: DayPlan, counts: Mapping[str, Counts], profiles: Mapping[str, OperationProfile]
) -> Counter[str]:
    """Return the numbers of a day by the item of the bill."""
    total: Counter[str] = Counter()
    for operation, times in (
        ("register_by_an_officer", plan.officers),
        ("register_by_a_bot", plan.bots),
        ("send_a_capture_again", plan.repeats),
        ("meet_a_known_worker", plan.known),
        ("send_a_confirmation", plan.created),
        ("record_a_receipt", plan.created),
    ):
        _add(total, counts[operation], times)
    _add_publishing(total, plan, counts)
    _add(total, _predict_count(plan, counts, profiles))
    _add(total, _predict_export(plan, counts, profiles))
    return total


def _add(total: Counter[str], counted: Counts, times: float = 1) -> None:
    for item, number in counted.items():
        total[item] += number * times  # type: ignore[assignment] # halves of read units, too


def _add_publishing(total: Counter[str], plan: DayPlan, counts: Mapping[str, Counts]) -> None:
    """Add the stream: a part for each batch and one for each record, found from batches of 1 and of 20."""
    one, twenty = counts["publish_a_registration"], counts["publish_20_registrations"]
    batches = ceil(plan.created / plan.stream_batch)
    for item in one:
        if item.startswith("sqs."):
            continue
        each = (twenty[item] - one[item]) / (_BATCH_OF_COUNTS - 1)
        # The index entry of a dirty day is written when the day becomes dirty.
        fixed = 1 if item == "dynamodb.index_write_units" else batches
        total[item] += plan.created * each + fixed * (one[item] - each)  # type: ignore[assignment]
    sends = (batches - 1) * ceil(plan.stream_batch / _QUEUE_BATCH) + ceil(
        (plan.created - (batches - 1) * plan.stream_batch) / _QUEUE_BATCH
    )
    total["sqs.requests"] += sends
    total["sqs.chunks"] += sends


def _predict_count(
    plan: DayPlan, counts: Mapping[str, Counts], profiles: Mapping[str, OperationProfile]
) -> Counts:
    """Return a count of the day: that of 20 registrations, with its reads of rows replaced."""
    counted, profile = Counter(counts["recount_20_registrations"]), profiles["recount_20_registrations"]
    rows = plan.rows_before + plan.captures
    registrations = plan.rows_before + plan.created
    sms = plan.sms_before + plan.created
    row_bytes, sms_bytes = (profile.bytes[place] / profile.rows[place] for place in (_DAYS, _SMS))
    counted["dynamodb.read_units"] += (  # type: ignore[assignment]
        _read(rows, row_bytes, store_keys.SHARD_COUNT)
        + _read(registrations, row_bytes, store_keys.SHARD_COUNT)
        - 2 * _read(profile.rows[_DAYS] // 2, row_bytes, store_keys.SHARD_COUNT)
        + _read(sms, sms_bytes, store_items.SHARD_COUNT)
        - _read(profile.rows[_SMS], sms_bytes, store_items.SHARD_COUNT)
    )
    return counted


def _predict_export(
    plan: DayPlan, counts: Mapping[str, Counts], profiles: Mapping[str, OperationProfile]
) -> Counts:
    counted, profile = Counter(counts["export_20_registrations"]), profiles["export_20_registrations"]
    row_bytes = profile.bytes[_DAYS] / profile.rows[_DAYS]
    counted["dynamodb.read_units"] += _read(  # type: ignore[assignment]
        plan.rows_before + plan.captures, row_bytes, store_keys.SHARD_COUNT
    ) - _read(profile.rows[_DAYS], row_bytes, store_keys.SHARD_COUNT)
    return counted


def _read(rows: int, row_bytes: float, partitions: int) -> float:
    """Return the units of reading rows of an index that spread over partitions; half a unit is the least.

    Each partition is rounded up, which adds half of a started unit on average.
    """
    each = rows * row_bytes / partitions / _READ_UNIT_BYTES
    return partitions * 0.5 * (1.0 if each <= 1 else each + 0.5)
